// Times to live. A new time is a new record with the whole value, so that replay never needs an older record.
#include <algorithm>

#include "store/argument.h"
#include "store/call.h"
#include "store/commands.h"

namespace minod::commands {

namespace {

struct Conditions {
  bool only_without = false;  // NX
  bool only_with = false;     // XX
  bool only_later = false;    // GT
  bool only_earlier = false;  // LT
};

std::optional<Conditions> conditions_from(Call& call) {
  Conditions conditions;
  for (const std::string_view word : call.args().subspan(3)) {
    if (is_word(word, "NX")) {
      conditions.only_without = true;
    } else if (is_word(word, "XX")) {
      conditions.only_with = true;
    } else if (is_word(word, "GT")) {
      conditions.only_later = true;
    } else if (is_word(word, "LT")) {
      conditions.only_earlier = true;
    } else {
      call.reply().error("ERR Unsupported option " + std::string(word));
      return std::nullopt;
    }
  }
  if (conditions.only_without && (conditions.only_with || conditions.only_later || conditions.only_earlier)) {
    call.reply().error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return std::nullopt;
  }
  if (conditions.only_later && conditions.only_earlier) {
    call.reply().error("ERR GT and LT options at the same time are not compatible");
    return std::nullopt;
  }
  return conditions;
}

// A key without a time counts as one that expires last of all, which is what kNeverExpires compares as.
bool allow(const Conditions& conditions, UnixMillis current, UnixMillis wanted) {
  if (conditions.only_without && current != kNeverExpires) return false;
  if (conditions.only_with && current == kNeverExpires) return false;
  if (conditions.only_later && wanted <= current) return false;
  return !conditions.only_earlier || wanted < current;
}

// The value again, with another time; replies 1.
void put_again(Call& call, UnixMillis expires_at) {
  const Value* value = call.find(call[1]);
  if (call.parked() || !value) return;
  if (call.put(call[1], value->bytes, expires_at)) call.reply().integer(1);
}

void expire_at(Call& call, TimeForm form) {
  const auto conditions = conditions_from(call);
  if (!conditions) return;
  const auto wanted = time_argument(call, 2, form, PastTime::kAllowed);
  if (!wanted) return;
  const auto current = call.expiry_of(call[1]);
  if (!current || !allow(*conditions, *current, *wanted)) return call.reply().integer(0);
  if (*wanted > call.now()) return put_again(call, *wanted);
  if (call.erase(call[1])) call.reply().integer(1);
}

constexpr std::int64_t kNoKey = -2;
constexpr std::int64_t kNoExpiry = -1;

// Rounded to the nearest unit.
void reply_time(Call& call, UnixMillis from, std::uint64_t unit_ms) {
  const auto expires_at = call.expiry_of(call[1]);
  if (!expires_at) return call.reply().integer(kNoKey);
  if (*expires_at == kNeverExpires) return call.reply().integer(kNoExpiry);
  // Unsigned, because rounding the greatest time up to seconds would overflow.
  const auto distance = static_cast<std::uint64_t>(std::max<std::int64_t>((*expires_at - from).value(), 0));
  call.reply().integer(static_cast<std::int64_t>((distance + unit_ms / 2) / unit_ms));
}

constexpr UnixMillis kUnixEpoch{0};

}  // namespace

void expire(Call& call) { expire_at(call, kSecondsFromNow); }

void pexpire(Call& call) { expire_at(call, kMillisFromNow); }

void expireat(Call& call) { expire_at(call, kUnixSeconds); }

void pexpireat(Call& call) { expire_at(call, kUnixMillis); }

void ttl(Call& call) { reply_time(call, call.now(), 1000); }

void pttl(Call& call) { reply_time(call, call.now(), 1); }

void expiretime(Call& call) { reply_time(call, kUnixEpoch, 1000); }

void pexpiretime(Call& call) { reply_time(call, kUnixEpoch, 1); }

void persist(Call& call) {
  const auto expires_at = call.expiry_of(call[1]);
  if (!expires_at || *expires_at == kNeverExpires) return call.reply().integer(0);
  put_again(call, kNeverExpires);
}

}  // namespace minod::commands
