#include "net/option_kind.h"

#include "base/size_text.h"
#include "store/number.h"

namespace minod::option {

namespace {

// "64mb" where that is exact, else the number: what parse_size() reads.
std::string exact_size(std::uint64_t bytes) {
  constexpr std::array<std::pair<int, const char*>, 3> kUnits{{{30, "gb"}, {20, "mb"}, {10, "kb"}}};
  for (const auto& [shift, unit] : kUnits) {
    if (bytes != 0 && bytes % (std::uint64_t{1} << shift) == 0) return std::to_string(bytes >> shift) + unit;
  }
  return std::to_string(bytes);
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Error refused(std::string_view name, const std::string& accepted, std::string_view value) {
  return Error{Errc::kInvalid, 0, std::string(name) + " must be " + accepted + ", not '" + std::string(value) + "'"};
}

Result<std::int64_t> parse_number(std::string_view name, std::string_view value, std::int64_t low, std::int64_t high) {
  const auto number = parse_integer(value);
  if (number && *number >= low && *number <= high) return *number;
  return refused(name, "from " + std::to_string(low) + " to " + std::to_string(high), value);
}

Result<std::uint64_t> parse_size_between(std::string_view name, std::string_view value, std::uint64_t low,
                                         std::uint64_t high) {
  const auto size = parse_size(value);
  if (!size) return Error{Errc::kInvalid, 0, std::string(name) + ": " + size.error().detail};
  if (*size >= low && *size <= high) return *size;
  return refused(name, "from " + exact_size(low) + " to " + exact_size(high), value);
}

}  // namespace minod::option
