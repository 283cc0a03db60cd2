// How much of each segment of a log is still wanted: what compaction is planned by. Told where batches are placed and
// which records die; rebuilt by a restart that applies every record. Belongs to the log's thread.
//
// Deaths in a segment are exact when this process has applied each of its records: without one it then holds nothing
// but newest versions (and erasures). A restart that loads an index instead of applying records leaves them estimates.
// Bytes are not known for a record that dies, so shares are by count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "log/batch.h"

namespace minod {

struct SegmentCount {
  Offset base;
  Offset end;                 // behind its last placed batch
  std::int64_t bytes = 0;     // of its batches
  std::int64_t records = 0;   // all, with those that are dead
  std::int64_t dead = 0;      // values that a newer record has replaced
  std::int64_t erasures = 0;  // tombstones and log starts
  UnixMillis first_time = kNoTimestamp;
  UnixMillis last_time = kNoTimestamp;
  std::int64_t dead_kept = 0;  // of the dead, those that a compaction had to keep
  // It holds no value that was dead when the log ended here; kNoOffset: it was not compacted by this process.
  Offset clean_upto = kNoOffset;
  UnixMillis cleaned_at = kNoTimestamp;
  bool refused = false;  // could not be rewritten: not tried again by this process

  bool exact = true;  // each of its records was applied

  bool all_newest() const { return dead == 0 && exact; }
};

class SegmentCounts {
 public:
  // The batch was placed in the segment with this base offset. In order.
  void placed(const BatchHeader& batch, Offset segment);

  // A record was applied; it is placed soon.
  void applied() { applied_ += applied_later_ ? 0 : 1; }

  // From now on what is placed is applied later, each record of it, if `later`: a follower's.
  void apply_later(bool later) {
    applied_later_ = later;
    applied_ = 0;
  }

  // A restart applies what it reads in windows, of one segment each, and in another order than that of the log: first
  // their batches are placed, then their changes are applied. `records`: of the batches that are placed.
  void begin_window(std::int64_t records) { applied_ = records; }
  // `records`: so many were to be applied.
  void end_window(std::int64_t records);

  // A segment whose batches are not placed, because a hint or a checkpoint speaks for them; behind all that are known.
  void restored(const SegmentCount& count);
  // That one has `records` more, and is so large and so old.
  void add_records(std::int64_t records) { segments_.back().records += records; }
  void describe(std::int64_t bytes, UnixMillis last_time);

  // The value at `offset` was replaced or erased. It may not be placed yet.
  void died(Offset offset);

  // The record at `offset`, perhaps not placed yet, erases one key or many.
  void erased_by(Offset offset);

  // Every record below `offset` is dead, erasures too; all of them are placed.
  void all_died_below(Offset offset);

  // Every record of the segments that end at or below `offset` is dead, erasures too.
  void segments_died_below(Offset offset);

  // From now on, deaths in [begin, end) are counted by died_in_range() too.
  void watch(Offset begin, Offset end);
  std::int64_t died_in_range() const { return died_in_range_; }

  // The segments that begin in [count.base, count.end) are now one.
  void replace(const SegmentCount& count);

  void refuse(Offset base);

  // Segments whose base offset is below `base` are gone.
  void drop_before(Offset base);

  const std::vector<SegmentCount>& all() const { return segments_; }  // by base offset
  std::size_t memory_bytes() const { return segments_.capacity() * sizeof(SegmentCount); }

 private:
  SegmentCount* segment_of(Offset offset);  // nullptr: gone
  void settle();

  std::vector<SegmentCount> segments_;
  Offset placed_end_ = kFirstOffset;
  std::int64_t applied_ = 0;  // and not yet placed
  bool applied_later_ = false;
  // Of records that are not placed yet. At most a batch's worth of them.
  std::vector<Offset> dead_early_;
  std::vector<Offset> erasing_early_;
  Offset watch_begin_ = kNoOffset;
  Offset watch_end_ = kNoOffset;
  std::int64_t died_in_range_ = 0;
};

}  // namespace minod
