// The Disk of the real world, over Linux AIO (libaio). Why so: docs/adr/0001-aio-engine.md.
#pragma once

#include <atomic>

#include "log/aio_queue.h"
#include "log/disk.h"

namespace minod {

struct AioDiskOptions {
  unsigned depth = 256;  // operations that the kernel may have at once; counts against fs.aio-max-nr
  bool direct = true;    // as supports_direct() says of the data directory
  DurableBy durable_by = DurableBy::kDsync;
  // Finished reads that one poll() delivers at most. An owner that bounds it polls until poll() returns 0 before it
  // waits for event_fd().
  std::size_t reads_at_once = AioQueue::kAllReads;
};

// Owned and polled by one thread. What Disk has for directories, and open(), may also be called by a job of
// run_aside(). The destructor waits for what the kernel and the side threads have, and calls no callback; Files must
// not be used after it, only destroyed.
class AioDisk final : public Disk {
 public:
  using Options = AioDiskOptions;

  static Result<std::unique_ptr<AioDisk>> open(Options options);

  // Whether files in `directory` can bypass the page cache. Writes and removes a small file there.
  static Result<bool> supports_direct(const std::string& directory);

  // Readable when poll() has something to do. poll() reads it.
  int event_fd() const { return queue_->event_fd(); }

  // Whether new files bypass the page cache: as the options said, until a file system refused it. Without it writes and
  // syncs go through a side thread, because io_submit would block.
  bool direct() const { return direct_.load(std::memory_order_relaxed); }

  const AioCounters& counters() const { return queue_->counters(); }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  void run_aside(std::function<void()> job, std::function<void()> done) override;
  void submit() override { queue_->submit(); }
  std::size_t poll() override { return queue_->poll(); }
  std::size_t in_flight() const override { return queue_->in_flight(); }

 private:
  AioDisk(std::unique_ptr<AioQueue> queue, const Options& options)
      : queue_(std::move(queue)), durable_by_(options.durable_by), direct_(options.direct) {}

  std::unique_ptr<AioQueue> queue_;
  const DurableBy durable_by_;
  std::atomic<bool> direct_;  // open() may run in a job
};

}  // namespace minod
