// Counts, by segment, the values that a checkpoint holds: what the segments that it spares have of live records.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "index/change_window.h"
#include "index/log_index.h"
#include "index/segment_counts.h"
#include "replay/change_source.h"

namespace minod {

class LiveCounts {
 public:
  explicit LiveCounts(const std::vector<FoundSegment>& segments);

  // Values of the checkpoint. Those from `end` on are read again, and counted then.
  void add(const std::vector<IndexChange>& changes, Offset end);

  // What compaction is to know of the segments with these `places`: estimates, since erasures are counted as dead and
  // nothing is known of the order in which the others died.
  SegmentCounts counts(const std::vector<SegmentPlaces>& places) const;

 private:
  static constexpr std::int32_t kSeveral = -1;

  std::size_t bucket_of(Offset offset) const {
    return static_cast<std::size_t>((offset - bases_.front()).value()) >> shift_;
  }

  std::vector<Offset> bases_;
  // The segment by the front of an offset, since its changes come in no order: a search for each would mispredict. Or
  // kSeveral.
  std::vector<std::int32_t> buckets_;
  int shift_ = 0;
  std::vector<std::int64_t> live_;
};

}  // namespace minod
