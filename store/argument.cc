#include "store/argument.h"

#include <algorithm>
#include <limits>
#include <string>

#include "store/limits.h"
#include "store/number.h"

namespace minod {

namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Out of line and off the path of a good command.
std::optional<UnixMillis> refuse_time(Call& call) {
  std::string name(call[0]);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  call.reply().error("ERR invalid expire time in '" + name + "' command");
  return std::nullopt;
}

}  // namespace

bool is_word(std::string_view argument, std::string_view word) {
  return std::equal(argument.begin(), argument.end(), word.begin(), word.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::optional<std::int64_t> integer_argument(Call& call, std::size_t i) {
  const auto value = parse_integer(call[i]);
  if (!value) call.reply().error("ERR value is not an integer or out of range");
  return value;
}

std::optional<int> database_argument(Call& call, std::size_t i) {
  const auto db = integer_argument(call, i);
  if (!db) return std::nullopt;
  using Int = std::numeric_limits<int>;
  if (*db < Int::min() || *db > Int::max()) {
    call.reply().error("ERR value is out of range, value must between " + std::to_string(Int::min()) + " and " +
                       std::to_string(Int::max()));
    return std::nullopt;
  }
  if (*db < 0 || *db >= kDatabases) {
    call.reply().error("ERR DB index is out of range");
    return std::nullopt;
  }
  return static_cast<int>(*db);
}

std::optional<UnixMillis> time_argument(Call& call, std::size_t i, TimeForm form, PastTime past) {
  const auto number = integer_argument(call, i);
  if (!number) return std::nullopt;
  if (past == PastTime::kRefused && *number <= 0) return refuse_time(call);
  const std::int64_t base = form.from_now ? call.now().value() : 0;
  std::int64_t at = 0;
  if (__builtin_mul_overflow(*number, form.unit_ms, &at) || __builtin_add_overflow(at, base, &at)) {
    return refuse_time(call);
  }
  // The last millisecond that can be told stands for "never" in a record.
  return std::min(UnixMillis(at), kNeverExpires - Millis(1));
}

}  // namespace minod
