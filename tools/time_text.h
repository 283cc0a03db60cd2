// Points in time as people write and read them. Always with a zone: a local time that nobody named is a trap.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace minod {

// RFC 3339 with a zone (2026-11-21T07:00:01.123Z, +02:00), @seconds[.fraction] or plain milliseconds since 1970, `now`,
// or a time before `now`: -500ms, -30s, -15m, -2h, -7d. Finer than milliseconds is cut off. kInvalid says what is
// accepted.
Result<UnixMillis> parse_time(std::string_view text, UnixMillis now);

std::string time_text(UnixMillis time);  // "2026-11-21T07:00:01.123Z"

std::string span_text(Millis span);  // "250ms", "59.9s", "15m0s", "2h5m", "3d4h"; with a - in front when negative

}  // namespace minod
