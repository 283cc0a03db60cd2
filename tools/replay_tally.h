// What a replay has done so far, and how it is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace minod::replay {

struct PartitionTally {
  std::string name;
  Offset first = kNoOffset;  // of the records that were read
  Offset last = kNoOffset;
  UnixMillis first_time;
  UnixMillis last_time;
};

struct Tally {
  std::uint64_t read = 0;
  std::uint64_t applied = 0;
  std::uint64_t expired = 0;  // of the applied: sent as DEL, since their time is over
  std::uint64_t skipped = 0;  // filtered, or of no key
  std::uint64_t errors = 0;   // error replies
  std::uint64_t flushes = 0;
  std::int64_t bytes = 0;  // of batches
  std::int64_t bytes_planned = 0;
  std::vector<PartitionTally> partitions;
};

// The summary, several lines; `took` since the start.
std::string summary_text(const Tally& tally, Nanos took);

// "12.30 MiB of 40.00 MiB (30 %), 123456 records, 41234/s, 2.0s left"
std::string progress_text(const Tally& tally, Nanos took);

// Rewrites one line of a terminal, a few times a second.
class Progress {
 public:
  Progress(const Clock& clock, bool shown) : clock_(clock), begin_(clock.monotonic()), shown_(shown) {}

  void update(const Tally& tally);
  void clear();
  Nanos elapsed() const { return clock_.monotonic() - begin_; }

 private:
  const Clock& clock_;
  MonotonicNanos begin_;
  MonotonicNanos next_;
  bool shown_;
  bool drawn_ = false;
};

}  // namespace minod::replay
