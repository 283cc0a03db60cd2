// COMMAND and its subcommands: what clients ask to learn how to send the other commands.
#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "net/resp/command_reply.h"
#include "net/resp/connection_commands.h"
#include "net/resp/session.h"
#include "store/argument.h"
#include "store/glob.h"

namespace minod::resp {

namespace {

constexpr std::array<std::string_view, 19> kHelp = {
    "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "(no subcommand)",
    "    Return details about all commands.",
    "COUNT",
    "    Return the number of commands.",
    "LIST [FILTERBY <MODULE <name>|ACLCAT <category>|PATTERN <pattern>>]",
    "    Return the names of commands.",
    "INFO [<command-name> ...]",
    "    Return details about commands; about all of them when none is",
    "    named.",
    "DOCS [<command-name> ...]",
    "    Return documentation about commands; about all of them when none is",
    "    named.",
    "GETKEYS <full-command>",
    "    Return the keys in a command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys in a command, and how it uses each.",
    "HELP",
    "    Print this help.",
};

bool is_subcommand(const CommandSpec& spec) { return spec.name.find('|') != std::string_view::npos; }

std::vector<const CommandSpec*> top_level() {
  std::vector<const CommandSpec*> specs;
  for (const CommandSpec& spec : command_table()) {
    if (!is_subcommand(spec)) specs.push_back(&spec);
  }
  return specs;
}

void describe_all(Session& session) {
  const auto specs = top_level();
  session.reply().array(specs.size());
  for (const CommandSpec* spec : specs) describe(session.reply(), *spec);
}

void describe_named(Session& session) {
  const auto names = session.args().subspan(2);
  if (names.empty()) return describe_all(session);
  session.reply().array(names.size());
  for (const std::string_view name : names) {
    const CommandSpec* const spec = find_by_full_name(name);
    spec ? describe(session.reply(), *spec) : session.reply().null();
  }
}

void document_named(Session& session) {
  const auto names = session.args().subspan(2);
  std::vector<const CommandSpec*> specs;
  if (names.empty()) specs = top_level();
  for (const std::string_view name : names) {
    if (const CommandSpec* const spec = find_by_full_name(name)) specs.push_back(spec);
  }
  session.reply().map(specs.size());
  for (const CommandSpec* spec : specs) document(session.reply(), *spec);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
  return result;
}

bool in_category(const CommandSpec& spec, const std::string& category) {
  return (std::string(spec.acl_categories) + ' ').find('@' + category + ' ') != std::string::npos;
}

void list(Session& session) {
  const auto args = session.args();
  std::function<bool(const CommandSpec&)> wanted = [](const CommandSpec&) { return true; };
  if (args.size() == 5 && is_word(args[2], "FILTERBY")) {
    const std::string value = lower(args[4]);
    if (is_word(args[3], "ACLCAT")) {
      wanted = [value](const CommandSpec& spec) { return in_category(spec, value); };
    } else if (is_word(args[3], "PATTERN")) {
      wanted = [value](const CommandSpec& spec) { return glob_matches(value, spec.name); };
    } else if (is_word(args[3], "MODULE")) {
      wanted = [](const CommandSpec&) { return false; };
    } else {
      return session.reply().error(kSyntaxError);
    }
  } else if (args.size() != 2) {
    return session.reply().error(kSyntaxError);
  }
  std::vector<std::string_view> names;
  for (const CommandSpec& spec : command_table()) {
    if (wanted(spec)) names.push_back(spec.name);
  }
  session.reply().array(names.size());
  for (const std::string_view name : names) session.reply().bulk(name);
}

void get_keys(Session& session, bool with_flags) {
  const auto args = session.args().subspan(2);
  Reply& reply = session.reply();
  const CommandSpec* spec = find_command(args[0]);
  if (spec && has_subcommands(*spec)) spec = find_subcommand(spec->name, args[1]);
  if (!spec) return reply.error("ERR Invalid command specified");
  if (spec->keys.first == 0) return reply.error("ERR The command has no key arguments");
  if (!arity_fits(*spec, args.size())) {
    return reply.error("ERR Invalid number of arguments specified for command");
  }
  const auto positions = key_positions(*spec, args);
  if (!positions) return reply.error("ERR Invalid arguments specified for command");
  reply.array(positions->size());
  for (std::size_t i = 0; i < positions->size(); ++i) {
    const std::string_view key = args[(*positions)[i]];
    if (!with_flags) {
      reply.bulk(key);
      continue;
    }
    const auto flags = flags_of_key(*spec, args, i);
    reply.array(2);
    reply.bulk(key);
    reply.set(flags.size());
    for (const std::string_view flag : flags) reply.simple(flag);
  }
}

}  // namespace

void command(Session& session) {
  const auto args = session.args();
  if (args.size() == 1) {
    describe_all(session);
  } else if (is_word(args[1], "COUNT")) {
    session.reply().integer(static_cast<std::int64_t>(top_level().size()));
  } else if (is_word(args[1], "INFO")) {
    describe_named(session);
  } else if (is_word(args[1], "DOCS")) {
    document_named(session);
  } else if (is_word(args[1], "LIST")) {
    list(session);
  } else if (is_word(args[1], "GETKEYS")) {
    get_keys(session, false);
  } else if (is_word(args[1], "GETKEYSANDFLAGS")) {
    get_keys(session, true);
  } else {
    reply_lines(session, kHelp);
  }
}

}  // namespace minod::resp
