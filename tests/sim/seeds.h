// The seeds that a simulation test goes through: from 0, so that a failure repeats by itself, or from MINOD_SEED on.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <ranges>

namespace minod {

inline auto seeds(std::uint64_t count) {
  const char* text = std::getenv("MINOD_SEED");
  const std::uint64_t first = text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
  return std::views::iota(first, first + count);
}

}  // namespace minod
