// Goes through what can happen to a small group: messages that are late, lost or reordered, crashes, elections at any
// moment, members that are dropped at any moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/cluster/protocol_world.h"

namespace minod {

struct ModelResult {
  std::size_t states = 0;
  std::size_t moves = 0;
  bool complete = false;            // nothing within the bounds was left out
  std::optional<std::string> lost;  // what went wrong, and the moves that led there
};

// Every state in turn, up to `states_max`, breadth first, so that what is found is the shortest way to it.
ModelResult search(const GroupOptions& options, const WorldBounds& bounds, std::size_t states_max);

// Moves at random, again and again from the start: less than every state, but deeper.
ModelResult walk(const GroupOptions& options, const WorldBounds& bounds, std::uint64_t seed, std::size_t moves_max);

}  // namespace minod
