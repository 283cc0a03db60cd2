// SET and the commands that are special cases of it, and GETEX, which shares its options.
#include "store/argument.h"
#include "store/call.h"
#include "store/commands.h"

namespace minod::commands {

namespace {

enum class Condition : std::uint8_t { kNone, kAbsent, kPresent };
enum class Ttl : std::uint8_t { kUnset, kKeep, kPersist, kTime };

struct Options {
  Condition condition = Condition::kNone;
  bool get = false;
  Ttl ttl = Ttl::kUnset;
  TimeForm form;
  std::size_t time_index = 0;  // where the time stands when ttl is kTime
  std::string_view time_word;
};

struct TimeWord {
  std::string_view word;
  TimeForm form;
};

constexpr TimeWord kTimeWords[] = {
    {"EX", kSecondsFromNow}, {"PX", kMillisFromNow}, {"EXAT", kUnixSeconds}, {"PXAT", kUnixMillis}};

// True when argument i is EX, PX, EXAT or PXAT with a time behind it. The same word may come again, and then the last
// one counts; two different words exclude each other.
bool take_time(Call& call, std::size_t i, Options& options) {
  for (const TimeWord& known : kTimeWords) {
    if (!is_word(call[i], known.word)) continue;
    if (i + 1 == call.count()) return false;
    if (options.ttl != Ttl::kUnset && options.time_word != known.word) return false;
    options.ttl = Ttl::kTime;
    options.form = known.form;
    options.time_word = known.word;
    options.time_index = i + 1;
    return true;
  }
  return false;
}

bool take_ttl(Ttl wanted, Options& options) {
  if (options.ttl != Ttl::kUnset && options.ttl != wanted) return false;
  options.ttl = wanted;
  return true;
}

bool take_condition(Condition wanted, Options& options) {
  if (options.condition != Condition::kNone && options.condition != wanted) return false;
  options.condition = wanted;
  return true;
}

bool take_set_word(std::string_view word, Options& options) {
  if (is_word(word, "NX")) return take_condition(Condition::kAbsent, options);
  if (is_word(word, "XX")) return take_condition(Condition::kPresent, options);
  if (is_word(word, "KEEPTTL")) return take_ttl(Ttl::kKeep, options);
  if (!is_word(word, "GET")) return false;
  options.get = true;
  return true;
}

bool take_getex_word(std::string_view word, Options& options) {
  return is_word(word, "PERSIST") && take_ttl(Ttl::kPersist, options);
}

// Words are what the command allows besides the times. Replies the error.
std::optional<Options> options_from(Call& call, std::size_t first, bool (*take_word)(std::string_view, Options&)) {
  Options options;
  for (std::size_t i = first; i < call.count(); ++i) {
    if (take_time(call, i, options)) {
      ++i;
    } else if (!take_word(call[i], options)) {
      call.reply().error(kSyntaxError);
      return std::nullopt;
    }
  }
  return options;
}

bool condition_holds(Condition condition, bool present) {
  return condition == Condition::kNone || (condition == Condition::kPresent) == present;
}

void reply_bulk_or_null(Call& call, bool present, std::string_view bytes) {
  if (present) {
    call.reply().bulk(bytes);
  } else {
    call.reply().null();
  }
}

// SET with GET, and GETSET: the old value is the reply, whether or not the new one was written. It is copied, because
// it may be gone after put(), and put() may still reply an error instead.
void exchange(Call& call, std::string_view value, const Options& options, UnixMillis expires_at) {
  const Value* found = call.find(call[1]);
  if (call.parked()) return;
  const bool present = found != nullptr;
  if (!condition_holds(options.condition, present)) return reply_bulk_or_null(call, present, found ? found->bytes : "");
  if (options.ttl == Ttl::kKeep && found) expires_at = found->expires_at;
  std::string& old = call.scratch();
  if (found) old = found->bytes;
  if (call.put(call[1], value, expires_at)) reply_bulk_or_null(call, present, old);
}

void set_with_time(Call& call, TimeForm form) {
  const auto expires_at = time_argument(call, 2, form, PastTime::kRefused);
  if (expires_at && call.put(call[1], call[3], *expires_at)) call.reply().ok();
}

}  // namespace

void set(Call& call) {
  const auto options = options_from(call, 3, take_set_word);
  if (!options) return;
  UnixMillis expires_at = kNeverExpires;
  if (options->ttl == Ttl::kTime) {
    const auto time = time_argument(call, options->time_index, options->form, PastTime::kRefused);
    if (!time) return;
    expires_at = *time;
  }
  if (options->get) return exchange(call, call[2], *options, expires_at);
  if (options->condition != Condition::kNone || options->ttl == Ttl::kKeep) {
    const auto current = call.expiry_of(call[1]);
    if (!condition_holds(options->condition, current.has_value())) return call.reply().null();
    if (options->ttl == Ttl::kKeep && current) expires_at = *current;
  }
  if (call.put(call[1], call[2], expires_at)) call.reply().ok();
}

void setnx(Call& call) {
  if (call.exists(call[1])) return call.reply().integer(0);
  if (call.put(call[1], call[2])) call.reply().integer(1);
}

void setex(Call& call) { set_with_time(call, kSecondsFromNow); }

void psetex(Call& call) { set_with_time(call, kMillisFromNow); }

void getset(Call& call) { exchange(call, call[2], Options{}, kNeverExpires); }

void getex(Call& call) {
  const auto options = options_from(call, 2, take_getex_word);
  if (!options) return;
  const Value* found = call.find(call[1]);
  if (call.parked()) return;
  if (!found) return call.reply().null();
  UnixMillis expires_at = options->ttl == Ttl::kPersist ? kNeverExpires : found->expires_at;
  if (options->ttl == Ttl::kTime) {
    const auto time = time_argument(call, options->time_index, options->form, PastTime::kRefused);
    if (!time) return;
    expires_at = *time;
  }
  if (expires_at == found->expires_at) return call.reply().bulk(found->bytes);
  std::string& value = call.scratch();
  value = found->bytes;
  if (call.put(call[1], value, expires_at)) call.reply().bulk(value);
}

}  // namespace minod::commands
