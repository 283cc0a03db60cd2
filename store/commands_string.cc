// GET and its plain kin: values read whole, and several keys at once.
#include "store/call.h"
#include "store/commands.h"

namespace minod::commands {

namespace {

// MSET and MSETNX have checked that names and values come in pairs, and which keys exist.
bool put_pairs(Call& call) {
  std::size_t size = 0;
  for (std::size_t i = 1; i < call.count(); ++i) size += call[i].size();
  if (!call.reserve(call.count() / 2, size)) return false;
  for (std::size_t i = 1; i < call.count(); i += 2) {
    if (!call.put(call[i], call[i + 1])) return false;
  }
  return true;
}

bool are_pairs(Call& call, std::string_view name) {
  if (call.count() % 2 == 1) return true;
  call.reply().error("ERR wrong number of arguments for '" + std::string(name) + "' command");
  return false;
}

}  // namespace

void get(Call& call) {
  const Value* value = call.find(call[1]);
  if (call.parked()) return;
  if (value) {
    call.reply().bulk(value->bytes);
  } else {
    call.reply().null();
  }
}

void getdel(Call& call) {
  const Value* value = call.find(call[1]);
  if (call.parked()) return;
  if (!value) return call.reply().null();
  std::string& old = call.scratch();
  old = value->bytes;
  if (call.erase(call[1])) call.reply().bulk(old);
}

void strlen(Call& call) {
  const Value* value = call.find(call[1]);
  if (call.parked()) return;
  call.reply().integer(value ? static_cast<std::int64_t>(value->bytes.size()) : 0);
}

void mget(Call& call) {
  call.reply().array(call.count() - 1);
  for (std::size_t i = 1; i < call.count(); ++i) {
    const Value* value = call.find(call[i]);
    if (call.parked()) return;
    if (value) {
      call.reply().bulk(value->bytes);
    } else {
      call.reply().null();
    }
  }
}

void mset(Call& call) {
  if (are_pairs(call, "mset") && put_pairs(call)) call.reply().ok();
}

void msetnx(Call& call) {
  if (!are_pairs(call, "msetnx")) return;
  for (std::size_t i = 1; i < call.count(); i += 2) {
    if (call.exists(call[i])) return call.reply().integer(0);
  }
  if (put_pairs(call)) call.reply().integer(1);
}

}  // namespace minod::commands
