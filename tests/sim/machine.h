// A store on a simulated disk of its own, with one pipelined client, and the states that its commands pass through.
// Whatever a crash leaves must be one of window(): the state after some command that was issued, and not before the
// last one that was acknowledged. Several can be there at a time.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/redis_model.h"
#include "tests/store/store_fixture.h"

namespace minod {

// What may be found after a crash, oldest first.
using Window = std::vector<std::shared_ptr<const State>>;

class Machine final : public StoreFixture {
 public:
  // A new disk with an empty data directory, and started.
  Machine(const StoreOptions& options, const SimDiskOptions& disk);
  // What a crash has left; not started.
  Machine(const StoreOptions& options, std::unique_ptr<SimDisk> disk, const ManualClock& clock);
  // As the end of the process.
  ~Machine() override;
  void TestBody() override {}

  using StoreFixture::advance;
  using StoreFixture::crash;
  using StoreFixture::evict_all;
  using StoreFixture::run;
  using StoreFixture::settle;
  using StoreFixture::stop;
  using StoreFixture::try_start;
  using StoreFixture::turn;

  // The process ends, the kernel goes on.
  void kill();

  SimDisk& disk() { return *disk_; }
  Store& store() { return *store_; }
  const ManualClock& clock() const { return clock_; }
  const std::vector<std::string>& failures() const { return failures_; }

  // Issues the command as the next of the pipeline, and compares what will be replied with the model's reply. Returns
  // early when the machine has stopped.
  void issue(const Command& command);

  // Replies that may leave, leave: what they acknowledge must survive.
  void collect();

  // What a crash may leave now: under appendfsync always nothing that was acknowledged may be missing; otherwise,
  // `durable_only`, nothing that a completed sync has covered.
  Window window(bool durable_only = false);

  // Compares what is served for `keys` with the states. The one that it is becomes the only one of window(); otherwise
  // what differs from the first and from the last.
  std::optional<std::string> adopt(const Window& states, const std::vector<std::string>& keys);

  std::uint64_t commands() const { return commands_; }

 private:
  bool stopped() const { return disk_->crashed() || !failures_.empty(); }
  State served(const std::vector<std::string>& keys);

  // Of commands that were not acknowledged when collect() was called last.
  struct Issued {
    std::shared_ptr<const State> state;
    std::uint64_t reply_end = 0;  // in the stream of replies
    Offset log_end = kFirstOffset;
  };
  std::shared_ptr<const State> settled_;  // after the last acknowledged command
  std::deque<Issued> issued_;
  std::deque<Issued> volatile_;           // acknowledged, not yet covered by a sync
  std::shared_ptr<const State> durable_;  // after the last command that a sync has covered
  ReplyQueue replies_;
  std::uint64_t sent_ = 0;
  std::uint64_t commands_ = 0;
};

}  // namespace minod
