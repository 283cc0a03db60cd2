// A file of AioDisk. With O_DIRECT its operations go to the kernel's queue; without, to a side thread.
#pragma once

#include "log/aio_queue.h"
#include "log/disk.h"

namespace minod {

class AioFile final : public File {
 public:
  AioFile(AioQueue& queue, Fd fd, std::string path, bool direct, DurableBy durable_by);
  ~AioFile() override;

  void write(FilePosition position, Bytes bytes, WriteMode mode, IoCallback done) override;
  void sync(IoCallback done) override;
  void read(FilePosition position, MutableBytes into, IoCallback done) override;

  Result<std::size_t> read_now(FilePosition position, MutableBytes into) override;
  Result<void> write_now(FilePosition position, Bytes bytes) override;
  Result<void> sync_now() override;
  Result<std::int64_t> size_now() override;
  Result<void> truncate_now(std::int64_t size) override;
  Result<std::int64_t> links_now() override;
  Result<void> prepare_now(std::int64_t from, std::int64_t to) override;

 private:
  int fd() const { return target_.fd.get(); }
  std::int64_t put(std::int64_t position, Bytes bytes);
  std::int64_t put_zeros(std::int64_t from, std::int64_t to);
  Error failure(const char* verb, int error) const;

  AioQueue& queue_;
  const DurableBy durable_by_;
  AioTarget target_;
};

}  // namespace minod
