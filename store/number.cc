#include "store/number.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace minod {

namespace {

// Redis's MAX_LONG_DOUBLE_CHARS: the largest long double has 4933 digits before the point.
constexpr std::size_t kRealTextMax = 5 * 1024;

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty()) return std::nullopt;
  if (digits[0] == '0') return text == "0" ? std::optional<std::int64_t>(0) : std::nullopt;
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<long double> parse_real(std::string_view text) {
  if (text.empty() || text.size() >= kRealTextMax || std::isspace(static_cast<unsigned char>(text[0]))) {
    return std::nullopt;
  }
  char terminated[kRealTextMax];
  *std::copy(text.begin(), text.end(), terminated) = '\0';
  char* end = nullptr;
  errno = 0;
  const long double value = std::strtold(terminated, &end);
  if (end != terminated + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

std::string real_text(long double value) {
  char text[kRealTextMax];
  const int size = std::snprintf(text, sizeof text, "%.17Lf", value);
  std::string_view shown(text, static_cast<std::size_t>(size));
  if (shown.find('.') != std::string_view::npos) {
    shown = shown.substr(0, shown.find_last_not_of('0') + 1);
    if (shown.ends_with('.')) shown.remove_suffix(1);
  }
  return std::string(shown == "-0" ? "0" : shown);
}

}  // namespace minod
