// Values that are numbers in text. They keep their time to live.
#include <charconv>
#include <cmath>
#include <limits>

#include "store/argument.h"
#include "store/call.h"
#include "store/commands.h"
#include "store/number.h"

namespace minod::commands {

namespace {

void add(Call& call, std::int64_t step) {
  const Value* value = call.find(call[1]);
  if (call.parked()) return;
  const auto old = value ? parse_integer(value->bytes) : 0;
  if (!old) return call.reply().error("ERR value is not an integer or out of range");
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*old, step, &sum)) {
    return call.reply().error("ERR increment or decrement would overflow");
  }
  char text[std::numeric_limits<std::int64_t>::digits10 + 2];
  const char* end = std::to_chars(text, text + sizeof text, sum).ptr;
  const std::string_view bytes(text, static_cast<std::size_t>(end - text));
  if (call.put(call[1], bytes, value ? value->expires_at : kNeverExpires)) call.reply().integer(sum);
}

}  // namespace

void incr(Call& call) { add(call, 1); }

void decr(Call& call) { add(call, -1); }

void incrby(Call& call) {
  if (const auto step = integer_argument(call, 2)) add(call, *step);
}

void decrby(Call& call) {
  const auto step = integer_argument(call, 2);
  if (!step) return;
  if (*step == std::numeric_limits<std::int64_t>::min()) return call.reply().error("ERR decrement would overflow");
  add(call, -*step);
}

void incrbyfloat(Call& call) {
  const Value* value = call.find(call[1]);
  if (call.parked()) return;
  const auto old = value ? parse_real(value->bytes) : 0.0L;
  const auto step = old ? parse_real(call[2]) : std::nullopt;
  if (!step) return call.reply().error("ERR value is not a valid float");
  const long double sum = *old + *step;
  if (!std::isfinite(sum)) return call.reply().error("ERR increment would produce NaN or Infinity");
  const std::string text = real_text(sum);
  if (call.put(call[1], text, value ? value->expires_at : kNeverExpires)) call.reply().bulk(text);
}

}  // namespace minod::commands
