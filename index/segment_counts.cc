#include "index/segment_counts.h"

#include <algorithm>

#include "base/check.h"

namespace minod {

void SegmentCounts::placed(const BatchHeader& batch, Offset segment) {
  if (segments_.empty() || segments_.back().base < segment) {
    segments_.push_back(SegmentCount{});
    segments_.back().base = segment;
    segments_.back().first_time = batch.max_timestamp;
  }
  SegmentCount& count = segments_.back();
  count.end = batch.next_offset();
  count.bytes += batch.length;
  count.records += batch.record_count;
  if (count.first_time == kNoTimestamp) count.first_time = batch.base_timestamp;
  count.last_time = std::max(count.last_time, batch.max_timestamp);
  placed_end_ = count.end;
  if (!batch.is_control() && !applied_later_) {
    applied_ -= batch.record_count;
    count.exact = count.exact && applied_ >= 0;
    applied_ = std::max<std::int64_t>(applied_, 0);
  }
  if (!dead_early_.empty() || !erasing_early_.empty()) settle();
}

void SegmentCounts::end_window(std::int64_t records) {
  if (!segments_.empty() && applied_ < records) segments_.back().exact = false;
  applied_ = 0;
}

void SegmentCounts::restored(const SegmentCount& count) {
  check(segments_.empty() || segments_.back().base < count.base, "segments are restored in order");
  segments_.push_back(count);
  segments_.back().exact = false;
  placed_end_ = std::max(placed_end_, count.end);
}

void SegmentCounts::describe(std::int64_t bytes, UnixMillis last_time) {
  segments_.back().bytes = bytes;
  segments_.back().last_time = last_time;
}

void SegmentCounts::settle() {
  std::erase_if(dead_early_, [this](Offset offset) {
    if (offset >= placed_end_) return false;
    if (SegmentCount* const segment = segment_of(offset)) ++segment->dead;
    return true;
  });
  std::erase_if(erasing_early_, [this](Offset offset) {
    if (offset >= placed_end_) return false;
    if (SegmentCount* const segment = segment_of(offset)) ++segment->erasures;
    return true;
  });
}

SegmentCount* SegmentCounts::segment_of(Offset offset) {
  if (!segments_.empty() && offset >= segments_.back().base) return &segments_.back();
  const auto after = std::ranges::upper_bound(segments_, offset, {}, &SegmentCount::base);
  return after == segments_.begin() ? nullptr : &*std::prev(after);
}

void SegmentCounts::died(Offset offset) {
  if (offset >= watch_begin_ && offset < watch_end_) ++died_in_range_;
  if (offset >= placed_end_) {
    dead_early_.push_back(offset);
  } else if (SegmentCount* const segment = segment_of(offset)) {
    ++segment->dead;
  }
}

void SegmentCounts::erased_by(Offset offset) {
  if (offset >= placed_end_) {
    erasing_early_.push_back(offset);
  } else if (SegmentCount* const segment = segment_of(offset)) {
    ++segment->erasures;
  }
}

void SegmentCounts::all_died_below(Offset offset) {
  for (SegmentCount& segment : segments_) {
    if (segment.base >= offset) break;
    segment.dead = segment.records;
    segment.erasures = 0;
  }
  std::erase_if(dead_early_, [&](Offset early) { return early < offset; });
  std::erase_if(erasing_early_, [&](Offset early) { return early < offset; });
}

void SegmentCounts::segments_died_below(Offset offset) {
  for (SegmentCount& segment : segments_) {
    if (segment.end > offset) break;
    segment.dead = segment.records;
    segment.erasures = 0;
  }
}

void SegmentCounts::watch(Offset begin, Offset end) {
  if (begin != watch_begin_ || end < watch_end_) died_in_range_ = 0;
  watch_begin_ = begin;
  watch_end_ = end;
}

void SegmentCounts::replace(const SegmentCount& count) {
  const auto first = std::ranges::lower_bound(segments_, count.base, {}, &SegmentCount::base);
  const auto last = std::ranges::lower_bound(segments_, count.end, {}, &SegmentCount::base);
  const auto at = segments_.erase(first, last);
  segments_.insert(at, count);
}

void SegmentCounts::refuse(Offset base) {
  if (SegmentCount* const segment = segment_of(base)) segment->refused = true;
}

void SegmentCounts::drop_before(Offset base) {
  std::erase_if(segments_, [&](const SegmentCount& segment) { return segment.base < base; });
}

}  // namespace minod
