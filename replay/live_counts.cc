#include "replay/live_counts.h"

#include <algorithm>

namespace minod {

namespace {

constexpr std::size_t kBucketsMax = 8192;  // 32 KiB

}  // namespace

LiveCounts::LiveCounts(const std::vector<FoundSegment>& segments) : live_(segments.size()) {
  bases_.reserve(segments.size());
  for (const FoundSegment& segment : segments) bases_.push_back(segment.base);
  if (bases_.empty()) return;
  const auto span = static_cast<std::uint64_t>((bases_.back() - bases_.front()).value());
  while (span >> shift_ >= kBucketsMax) ++shift_;
  buckets_.resize(bucket_of(bases_.back()) + 1, kSeveral);
  for (std::size_t i = 0; i + 1 < bases_.size(); ++i) {
    // Those that lie in this segment whole.
    const std::size_t first = i == 0 ? 0 : bucket_of(bases_[i] - OffsetCount(1)) + 1;
    for (std::size_t at = first; at < bucket_of(bases_[i + 1]); ++at) buckets_[at] = static_cast<std::int32_t>(i);
  }
}

void LiveCounts::add(const std::vector<IndexChange>& changes, Offset end) {
  if (bases_.empty()) return;
  for (const IndexChange& change : changes) {
    const Offset offset = change.offset();
    if (offset >= end || offset < bases_.front()) continue;
    std::size_t segment = bases_.size() - 1;
    if (offset < bases_.back()) {
      const std::int32_t found = buckets_[bucket_of(offset)];
      segment = found != kSeveral
                    ? static_cast<std::size_t>(found)
                    : static_cast<std::size_t>(std::ranges::upper_bound(bases_, offset) - bases_.begin()) - 1;
    }
    ++live_[segment];
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
