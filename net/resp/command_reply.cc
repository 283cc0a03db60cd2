#include "net/resp/command_reply.h"

#include <algorithm>
#include <array>
#include <string>

#include "net/resp/words.h"
#include "store/argument.h"

namespace minod::resp {

namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  split_plain_words(text, words);
  return words;
}

void simple_set(Reply& reply, std::span<const std::string_view> words) {
  reply.set(words.size());
  for (const std::string_view word : words) reply.simple(word);
}

// The parts of key_flags: one for all keys, or one for each position.
std::vector<std::string_view> key_flag_parts(const CommandSpec& spec) {
  std::vector<std::string_view> parts;
  std::string_view rest = spec.key_flags;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    parts.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return parts;
}

void describe_keys(Reply& reply, std::string_view flags, int first, int last, int step) {
  reply.map(3);
  reply.bulk("flags");
  simple_set(reply, words_of(flags));
  reply.bulk("begin_search");
  reply.map(2);
  reply.bulk("type");
  reply.bulk("index");
  reply.bulk("spec");
  reply.map(1);
  reply.bulk("index");
  reply.integer(first);
  reply.bulk("find_keys");
  reply.map(2);
  reply.bulk("type");
  reply.bulk("range");
  reply.bulk("spec");
  reply.map(3);
  reply.bulk("lastkey");
  reply.integer(last);
  reply.bulk("keystep");
  reply.integer(step);
  reply.bulk("limit");
  reply.integer(0);
}

// lastkey counts from the first key when it is not negative, other than COMMAND's fifth element.
void describe_key_specs(Reply& reply, const CommandSpec& spec) {
  const std::vector<std::string_view> parts = key_flag_parts(spec);
  reply.set(parts.size());
  if (parts.size() == 1) {
    const int last = spec.keys.last < 0 ? spec.keys.last : spec.keys.last - spec.keys.first;
    describe_keys(reply, parts[0], spec.keys.first, last, spec.keys.step);
    return;
  }
  int position = spec.keys.first;
  for (const std::string_view flags : parts) {
    describe_keys(reply, flags, position, 0, 1);
    position += spec.keys.step;
  }
}

}  // namespace

const CommandSpec* find_by_full_name(std::string_view name) {
  const std::size_t bar = name.find('|');
  if (bar == std::string_view::npos) return find_command(name);
  return find_subcommand(name.substr(0, bar), name.substr(bar + 1));
}

std::span<const CommandSpec> subcommands_of(const CommandSpec& spec) {
  if (!has_subcommands(spec)) return {};
  const std::string prefix = std::string(spec.name) + '|';
  const std::span<const CommandSpec> table = command_table();
  const auto rest = table.subspan(static_cast<std::size_t>(&spec - table.data()) + 1);
  const auto end = std::ranges::find_if_not(rest, [&](const CommandSpec& row) { return row.name.starts_with(prefix); });
  return {rest.begin(), end};
}

void describe(Reply& reply, const CommandSpec& spec) {
  reply.array(10);
  reply.bulk(spec.name);
  reply.integer(spec.arity);
  simple_set(reply, flag_names(spec));
  reply.integer(spec.keys.first);
  reply.integer(spec.keys.last);
  reply.integer(spec.keys.step);
  simple_set(reply, words_of(spec.acl_categories));
  const std::vector<std::string_view> tips = words_of(spec.tips);
  reply.set(tips.size());
  for (const std::string_view tip : tips) reply.bulk(tip);
  describe_key_specs(reply, spec);
  const auto subcommands = subcommands_of(spec);
  reply.set(subcommands.size());
  for (const CommandSpec& subcommand : subcommands) describe(reply, subcommand);
}

void document(Reply& reply, const CommandSpec& spec) {
  const auto subcommands = subcommands_of(spec);
  const bool deprecated = !spec.deprecated_since.empty();
  const auto entry = [&](std::string_view name, std::string_view text) {
    reply.bulk(name);
    reply.bulk(text);
  };
  reply.bulk(spec.name);
  reply.map(4u + (deprecated ? 3u : 0u) + (subcommands.empty() ? 0u : 1u));
  entry("summary", spec.summary);
  entry("since", spec.since);
  entry("group", spec.group);
  entry("complexity", spec.complexity);
  if (deprecated) {
    reply.bulk("doc_flags");
    simple_set(reply, std::array<std::string_view, 1>{"deprecated"});
    entry("deprecated_since", spec.deprecated_since);
    entry("replaced_by", spec.replaced_by);
  }
  if (subcommands.empty()) return;
  reply.bulk("subcommands");
  reply.map(subcommands.size());
  for (const CommandSpec& subcommand : subcommands) document(reply, subcommand);
}

std::vector<std::string_view> flags_of_key(const CommandSpec& spec, std::span<const std::string_view> args,
                                           std::size_t nth) {
  const std::vector<std::string_view> parts = key_flag_parts(spec);
  std::string_view flags = parts[std::min(nth, parts.size() - 1)];
  // SET reads the old value only when it is asked for it.
  if (flags.ends_with("variable_flags")) {
    const bool reads = std::ranges::any_of(args, [](std::string_view arg) { return is_word(arg, "GET"); });
    flags = reads ? "RW access update" : "OW update";
  }
  return words_of(flags);
}

}  // namespace minod::resp
