#include "index/log_index.h"

#include <utility>

namespace minod {

void LogIndex::placed(const BatchHeader& batch, Offset segment, FilePosition position) {
  auto at = segments_.find(segment);
  if (at == segments_.end()) {
    at = segments_.emplace(segment, Entry{OffsetIndex(segment), SegmentIndexFiles(segment), FilePosition(0), 0}).first;
  }
  at->second.offsets.add(batch.base_offset, position);
  if (at->second.files) at->second.files->add(batch, position);
  at->second.end = position + ByteCount(batch.length);
}

std::optional<LogIndex::Place> LogIndex::find(Offset offset) const {
  auto after = segments_.upper_bound(offset);
  if (after == segments_.begin()) return std::nullopt;
  const auto& [segment, entry] = *std::prev(after);
  if (entry.offsets.empty()) return std::nullopt;
  const OffsetIndex::Span span = entry.offsets.find(offset, entry.end);
  return Place{segment, entry.generation, span.begin, span.end};
}

void LogIndex::replace(Offset end, OffsetIndex offsets, SegmentIndexFiles files, FilePosition file_end) {
  const Offset base = offsets.base();
  segments_.erase(segments_.lower_bound(base), segments_.lower_bound(end));
  segments_.emplace(base, Entry{std::move(offsets), std::move(files), file_end, ++generations_});
}

std::optional<SegmentIndexFiles> LogIndex::take_files(Offset segment) {
  const auto at = segments_.find(segment);
  if (at == segments_.end()) return std::nullopt;
  return std::exchange(at->second.files, std::nullopt);
}

void LogIndex::drop_before(Offset base) { segments_.erase(segments_.begin(), segments_.lower_bound(base)); }

std::size_t LogIndex::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [base, entry] : segments_) bytes += sizeof entry + entry.offsets.memory_bytes();
  return bytes;
}

}  // namespace minod
