// Which segments to compact next: pure, from what is known of each (index/segment_counts.h). The rules and the reasons
// for them: docs/adr/0012-compaction.md.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "base/ids.h"
#include "index/segment_counts.h"
#include "log/format.h"

namespace minod {

// What an operator may set. Names and meanings of the three times are Kafka's.
struct CompactionOptions {
  bool enabled = true;                                       // false: only when asked for
  int live_percent = 50;                                     // a segment below this share of live records is rewritten
  std::uint64_t bytes_per_second = std::uint64_t{32} << 20;  // read and written, together
  Millis min_lag{0};                                         // younger records are left alone
  Millis max_lag{std::numeric_limits<std::int64_t>::max()};  // older ones do not wait for the share
  Millis delete_retention{std::int64_t{24} * 3600 * 1000};   // what erases a key stays this long
};

// What the plan is made for.
struct CompactionRules {
  CompactionOptions options;
  UnixMillis now;
  Offset usable_end;    // segments that end above this are not sealed or not committed
  Offset replay_begin;  // Partition::replay_begin()
  // The counts are of all segments of the log. Of one that was never counted nothing is known: it may hold older
  // versions of anything.
  bool all_counted = false;
  std::int64_t segment_bytes = kSegmentBytesDefault;
  bool short_of_space = false;    // any garbage is worth it, and there is room for one segment only
  bool keep_erasures = false;     // they are never dropped
  Offset asked_upto = kNoOffset;  // somebody asked for what is below this to be compacted, whatever its share
};

struct CompactionPlan {
  Offset base;
  Offset end;
  friend bool operator==(const CompactionPlan&, const CompactionPlan&) = default;
};

// `segments`: all of a log, in order.
std::optional<CompactionPlan> plan_compaction(std::span<const SegmentCount> segments, const CompactionRules& rules);

// Erasures below this offset can go if they are old enough too: no segment before `base` holds an older version of
// their key. `log_end`: up to where deaths are known.
Offset erasures_end(std::span<const SegmentCount> segments, Offset base, Offset log_end);

// Records of this segment that a rewrite would drop, as far as is known.
std::int64_t garbage_of(std::span<const SegmentCount> segments, const SegmentCount& segment,
                        const CompactionRules& rules);

}  // namespace minod
