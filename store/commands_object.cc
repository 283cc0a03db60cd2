// OBJECT: what clients ask about a value's representation. minod keeps bytes, so it answers as Redis would hold them.
#include <array>

#include "store/argument.h"
#include "store/call.h"
#include "store/command.h"
#include "store/commands.h"
#include "store/number.h"

namespace minod::commands {

namespace {

constexpr std::size_t kEmbeddedSizeMax = 44;  // longer strings are "raw" in Redis

constexpr std::array<std::string_view, 11> kHelp = {
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return how Redis would hold the value: int, embstr or raw.",
    "FREQ <key>",
    "    Always an error: the access frequency of single keys is not counted.",
    "IDLETIME <key>",
    "    Always 0: the time of the last access to a key is not recorded.",
    "REFCOUNT <key>",
    "    Always 1: values are not shared.",
    "HELP",
    "    Print this help.",
};

// The integer when the key is there, null when not.
void reply_if_present(Call& call, std::int64_t integer) {
  if (call.exists(call[2])) {
    call.reply().integer(integer);
  } else {
    call.reply().null();
  }
}

}  // namespace

void object(Call& call) {
  const CommandSpec* spec = find_subcommand("object", call[1]);
  if (!spec) {
    return call.reply().error("ERR unknown subcommand '" + std::string(call[1]) + "'. Try OBJECT HELP.");
  }
  if (!arity_fits(*spec, call.count())) {
    return call.reply().error("ERR wrong number of arguments for '" + std::string(spec->name) + "' command");
  }
  spec->run(call);
}

void object_encoding(Call& call) {
  const Value* value = call.find(call[2]);
  if (call.parked()) return;
  if (!value) return call.reply().null();
  if (parse_integer(value->bytes)) return call.reply().bulk("int");
  call.reply().bulk(value->bytes.size() <= kEmbeddedSizeMax ? "embstr" : "raw");
}

void object_refcount(Call& call) { reply_if_present(call, 1); }

void object_idletime(Call& call) { reply_if_present(call, 0); }

void object_freq(Call& call) {
  if (!call.exists(call[2])) return call.reply().null();
  call.reply().error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
      "between policies at runtime LRU and LFU data will take some time to adjust.");
}

void object_help(Call& call) {
  call.reply().array(kHelp.size());
  for (const std::string_view line : kHelp) call.reply().simple(line);
}

}  // namespace minod::commands
