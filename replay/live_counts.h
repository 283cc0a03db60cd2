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
  std::vector<Offset> bases_;
  std::vector<std::int64_t> live_;
};

}  // namespace minod
