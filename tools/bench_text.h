// Numbers as the reports of minod-bench write them.
#pragma once

#include <cstdint>
#include <string>

#include "tools/text_format.h"

namespace minod::bench {

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
