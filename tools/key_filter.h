// Which keys a tool is asked for: --prefix and --match together.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/glob.h"

namespace minod {

struct KeyFilter {
  std::string prefix;
  std::optional<std::string> match;

  bool all() const { return prefix.empty() && !match; }
  bool takes(std::string_view key) const { return key.starts_with(prefix) && (!match || glob_matches(*match, key)); }
};

}  // namespace minod
