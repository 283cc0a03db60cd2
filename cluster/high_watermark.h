// How far a log is committed: every record below is on the disk of every member that counts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/ids.h"

namespace minod {

// `durable`: the ends of the members that count, the leader's among them. `in_force`: how many members the set in force
// has; below `least` nothing more is committed. Never goes back from `now`.
inline Offset high_watermark(std::span<const Offset> durable, std::size_t in_force, std::size_t least, Offset now) {
  if (durable.empty() || in_force < least) return now;
  return std::max(now, *std::ranges::min_element(durable));
}

}  // namespace minod
