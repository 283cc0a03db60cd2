// Numbers as Redis reads and writes them in values and arguments. Stricter than the C library: what is read as an
// integer is exactly what integer formatting would print.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace minod {

// No spaces, no plus sign, no leading zeros, no "-0"; within int64.
std::optional<std::int64_t> parse_integer(std::string_view text);

// What strtold accepts without leading space, "inf" and hexadecimal included; NaN and out-of-range numbers refused.
std::optional<long double> parse_real(std::string_view text);

// Fixed notation, at most 17 digits behind the point, no trailing zeros: "3.5", "200", "0".
std::string real_text(long double value);

}  // namespace minod
