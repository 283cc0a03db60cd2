// Numbers as the reports of minod-bench write them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace minod::bench {

template <class... Arguments>
void append_format(std::string& out, const char* format, Arguments... arguments) {
  const int size = std::snprintf(nullptr, 0, format, arguments...);
  if (size <= 0) return;
  const std::size_t before = out.size();
  out.resize(before + static_cast<std::size_t>(size) + 1);
  std::snprintf(out.data() + before, static_cast<std::size_t>(size) + 1, format, arguments...);
  out.pop_back();
}

// "87.3us", "1.25ms", "2.01s"
inline std::string duration_text(std::uint64_t nanoseconds) {
  const auto value = static_cast<double>(nanoseconds);
  std::string text;
  if (nanoseconds < 1'000'000) {
    append_format(text, "%.1fus", value / 1e3);
  } else if (nanoseconds < 1'000'000'000) {
    append_format(text, "%.2fms", value / 1e6);
  } else {
    append_format(text, "%.2fs", value / 1e9);
  }
  return text;
}

}  // namespace minod::bench
