#include "base/size_text.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <utility>

namespace minod {

namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> kUnits{{{"", 1},
                                                                            {"b", 1},
                                                                            {"k", 1000},
                                                                            {"kb", 1024},
                                                                            {"m", 1000 * 1000},
                                                                            {"mb", 1024 * 1024},
                                                                            {"g", 1000 * 1000 * 1000},
                                                                            {"gb", 1024 * 1024 * 1024}}};

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit;
  for (const char* at = end; at != text.data() + text.size(); ++at) {
    unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*at)));
  }
  if (failure == std::errc()) {
    for (const auto& [name, factor] : kUnits) {
      std::uint64_t size = 0;
      if (unit == name && !__builtin_mul_overflow(number, factor, &size)) return size;
    }
  }
  return Error{Errc::kInvalid, 0, "'" + std::string(text) + "' is not a size; write 1048576, 1024kb, 1mb or 2gb"};
}

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < kNames.size()) {
    size /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.2f %s", size, kNames[unit]);
  return text;
}

}  // namespace minod
