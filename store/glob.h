// Patterns of KEYS, SCAN MATCH and CONFIG GET, with the meaning that Redis gives them: * ? [abc] [a-z] [^a] and
// \ before a character that stands for itself. Bytes, not letters; case counts.
#pragma once

#include <cstddef>
#include <string_view>

namespace minod {

// More character comparisons than this, and the text is taken not to match: a pattern with many stars must not hold up
// the shard.
inline constexpr std::size_t kGlobStepsMax = 1'000'000;

bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace minod
