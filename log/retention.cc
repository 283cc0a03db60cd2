#include "log/retention.h"

#include <algorithm>

namespace minod {

std::size_t count_to_drop(std::span<const RetainedSegment> segments, const RetentionRule& rule, UnixMillis now) {
  if (segments.empty()) return 0;
  const std::span<const RetainedSegment> sealed = segments.first(segments.size() - 1);
  std::size_t by_time = 0;
  while (rule.millis >= 0 && by_time < sealed.size() && (now - sealed[by_time].newest).value() > rule.millis) ++by_time;
  std::int64_t excess = -rule.bytes;
  for (const RetainedSegment& segment : segments) excess += segment.bytes;
  std::size_t by_bytes = 0;
  while (rule.bytes >= 0 && by_bytes < sealed.size() && excess >= sealed[by_bytes].bytes) {
    excess -= sealed[by_bytes].bytes;
    ++by_bytes;
  }
  return std::max(by_time, by_bytes);
}

}  // namespace minod
