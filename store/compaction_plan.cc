#include "store/compaction_plan.h"

#include <algorithm>

namespace minod {

namespace {

// Offsets of one segment: Kafka's indexes hold them in 31 bits.
constexpr std::int64_t kSpanMax = std::numeric_limits<std::int32_t>::max();

// A neighbour joins a rewrite when it is cheap to move; so many small ones in a row are worth a rewrite of their own.
constexpr std::int64_t kSmallShare = 4;
constexpr std::size_t kSmallRun = 8;

bool is_older(UnixMillis time, Millis age, UnixMillis now) {
  // A time that is not known counts as old; one in the future never does.
  return time <= now && time.value() <= now.value() - age.value();
}

class Planner {
 public:
  Planner(std::span<const SegmentCount> segments, const CompactionRules& rules) : segments_(segments), rules_(rules) {}

  std::optional<CompactionPlan> plan() const {
    const std::optional<std::size_t> victim = worst();
    if (!victim) return merge();
    return rules_.short_of_space ? CompactionPlan{segments_[*victim].base, segments_[*victim].end} : widened(*victim);
  }

 private:
  bool usable(const SegmentCount& segment) const {
    return segment.bytes > 0 && !segment.refused && segment.end <= rules_.usable_end &&
           is_older(segment.last_time, rules_.options.min_lag, rules_.now);
  }

  // In 1/1000.
  std::int64_t live_share(const SegmentCount& segment) const {
    if (segment.records == 0) return 0;
    return (segment.records - garbage_of(segments_, segment, rules_)) * 1000 / segment.records;
  }

  std::int64_t live_bytes(const SegmentCount& segment) const { return segment.bytes * live_share(segment) / 1000; }

  bool below_share(const SegmentCount& segment) const {
    return live_share(segment) < std::int64_t{rules_.options.live_percent} * 10;
  }

  bool is_victim(const SegmentCount& segment) const {
    if (!usable(segment) || segment.records == 0 || garbage_of(segments_, segment, rules_) == 0) return false;
    if (segment.base < rules_.asked_upto && segment.clean_upto < rules_.asked_upto) return true;
    if (!rules_.options.enabled) return false;
    const bool waited = rules_.options.max_lag.value() != std::numeric_limits<std::int64_t>::max() &&
                        is_older(std::max(segment.first_time, segment.cleaned_at), rules_.options.max_lag, rules_.now);
    return below_share(segment) || waited || rules_.short_of_space;
  }

  std::optional<std::size_t> worst() const {
    std::optional<std::size_t> found;
    std::int64_t least = 0;
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      if (!is_victim(segments_[i])) continue;
      const std::int64_t share = live_share(segments_[i]);
      if (found && share >= least) continue;
      found = i;
      least = share;
    }
    return found;
  }

  std::optional<CompactionPlan> merge() const {
    const auto first = small_run();
    if (!first || rules_.short_of_space || !rules_.options.enabled) return std::nullopt;
    const CompactionPlan plan = widened(*first);
    if (plan == CompactionPlan{segments_[*first].base, segments_[*first].end}) return std::nullopt;  // none fits it
    return plan;
  }

  bool is_small(const SegmentCount& segment) const {
    return usable(segment) && live_bytes(segment) <= rules_.segment_bytes / kSmallShare / 2;
  }

  std::optional<std::size_t> small_run() const {
    std::size_t length = 0;
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      length = is_small(segments_[i]) ? length + 1 : 0;
      if (length == kSmallRun) return i + 1 - kSmallRun;
    }
    return std::nullopt;
  }

  bool joins(const SegmentCount& segment) const {
    return usable(segment) && (live_bytes(segment) <= rules_.segment_bytes / kSmallShare || is_victim(segment));
  }

  // With the neighbours that are cheap to move, as far as the limits of one segment go. Bytes of the sources bound
  // those of the result; the live ones are only an estimate.
  CompactionPlan widened(std::size_t victim) const {
    std::size_t first = victim;
    std::size_t last = victim;
    std::int64_t live = live_bytes(segments_[victim]);
    std::int64_t bytes = segments_[victim].bytes;
    const auto fits = [&](const SegmentCount& segment, Offset base, Offset end) {
      return joins(segment) && live + live_bytes(segment) <= rules_.segment_bytes &&
             bytes + segment.bytes <= kSegmentBytesMax && (end - base).value() <= kSpanMax;
    };
    const auto add = [&](const SegmentCount& segment) {
      live += live_bytes(segment);
      bytes += segment.bytes;
    };
    while (first > 0 && fits(segments_[first - 1], segments_[first - 1].base, segments_[last].end)) {
      add(segments_[--first]);
    }
    while (last + 1 < segments_.size() && fits(segments_[last + 1], segments_[first].base, segments_[last + 1].end)) {
      add(segments_[++last]);
    }
    return CompactionPlan{segments_[first].base, segments_[last].end};
  }

  std::span<const SegmentCount> segments_;
  const CompactionRules& rules_;
};

}  // namespace

Offset erasures_end(std::span<const SegmentCount> segments, Offset base, Offset log_end) {
  Offset end = log_end;
  for (const SegmentCount& segment : segments) {
    if (segment.base >= base) break;
    if (!segment.all_newest()) end = std::min(end, segment.clean_upto);
  }
  return end;
}

std::int64_t garbage_of(std::span<const SegmentCount> segments, const SegmentCount& segment,
                        const CompactionRules& rules) {
  std::int64_t garbage = segment.dead - segment.dead_kept;
  const bool old = is_older(segment.last_time, rules.options.delete_retention, rules.now);
  if (rules.all_counted && !rules.keep_erasures && segment.erasures > 0 && old && segment.end <= rules.replay_begin &&
      segment.end <= erasures_end(segments, segment.base, segment.end)) {
    garbage += segment.erasures;
  }
  return std::clamp<std::int64_t>(garbage, 0, segment.records);
}

std::optional<CompactionPlan> plan_compaction(std::span<const SegmentCount> segments, const CompactionRules& rules) {
  return Planner(segments, rules).plan();
}

}  // namespace minod
