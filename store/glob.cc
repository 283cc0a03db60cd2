#include "store/glob.h"

namespace minod {

namespace {

// A class starts behind its '['. A class that is never closed ends with the pattern, as in Redis, and a '-' takes
// whatever follows it as the range's end, even ']'.
bool class_matches(std::string_view pattern, std::size_t& at, unsigned char c) {
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  while (at < pattern.size()) {
    const std::size_t left = pattern.size() - at;
    if (pattern[at] == '\\' && left >= 2) {
      ++at;
      if (static_cast<unsigned char>(pattern[at]) == c) found = true;
    } else if (pattern[at] == ']') {
      ++at;
      break;
    } else if (left >= 3 && pattern[at + 1] == '-') {
      const auto low = static_cast<unsigned char>(pattern[at]);
      const auto high = static_cast<unsigned char>(pattern[at + 2]);
      at += 2;
      if ((low <= c && c <= high) || (high <= c && c <= low)) found = true;
    } else if (static_cast<unsigned char>(pattern[at]) == c) {
      found = true;
    }
    ++at;
  }
  return found != negated;
}

// One element of the pattern other than a star, against one character; `at` moves behind the element.
bool element_matches(std::string_view pattern, std::size_t& at, char c) {
  const char element = pattern[at++];
  if (element == '?') return true;
  if (element == '[') return class_matches(pattern, at, static_cast<unsigned char>(c));
  if (element == '\\' && at < pattern.size()) return pattern[at++] == c;
  return element == c;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  // Redis's commands take a lone star as "all" before they match, but its matcher lets no other pattern match an empty
  // text.
  if (pattern == "*") return true;
  if (text.empty()) return pattern.empty();

  constexpr std::size_t kNoStar = std::string_view::npos;
  std::size_t behind_star = kNoStar;  // only the last star needs to be tried again: the ones before took the least
  std::size_t star_text = 0;
  std::size_t at = 0;
  std::size_t i = 0;
  std::size_t steps = 0;
  while (i < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      behind_star = ++at;
      star_text = i;
      continue;
    }
    const std::size_t element = at;
    if (at < pattern.size() && element_matches(pattern, at, text[i])) {
      ++i;
    } else {
      if (behind_star == kNoStar) return false;
      if (behind_star == pattern.size()) return true;
      at = behind_star;
      i = ++star_text;
    }
    steps += at > element ? at - element : 1;
    if (steps > kGlobStepsMax) return false;
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace minod
