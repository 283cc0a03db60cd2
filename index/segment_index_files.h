// Kafka's .index and .timeindex of one segment, written when it is sealed. Formats and rules: docs/FORMAT.md, "Index
// files"; Kafka's own dump tool checks them against the segment. Neither is needed to start minod.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/batch.h"

namespace minod {

// Collects both files while a segment is filled.
class SegmentIndexFiles {
 public:
  explicit SegmentIndexFiles(Offset base) : base_(base) {}

  // The batch was placed at `position`. In order.
  void add(const BatchHeader& batch, FilePosition position);

  // The whole contents of the files, for a segment that gets no further batch. The time index ends with the entry of
  // the greatest timestamp, as Kafka's does after a roll.
  std::vector<std::byte> offset_index() const;
  std::vector<std::byte> time_index() const;

 private:
  struct OffsetEntry {
    std::int32_t relative_last_offset;
    std::int32_t position;
  };
  struct TimeEntry {
    std::int64_t timestamp;
    std::int32_t relative_last_offset;
  };
  Offset base_;
  std::int64_t bytes_since_entry_ = 0;
  TimeEntry greatest_{-1, 0};  // of all batches so far
  std::vector<OffsetEntry> offsets_;
  std::vector<TimeEntry> times_;
};

// Checks the contents of an .index and a .timeindex as Kafka's dump tool does: sizes, ascending entries, and each entry
// against the batches found in the segment. `batches` pairs each header with its position, in order. kCorrupt names the
// entry that is wrong.
struct PlacedBatch {
  BatchHeader header;
  FilePosition position;
};
Result<void> check_offset_index(Bytes contents, Offset base, const std::vector<PlacedBatch>& batches);
Result<void> check_time_index(Bytes contents, Offset base, const std::vector<PlacedBatch>& batches);

// The offset with the greatest timestamp before `time` that the time index of a segment names: no record up to there is
// as late as `time`. Nothing when it names none. Entries that do not ascend end the search.
std::optional<Offset> last_offset_before(Bytes time_index, Offset base, UnixMillis time);

}  // namespace minod
