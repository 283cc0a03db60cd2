// Arguments that several commands read alike. Each function replies the error itself and then returns nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "store/call.h"

namespace minod {

inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kSameObjectError = "ERR source and destination objects are the same";

// Whether the argument is this option; `word` is in capitals.
bool is_word(std::string_view argument, std::string_view word);

std::optional<std::int64_t> integer_argument(Call& call, std::size_t i);

std::optional<int> database_argument(Call& call, std::size_t i);

// How a command spells a point in time.
struct TimeForm {
  std::int64_t unit_ms = 1000;
  bool from_now = true;
};

inline constexpr TimeForm kSecondsFromNow{1000, true};
inline constexpr TimeForm kMillisFromNow{1, true};
inline constexpr TimeForm kUnixSeconds{1000, false};
inline constexpr TimeForm kUnixMillis{1, false};

// EXPIRE and its kin take the past and delete; SET and its kin refuse what is not positive.
enum class PastTime : std::uint8_t { kAllowed, kRefused };

std::optional<UnixMillis> time_argument(Call& call, std::size_t i, TimeForm form, PastTime past);

}  // namespace minod
