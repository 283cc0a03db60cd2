#include "index/segment_index_files.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/check.h"
#include "base/endian.h"
#include "log/format.h"

namespace minod {
namespace {

constexpr std::size_t kOffsetEntrySize = 8;
constexpr std::size_t kTimeEntrySize = 12;

std::int32_t narrow(std::int64_t value) {
  check(value >= 0 && value <= std::numeric_limits<std::int32_t>::max(), "a segment's offsets and bytes fit int32");
  return static_cast<std::int32_t>(value);
}

Error corrupt(const char* file, std::size_t entry, const char* what) {
  return {Errc::kCorrupt, 0, std::string(file) + " entry " + std::to_string(entry) + ": " + what};
}

// -1 is Kafka's "no timestamp", which gets no entry.
std::int64_t last_time(const auto& entries) { return entries.empty() ? -1 : entries.back().timestamp; }

// The batch with this last offset. A cursor would do for ascending entries; a search also serves damaged ones.
const PlacedBatch* batch_ending_at(Offset last, const std::vector<PlacedBatch>& batches) {
  const auto at = std::lower_bound(batches.begin(), batches.end(), last, [](const PlacedBatch& batch, Offset wanted) {
    return batch.header.last_offset() < wanted;
  });
  return at != batches.end() && at->header.last_offset() == last ? &*at : nullptr;
}

}  // namespace

void SegmentIndexFiles::add(const BatchHeader& batch, FilePosition position) {
  const std::int32_t relative_last = narrow((batch.last_offset() - base_).value());
  if (batch.max_timestamp.value() > greatest_.timestamp) greatest_ = {batch.max_timestamp.value(), relative_last};
  // As Kafka: more than the interval since the last entry, the batch itself not counted. So the first gets none.
  if (bytes_since_entry_ > kIndexIntervalBytes) {
    offsets_.push_back({relative_last, narrow(position.value())});
    if (greatest_.timestamp > last_time(times_)) times_.push_back(greatest_);
    bytes_since_entry_ = 0;
  }
  bytes_since_entry_ += batch.length;
}

std::vector<std::byte> SegmentIndexFiles::offset_index() const {
  std::vector<std::byte> contents(offsets_.size() * kOffsetEntrySize);
  std::byte* at = contents.data();
  for (const OffsetEntry& entry : offsets_) {
    store_big(at, entry.relative_last_offset);
    store_big(at + 4, entry.position);
    at += kOffsetEntrySize;
  }
  return contents;
}

std::vector<std::byte> SegmentIndexFiles::time_index() const {
  std::vector<TimeEntry> entries = times_;
  if (greatest_.timestamp > last_time(entries)) entries.push_back(greatest_);
  std::vector<std::byte> contents(entries.size() * kTimeEntrySize);
  std::byte* at = contents.data();
  for (const TimeEntry& entry : entries) {
    store_big(at, entry.timestamp);
    store_big(at + 8, entry.relative_last_offset);
    at += kTimeEntrySize;
  }
  return contents;
}

Result<void> check_offset_index(Bytes contents, Offset base, const std::vector<PlacedBatch>& batches) {
  constexpr const char* kFile = "offset index";
  const std::size_t count = contents.size() / kOffsetEntrySize;
  if (contents.size() % kOffsetEntrySize != 0) return corrupt(kFile, count, "cut short");
  std::int32_t offset_before = -1;
  std::int32_t position_before = -1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* at = contents.data() + i * kOffsetEntrySize;
    const auto relative = load_big<std::int32_t>(at);
    const auto position = load_big<std::int32_t>(at + 4);
    if (relative <= offset_before) return corrupt(kFile, i, "its offset does not ascend");
    if (position <= position_before) return corrupt(kFile, i, "its position does not ascend");
    const PlacedBatch* batch = batch_ending_at(base + OffsetCount(relative), batches);
    if (batch == nullptr) return corrupt(kFile, i, "no batch ends with its offset");
    if (batch->position != FilePosition(position)) return corrupt(kFile, i, "its batch does not start at its position");
    offset_before = relative;
    position_before = position;
  }
  return {};
}

Result<void> check_time_index(Bytes contents, Offset base, const std::vector<PlacedBatch>& batches) {
  constexpr const char* kFile = "time index";
  const std::size_t count = contents.size() / kTimeEntrySize;
  if (contents.size() % kTimeEntrySize != 0) return corrupt(kFile, count, "cut short");
  std::int64_t time_before = -1;
  std::int32_t offset_before = -1;
  std::int64_t greatest = -1;  // of the batches before `next`
  auto next = batches.begin();
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* at = contents.data() + i * kTimeEntrySize;
    const auto time = load_big<std::int64_t>(at);
    const auto relative = load_big<std::int32_t>(at + 8);
    if (time <= time_before) return corrupt(kFile, i, "its timestamp does not ascend");
    if (relative <= offset_before) return corrupt(kFile, i, "its offset does not ascend");
    const Offset last = base + OffsetCount(relative);
    for (; next != batches.end() && next->header.last_offset() < last; ++next) {
      greatest = std::max(greatest, next->header.max_timestamp.value());
    }
    if (next == batches.end() || next->header.last_offset() != last) {
      return corrupt(kFile, i, "no batch ends with its offset");
    }
    if (next->header.max_timestamp.value() != time) return corrupt(kFile, i, "its batch has another timestamp");
    if (greatest >= time) return corrupt(kFile, i, "an earlier batch has a timestamp as great");
    time_before = time;
    offset_before = relative;
  }
  return {};
}

std::optional<Offset> last_offset_before(Bytes time_index, Offset base, UnixMillis time) {
  std::optional<Offset> found;
  std::int64_t time_before = -1;
  for (; time_index.size() >= kTimeEntrySize; time_index = time_index.subspan(kTimeEntrySize)) {
    const auto entry_time = load_big<std::int64_t>(time_index.data());
    const auto relative = load_big<std::int32_t>(time_index.data() + 8);
    if (entry_time <= time_before || relative < 0 || entry_time >= time.value()) break;
    time_before = entry_time;
    found = base + OffsetCount(relative);
  }
  return found;
}

}  // namespace minod
