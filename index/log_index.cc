#include "index/log_index.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace minod {

void LogIndex::placed(const BatchHeader& batch, Offset segment, FilePosition position) {
  auto at = segments_.find(segment);
  if (at == segments_.end()) {
    at = segments_.emplace(segment, Entry{OffsetIndex(segment), SegmentIndexFiles(segment), FilePosition(0), {}}).first;
  }
  at->second.offsets.add(batch.base_offset, position);
  if (at->second.files) at->second.files->add(batch, position);
  at->second.end = position + ByteCount(batch.length);
  at->second.last = {position, batch.next_offset(), batch.epoch, batch.crc};
  at->second.records += batch.record_count;
  at->second.last_time = std::max(at->second.last_time, batch.max_timestamp);
}

std::vector<SegmentPlaces> LogIndex::places(Offset first) const {
  std::vector<SegmentPlaces> all;
  for (auto next = next_places(first); next; next = next_places(all.back().segment + OffsetCount(1))) {
    all.push_back(std::move(*next));
  }
  return all;
}

std::optional<SegmentPlaces> LogIndex::next_places(Offset base) const {
  const auto at = segments_.lower_bound(base);
  if (at == segments_.end()) return std::nullopt;
  const Entry& entry = at->second;
  return SegmentPlaces{at->first, entry.end, entry.last, entry.records, entry.last_time, entry.offsets.entries()};
}

void LogIndex::restore(SegmentPlaces places) {
  Entry entry{OffsetIndex(places.segment), std::nullopt, places.end, places.last, places.records, places.last_time};
  entry.offsets.restore(std::move(places.entries));
  segments_.insert_or_assign(places.segment, std::move(entry));
}

std::optional<LogIndex::Place> LogIndex::find(Offset offset) const {
  auto after = segments_.upper_bound(offset);
  if (after == segments_.begin()) return std::nullopt;
  const auto& [segment, entry] = *std::prev(after);
  if (entry.offsets.empty()) return std::nullopt;
  const OffsetIndex::Span span = entry.offsets.find(offset, entry.end);
  return Place{segment, entry.generation, span.begin, span.end};
}

void LogIndex::replace(Offset base, Offset end, LogIndex rewritten) {
  check(rewritten.segments_.size() == 1 && rewritten.segments_.begin()->first == base, "one segment is rewritten");
  segments_.erase(segments_.lower_bound(base), segments_.lower_bound(end));
  Entry& entry = segments_.emplace(base, std::move(rewritten.segments_.begin()->second)).first->second;
  entry.generation = ++generations_;
}

std::optional<SegmentIndexFiles> LogIndex::take_files(Offset segment) {
  const auto at = segments_.find(segment);
  if (at == segments_.end()) return std::nullopt;
  return std::exchange(at->second.files, std::nullopt);
}

UnixMillis LogIndex::last_time(Offset segment) const {
  const auto at = segments_.find(segment);
  return at == segments_.end() ? UnixMillis(0) : at->second.last_time;
}

void LogIndex::drop_before(Offset base) { segments_.erase(segments_.begin(), segments_.lower_bound(base)); }

std::size_t LogIndex::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [base, entry] : segments_) bytes += sizeof entry + entry.offsets.memory_bytes();
  return bytes;
}

}  // namespace minod
