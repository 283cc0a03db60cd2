// A File of SimDisk; only sim_disk.cc and sim_open_file.cc include this.
#pragma once

#include "tests/sim/sim_disk.h"

namespace minod {

class SimDisk::OpenFile final : public File {
 public:
  OpenFile(SimDisk& disk, std::shared_ptr<Handle> handle) : disk_(disk), handle_(std::move(handle)) {}
  ~OpenFile() override;

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
  SimDisk& disk_;
  std::shared_ptr<Handle> handle_;
};

}  // namespace minod
