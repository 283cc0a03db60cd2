// The seeds that a simulation test goes through: from 0, so that a failure repeats by itself, or from MINOD_SEED on.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace minod {

inline std::vector<std::uint64_t> seeds(std::size_t count) {
  const char* text = std::getenv("MINOD_SEED");
  std::vector<std::uint64_t> all(count);
  std::iota(all.begin(), all.end(), text == nullptr ? 0 : std::strtoull(text, nullptr, 10));
  return all;
}

}  // namespace minod
