// Which seeds a test goes through, and how much a long one takes of what it could go through.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace minod {

// For tests that are too slow for a sanitizer. MINOD_TEST_SHARE is what a preset takes of the whole, in percent: all of
// it by default. A test that counts what its seeds have shown needs them all.
inline std::size_t share_of(std::size_t whole) {
  const char* text = std::getenv("MINOD_TEST_SHARE");
  const std::size_t percent = text == nullptr ? 100 : std::strtoull(text, nullptr, 10);
  return std::max<std::size_t>(1, whole * percent / 100);
}

// The seeds of a simulation test: from 0, so that a failure repeats by itself, or from MINOD_SEED on; MINOD_SEED_COUNT
// of them when it is set.
inline std::vector<std::uint64_t> seeds(std::size_t whole) {
  const char* text = std::getenv("MINOD_SEED");
  const char* count = std::getenv("MINOD_SEED_COUNT");
  std::vector<std::uint64_t> all(count == nullptr ? whole : std::strtoull(count, nullptr, 10));
  std::iota(all.begin(), all.end(), text == nullptr ? 0 : std::strtoull(text, nullptr, 10));
  return all;
}

}  // namespace minod
