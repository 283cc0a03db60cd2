// Goes through a partition's log in order and shows what stands there; minod may be running on it. Tools and
// point-in-time copies stand on this; a restart has its own reader (replay/recovery.h), since it also repairs.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/batch.h"
#include "log/compression.h"
#include "log/disk.h"
#include "log/reader.h"
#include "replay/log_damage.h"
#include "replay/segment_list.h"

namespace minod {

// Offsets from `from` up to but without `until`.
struct LogRange {
  Offset from = kFirstOffset;
  Offset until{std::numeric_limits<std::int64_t>::max()};

  bool holds(Offset offset) const { return offset >= from && offset < until; }
};

enum class BatchChoice : std::uint8_t { kRecords, kSkip, kStop };

// What is called, in the order of the log; each may be left out. Views last for the call.
struct LogVisitor {
  std::function<void(const LogSegment&)> segment;  // before its batches
  // A batch that has offsets of the range. Without this function, every batch's records are shown.
  std::function<BatchChoice(const LogSegment&, FilePosition, const BatchView&)> batch;
  std::function<bool(const BatchHeader&, const RecordView&)> record;  // of the range; false ends the walk
  std::function<bool(const LogDamage&)> damage;                       // false ends the walk; it goes on behind it
};

class LogWalk {
 public:
  LogWalk(Disk& disk, LogRange range, LogVisitor visitor) : disk_(disk), range_(range), visitor_(std::move(visitor)) {}

  // Walks `segments`, as list_segments() gave them or one of them. `clean_end`: as read_clean_end() says. Errors are
  // those of the disk; damage is not one. Without visitor.damage, a torn write ends the walk and damage is the error
  // kCorrupt. Blocking.
  Result<void> run(const std::vector<LogSegment>& segments, std::optional<Offset> clean_end);

  Offset end() const { return expected_; }  // behind the last record that was seen, or passed over

 private:
  Result<void> read_segment(const std::vector<LogSegment>& segments, std::size_t i);
  Result<void> show(const LogSegment& segment, FilePosition position, const BatchView& batch, FilePosition behind);
  bool ends_at_a_later_one(const std::vector<LogSegment>& segments, std::size_t i) const;
  Result<bool> resolve(File& file, const std::vector<LogSegment>& segments, std::size_t i, FilePosition& position,
                       const Error& reason);
  Result<bool> is_torn(const std::vector<LogSegment>& segments, std::size_t i, FilePosition position);
  Result<void> report(const LogDamage& damage);

  Disk& disk_;
  LogRange range_;
  LogVisitor visitor_;
  Decompressor decompressor_;
  std::optional<Offset> clean_end_;
  Offset expected_;
  Epoch epoch_;
  bool stopped_ = false;
  bool lost_ = false;  // the segment before ended in damage
};

// The offset that a log-start record names: every record below it is gone. Nothing for other control records.
std::optional<Offset> log_start_of(const RecordView& control_record);

// "data/db0-0/….log at 4096 (offset 17): …", with the CRCs, the next batch and the bytes skipped.
std::string damage_text(const LogDamage& damage);

}  // namespace minod
