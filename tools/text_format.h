// printf into a string that grows.
#pragma once

#include <cstdio>
#include <string>

namespace minod {

template <class... Arguments>
void append_format(std::string& out, const char* format, Arguments... arguments) {
  const int size = std::snprintf(nullptr, 0, format, arguments...);
  if (size <= 0) return;
  const std::size_t before = out.size();
  out.resize(before + static_cast<std::size_t>(size) + 1);
  std::snprintf(out.data() + before, static_cast<std::size_t>(size) + 1, format, arguments...);
  out.pop_back();
}

}  // namespace minod
