// Compaction of one shard's logs: chooses what is worth it, one run at a time, at a bounded pace. Belongs to the shard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "index/key_hash.h"
#include "log/disk.h"
#include "store/compaction_pace.h"
#include "store/compaction_plan.h"
#include "store/compaction_run.h"
#include "store/partition.h"

namespace minod {

// Counted since the start; what a run did is added when it ends.
struct CompactionReport {
  bool running = false;
  bool asked = false;  // a request() is being worked on
  std::uint64_t runs = 0;
  std::uint64_t given_up = 0;
  std::uint64_t failed = 0;  // of those given up: by an error
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_freed = 0;
  std::uint64_t records_dropped = 0;
  std::uint64_t erasures_dropped = 0;
  std::uint64_t progress_bytes = 0;  // of the run that is going on: read, of all there are to read
  std::uint64_t total_bytes = 0;
  std::uint64_t rate = 0;           // bytes a second at present; 0: no limit
  std::uint64_t garbage_bytes = 0;  // on disk, as far as is known
  Millis asked_for{-1};             // how long the request has been worked on; -1: there is none
  Millis last_asked_took{-1};       // how long the last one took; -1: none
  bool last_asked_ok = true;
  std::int64_t pause_ns = 0;  // the longest that the shard's loop was held up

  void add(const CompactionReport& other);  // another shard's
};

class Compactor {
 public:
  using Partitions = std::span<const std::unique_ptr<Partition>>;

  // `directory`: the parent of the partitions' directories.
  Compactor(Disk& disk, const Clock& clock, const KeyHasher& hasher, std::string directory, std::int64_t segment_bytes,
            bool compress);
  ~Compactor();

  // The swap of a segment failed half way: the log must not go on.
  std::function<void(const Error&)> on_failed;

  // The segments that began in [base, end) are one now.
  std::function<void(const Partition&, Offset base, Offset end)> on_rewritten = [](const Partition&, Offset, Offset) {};

  // Nobody makes anything from these segments' files now, nor will before they are exchanged; false: ask again.
  std::function<bool(const Partition&, const CompactionPlan&)> may_swap;

  void set_options(const CompactionOptions& options);
  const CompactionOptions& options() const { return options_; }

  // About ten times a second.
  void tick(Partitions partitions);

  // Compacts whatever has garbage, what is in active segments now included; false: a request is being worked on.
  bool request(Partitions partitions);

  // Compacts exactly the sealed segments that begin in [base, end), when nothing else runs; false: it can't be done
  // now.
  bool compact(Partition& partition, Offset base, Offset end);

  // What is done with this partition is not gone on with. False: a job is under way, ask again.
  bool rest(const Partition& partition);

  bool busy() const { return run_ != nullptr; }
  bool job_running() const { return run_ && run_->job_running(); }
  // No job that is in flight will end.
  void abandon();

  CompactionReport report(Partitions partitions) const;

 private:
  struct Request {
    Partition* partition;
    Offset upto;
    int leave_tries;  // the active segment is still to be left
  };

  void step();
  void settle_run();
  void start_run(Partitions partitions);
  void start(Partition& partition, const CompactionPlan& plan, const CompactionRules& rules);
  CompactionRules rules_for(Partition& partition, UnixMillis now) const;
  void leave_old_segments(Partition& partition, const CompactionRules& rules);
  void look_after_request(UnixMillis now);

  Disk& disk_;
  const Clock& clock_;
  const KeyHasher& hasher_;
  std::string directory_;
  std::int64_t segment_bytes_;
  bool compress_;
  CompactionOptions options_;
  CompactionPace pace_;
  std::unique_ptr<CompactionRun> run_;
  const Partition* resting_ = nullptr;  // whose run is to end
  std::int64_t spent_ = 0;              // bytes of the run that the pace knows of
  MonotonicNanos retry_at_;             // after the disk was full
  std::vector<Request> requests_;
  UnixMillis asked_at_;
  CompactionReport done_;
};

}  // namespace minod
