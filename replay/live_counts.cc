#include "replay/live_counts.h"

#include <algorithm>

namespace minod {

LiveCounts::LiveCounts(const std::vector<FoundSegment>& segments) : live_(segments.size()) {
  bases_.reserve(segments.size());
  for (const FoundSegment& segment : segments) bases_.push_back(segment.base);
}

void LiveCounts::add(const std::vector<IndexChange>& changes, Offset end) {
  for (const IndexChange& change : changes) {
    if (change.offset() >= end) continue;
    const auto after = std::ranges::upper_bound(bases_, change.offset());
    if (after != bases_.begin()) ++live_[static_cast<std::size_t>(after - bases_.begin()) - 1];
  }
}

SegmentCounts LiveCounts::counts(const std::vector<SegmentPlaces>& places) const {
  SegmentCounts counts;
  for (const SegmentPlaces& of : places) {
    SegmentCount count{.base = of.segment, .end = of.last.next};
    count.bytes = of.end.value();
    count.records = of.records;
    count.last_time = of.last_time;
    const auto at = std::ranges::lower_bound(bases_, of.segment);
    const std::int64_t live = at == bases_.end() ? 0 : live_[static_cast<std::size_t>(at - bases_.begin())];
    count.dead = std::max<std::int64_t>(0, of.records - live);
    counts.restored(count);
  }
  return counts;
}

}  // namespace minod
