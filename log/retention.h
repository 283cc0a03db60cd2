// Which segments of a plain topic's log have lived long enough: Kafka's retention.bytes and retention.ms. Pure.
#pragma once

#include <cstdint>
#include <span>

#include "base/ids.h"

namespace minod {

struct RetentionRule {
  std::int64_t bytes = -1;   // retention.bytes; negative: no limit
  std::int64_t millis = -1;  // retention.ms; negative: no limit
};

struct RetainedSegment {
  Offset base;
  std::int64_t bytes = 0;
  UnixMillis newest;  // its greatest timestamp
};

// How many of the oldest segments go. `segments` are in order, the last is the active one, which never goes. By time,
// those go whose newest record is older than the limit, up to the first that is not; by bytes, as many as leave the log
// no smaller than its limit (so it may be larger by less than a segment).
std::size_t count_to_drop(std::span<const RetainedSegment> segments, const RetentionRule& rule, UnixMillis now);

}  // namespace minod
