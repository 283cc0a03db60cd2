#include "tools/time_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

namespace minod {

namespace {

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;

// Drops `count` digits from the front and returns their value.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_one_of(std::string_view& text, std::string_view characters) {
  if (text.empty() || characters.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".123456" as milliseconds; 0 when there is none.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take_one_of(text, ".")) return 0;
  std::int64_t milliseconds = 0;
  std::int64_t weight = 100;
  bool any = false;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    milliseconds += (text.front() - '0') * weight;
    weight /= 10;
    any = true;
  }
  return any ? std::optional(milliseconds) : std::nullopt;
}

// "Z" or "+hh:mm": milliseconds to subtract.
std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (take_one_of(text, "Zz")) return 0;
  const bool behind = !text.empty() && text.front() == '-';
  if (!take_one_of(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take_one_of(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const std::int64_t ahead = *hours * kHourMs + *minutes * kMinuteMs;
  return behind ? -ahead : ahead;
}

std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take_one_of(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take_one_of(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * kDayMs;
}

std::optional<std::int64_t> take_clock(std::string_view& text) {
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take_one_of(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59 || !take_one_of(text, ":")) return std::nullopt;
  const auto seconds = take_digits(text, 2);
  if (!seconds || *seconds > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return *hours * kHourMs + *minutes * kMinuteMs + *seconds * kSecondMs + *fraction;
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take_one_of(text, "Tt ")) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return *date + *clock - *zone;
}

// Digits at the front; what follows them stays in `text`.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::int64_t> parse_epoch_seconds(std::string_view text) {
  const auto seconds = take_number(text);
  const auto fraction = take_fraction(text);
  std::int64_t value = 0;
  if (!seconds || !fraction || !text.empty() || __builtin_mul_overflow(*seconds, kSecondMs, &value))
    return std::nullopt;
  return value + *fraction;
}

std::optional<std::int64_t> parse_ago(std::string_view text, std::int64_t now) {
  static constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits{
      {{"ms", 1}, {"s", kSecondMs}, {"m", kMinuteMs}, {"h", kHourMs}, {"d", kDayMs}}};
  const auto count = take_number(text);
  if (!count) return std::nullopt;
  for (const auto& [unit, milliseconds] : kUnits) {
    std::int64_t span = 0;
    if (text == unit && !__builtin_mul_overflow(*count, milliseconds, &span)) return now - span;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_any(std::string_view text, std::int64_t now) {
  if (text == "now") return now;
  if (text.starts_with('@')) return parse_epoch_seconds(text.substr(1));
  if (text.starts_with('-')) return parse_ago(text.substr(1), now);
  std::string_view rest = text;
  const auto milliseconds = take_number(rest);
  if (milliseconds && rest.empty()) return milliseconds;
  return parse_rfc3339(text);
}

}  // namespace

Result<UnixMillis> parse_time(std::string_view text, UnixMillis now) {
  const auto time = parse_any(text, now.value());
  if (time) return UnixMillis(*time);
  return Error{Errc::kInvalid, 0,
               "'" + std::string(text) +
                   "' is not a time; write 2026-11-21T07:00:01Z or with +02:00, @1795244401, 1795244401000 or -15m"};
}

std::string time_text(UnixMillis time) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(time.value())};
  const auto days = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(at - days);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

std::string span_text(Millis span) {
  const std::int64_t value = span.value();
  if (value < 0) {
    const bool least = value == std::numeric_limits<std::int64_t>::min();
    return "-" + span_text(Millis(least ? std::numeric_limits<std::int64_t>::max() : -value));
  }
  char text[64];
  const auto whole = [&](std::int64_t unit) { return static_cast<long long>(value / unit); };
  const auto rest = [&](std::int64_t unit, std::int64_t part) { return static_cast<long long>(value % unit / part); };
  if (value < kSecondMs) {
    std::snprintf(text, sizeof text, "%lldms", whole(1));
  } else if (value < kMinuteMs) {
    std::snprintf(text, sizeof text, "%lld.%llds", whole(kSecondMs), rest(kSecondMs, 100));
  } else if (value < kHourMs) {
    std::snprintf(text, sizeof text, "%lldm%llds", whole(kMinuteMs), rest(kMinuteMs, kSecondMs));
  } else if (value < kDayMs) {
    std::snprintf(text, sizeof text, "%lldh%lldm", whole(kHourMs), rest(kHourMs, kMinuteMs));
  } else {
    std::snprintf(text, sizeof text, "%lldd%lldh", whole(kDayMs), rest(kDayMs, kHourMs));
  }
  return text;
}

}  // namespace minod
