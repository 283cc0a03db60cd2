// Writes checkpoints of the indexes while they are in use: copies entries into a buffer, for a fraction of a
// millisecond at a time, which a job appends to the file. docs/FORMAT.md, "Checkpoint", says why what comes out is
// right. One partition at a time; belongs to the store's thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "index/checkpoint_file.h"
#include "index/chunk_file.h"
#include "log/disk.h"
#include "store/partition.h"

namespace minod {

struct CheckpointCounters {
  bool running = false;
  std::uint64_t written = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes = 0;    // of the last one
  std::int64_t slice_ns = 0;  // the longest that the shard's loop was held up

  void add(const CheckpointCounters& other);  // another shard's
};

class Checkpointer {
 public:
  // `bytes`: a checkpoint is due when a restart would have to read this much of the log; 0: never.
  Checkpointer(Disk& disk, const Clock& clock, const KeyHasher& hasher, std::string directory, std::string directory_id,
               std::int64_t bytes)
      : disk_(disk),
        clock_(clock),
        hasher_(hasher),
        directory_(std::move(directory)),
        directory_id_(std::move(directory_id)),
        bytes_(bytes) {}

  // Begins a checkpoint of the partition when one is due and none is being written.
  void consider(Partition& partition);
  // The segments that began in [base, end) are one now. A restart refuses a checkpoint that begins inside: the place is
  // not there any more. Another one is then due at once.
  void rewritten(const Partition& partition, Offset base, Offset end);
  // Goes on with what was begun, for a part of a millisecond; with many turns it takes a tenth of the time.
  void turn();
  // About ten times a second: goes on for a part of a millisecond even when there were few turns.
  void tick();
  // For a clean stop, when nothing is in flight: a whole checkpoint, unless reading the log anew costs less. Blocking.
  void write_now(Partition& partition);

  // What is written of this partition is not gone on with. False: a job is under way, ask again.
  bool rest(const Partition& partition);

  bool busy() const { return work_ != nullptr; }
  bool idle() const { return !running_; }  // no job is under way
  void abandon();                          // no job will ever end; or: what was begun is not gone on with
  CheckpointCounters counters() const;

  // What a job writes at a time, about.
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
  // A slice that copies entries looks at the clock between pieces of them, and ends when so much has passed.
  static constexpr Nanos kSliceTime{200'000};
  // To read less than this takes a restart no time that matters.
  static constexpr std::int64_t kStopBytesMin = std::int64_t{16} << 20;

 private:
  struct Work;
  bool waits() const;
  std::int64_t log_bytes(const Partition& partition) const;
  bool due(const Partition& partition, std::int64_t bytes) const;
  void begin(Partition& partition);
  void step();
  bool slice();  // true: all is in the builder
  void add_entries();
  void add_piece();
  void run(std::function<Result<void>()> job);
  void job_done(const Result<void>& result);
  void finished(const std::optional<Error>& failure);

  Disk& disk_;
  const Clock& clock_;
  const KeyHasher& hasher_;
  std::string directory_;
  std::string directory_id_;
  std::int64_t bytes_;
  std::map<std::uint16_t, std::int64_t> begun_at_;  // log_bytes() at the last one, by partition
  std::set<std::uint16_t> overdue_;                 // partitions whose newest one is of no use, or was not finished
  std::shared_ptr<Work> work_;
  bool running_ = false;
  MonotonicNanos next_slice_;
  CheckpointCounters counters_;
};

}  // namespace minod
