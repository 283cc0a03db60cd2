// Keys as a whole, whatever their value.
#include "store/argument.h"
#include "store/call.h"
#include "store/commands.h"

namespace minod::commands {

namespace {

// The new record comes first, so that a log which ends between the two has the value twice and not never. All room is
// reserved before, because nothing may park between them; room for two records makes erase() take the reserved room.
bool move_value(Call& call, const Value& value, std::string_view to, int to_db) {
  const std::string_view from = call[1];
  const std::size_t size = to.size() + value.bytes.size();
  if (to_db == call.db()) {
    if (!call.reserve(2, size + from.size())) return false;
  } else if (!call.reserve(1, size, to_db) || !call.reserve(2, from.size())) {
    return false;
  }
  return call.put(to, value.bytes, value.expires_at, to_db) && call.erase(from);
}

enum class Existing : std::uint8_t { kReplace, kKeep };

void rename_key(Call& call, Existing existing) {
  const std::string_view to = call[2];
  if (!call.exists(call[1])) return call.reply().error("ERR no such key");
  if (existing == Existing::kKeep && call.exists(to)) return call.reply().integer(0);
  if (to != call[1]) {
    const Value* value = call.find(call[1]);
    if (call.parked()) return;
    if (!value || !move_value(call, *value, to, call.db())) return;
  }
  if (existing == Existing::kKeep) {
    call.reply().integer(1);
  } else {
    call.reply().ok();
  }
}

struct CopyOptions {
  int db = 0;
  bool replace = false;
};

std::optional<CopyOptions> copy_options(Call& call) {
  CopyOptions options{call.db(), false};
  for (std::size_t i = 3; i < call.count(); ++i) {
    if (is_word(call[i], "REPLACE")) {
      options.replace = true;
    } else if (is_word(call[i], "DB") && i + 1 < call.count()) {
      const auto db = database_argument(call, ++i);
      if (!db) return std::nullopt;
      options.db = *db;
    } else {
      call.reply().error(kSyntaxError);
      return std::nullopt;
    }
  }
  return options;
}

}  // namespace

void del(Call& call) {
  std::int64_t count = 0;
  for (const std::string_view key : call.args().subspan(1)) {
    if (call.erase(key)) ++count;
    if (call.parked()) return;
  }
  call.reply().integer(count);
}

void exists(Call& call) {
  std::int64_t count = 0;
  for (const std::string_view key : call.args().subspan(1)) count += call.exists(key) ? 1 : 0;
  call.reply().integer(count);
}

void type(Call& call) { call.reply().simple(call.exists(call[1]) ? "string" : "none"); }

void rename(Call& call) { rename_key(call, Existing::kReplace); }

void renamenx(Call& call) { rename_key(call, Existing::kKeep); }

void copy(Call& call) {
  const auto options = copy_options(call);
  if (!options) return;
  if (options->db == call.db() && call[1] == call[2]) return call.reply().error(kSameObjectError);
  if (!call.exists(call[1])) return call.reply().integer(0);
  if (!options->replace && call.expiry_of(call[2], options->db)) return call.reply().integer(0);
  const Value* value = call.find(call[1]);
  if (call.parked() || !value) return;
  if (call.put(call[2], value->bytes, value->expires_at, options->db)) call.reply().integer(1);
}

void move(Call& call) {
  const auto db = database_argument(call, 2);
  if (!db) return;
  if (*db == call.db()) return call.reply().error(kSameObjectError);
  if (!call.exists(call[1]) || call.expiry_of(call[1], *db)) return call.reply().integer(0);
  const Value* value = call.find(call[1]);
  if (call.parked() || !value) return;
  if (move_value(call, *value, call[1], *db)) call.reply().integer(1);
}

}  // namespace minod::commands
