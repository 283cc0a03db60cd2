#include "log/segment_name.h"

#include <charconv>

#include "base/check.h"

namespace minod {

namespace {

constexpr std::size_t kDigits = 20;

}  // namespace

std::string segment_name(Offset base, std::string_view suffix) {
  check(base >= kFirstOffset, "a segment's base offset is not negative");
  const std::string digits = std::to_string(base.value());
  std::string name(kDigits - digits.size(), '0');
  name += digits;
  name += suffix;
  return name;
}

std::optional<Offset> parse_segment_name(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  if (name.front() == '-') return std::nullopt;
  std::int64_t base = 0;
  const char* const digits_end = name.data() + kDigits;
  const auto [end, failure] = std::from_chars(name.data(), digits_end, base);
  if (failure != std::errc() || end != digits_end) return std::nullopt;
  return Offset(base);
}

}  // namespace minod
