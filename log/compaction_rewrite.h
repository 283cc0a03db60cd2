// Writes neighbouring sealed segments of one log again as one, without the records that somebody says are dead. In
// slices, so that a caller can spread the work and judge each record in between: read_slice() - judge - write_slice(),
// until read_slice() finds nothing more; then finish(). The result is the file <base>.cleaned, which means nothing
// until compaction_swap.h puts it in place.
//
// Blocking: used by jobs, one call at a time. Memory: one slice, or the largest batch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/compaction_batches.h"
#include "log/disk.h"
#include "log/reader.h"

namespace minod {

struct RewriteSource {
  Offset base;
  std::shared_ptr<File> file;
};

// A record of the slice, to be judged. `view` is valid until the next read_slice().
struct RewriteRecord {
  enum class Kind : std::uint8_t {
    kValue,
    kTombstone,
    kLogStart,  // every record below `log_start` is gone
    kOther,     // has no key, or is Kafka's: always kept
  };
  RecordView view;
  Kind kind = Kind::kOther;
  Offset log_start = kNoOffset;
  bool keep = true;
};

struct RewriteCounts {
  std::int64_t source_bytes = 0;  // read so far
  std::int64_t bytes = 0;         // written so far
  std::int64_t records = 0;       // kept
  std::int64_t erasures = 0;      // of these, tombstones and log starts
  std::int64_t dead_records = 0;  // of these, judged dead but part of a batch that is kept as a whole
  std::int64_t records_dropped = 0;
  std::int64_t erasures_dropped = 0;
  UnixMillis first_time = kNoTimestamp;  // of what was kept
  UnixMillis last_time = kNoTimestamp;
};

class SegmentRewrite {
 public:
  // Called from write_slice() and finish() for each batch of the new segment, in order.
  using Placed = std::function<void(const BatchHeader&, FilePosition)>;

  // `sources` follow one another and end at `end`. `directory` is theirs.
  SegmentRewrite(Disk& disk, std::string directory, std::vector<RewriteSource> sources, Offset end, bool compress,
                 Placed placed);

  // The next batches, about `size` bytes of them and at least one; false: there are no more. kCorrupt: a source is not
  // what it was when it was sealed.
  Result<bool> read_slice(std::int64_t size);
  std::vector<RewriteRecord>& records() { return records_; }
  Offset read_upto() const { return reader_ ? reader_->expected() : sources_.front().base; }

  // Appends what is kept of the slice. kNoSpace: the disk is full. kTooLarge: positions would not fit an index file.
  Result<void> write_slice();

  // Ends the new segment and makes its bytes durable.
  Result<void> finish();

  // Removes what was written; for a rewrite that is given up.
  Result<void> discard();

  const RewriteCounts& counts() const { return counts_; }
  Offset base() const { return sources_.front().base; }
  Offset end() const { return end_; }
  FilePosition file_end() const { return FilePosition(counts_.bytes); }

 private:
  struct SliceBatch {
    std::vector<std::byte> bytes;    // the whole batch
    std::vector<std::byte> records;  // decompressed; empty when they stand in `bytes`
    std::size_t record_count = 0;
  };

  Result<void> take(const BatchView& batch);
  void write_batch(const BatchView& batch, std::size_t first, std::size_t record_count);
  void count(const RewriteRecord& record);
  void append(const BatchHeader& header, Bytes batch);
  Result<void> write_out(std::size_t size);

  Disk& disk_;
  std::string directory_;
  std::vector<RewriteSource> sources_;
  Offset end_;
  Placed placed_;
  CompactedBatches batches_;
  Decompressor decompressor_;
  std::unique_ptr<SegmentReader> reader_;
  std::size_t source_ = 0;  // which one reader_ reads
  std::vector<SliceBatch> slice_;
  std::vector<RewriteRecord> records_;
  std::unique_ptr<File> file_;
  std::vector<std::byte> pending_;  // not yet written
  std::int64_t written_ = 0;
  bool too_large_ = false;
  RewriteCounts counts_;
};

}  // namespace minod
