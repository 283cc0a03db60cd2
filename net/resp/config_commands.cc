// CONFIG and its subcommands.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "net/config.h"
#include "net/resp/connection_commands.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/argument.h"
#include "store/glob.h"

namespace minod::resp {

namespace {

constexpr std::array<std::string_view, 11> kHelp = {
    "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GET <pattern> [<pattern> ...]",
    "    Return the options whose names match, and their values.",
    "SET <option> <value> [<option> <value> ...]",
    "    Change options, all of them or none.",
    "RESETSTAT",
    "    Set the statistics that INFO reports to zero.",
    "REWRITE",
    "    Not served: put what should last into the config file.",
    "HELP",
    "    Print this help.",
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
  return result;
}

void get(Session& session) {
  const Config config = session.shard().node().config();
  std::map<std::string_view, std::string> all;
  for (const Option& option : options()) all.emplace(option.name, option.get(config));
  for (const FixedOption& option : fixed_options()) all.emplace(option.name, option.value);
  std::vector<std::string> patterns;
  for (const std::string_view pattern : session.args().subspan(2)) patterns.push_back(lower(pattern));
  std::erase_if(all, [&](const auto& option) {
    return std::ranges::none_of(patterns, [&](const auto& pattern) { return glob_matches(pattern, option.first); });
  });
  session.reply().map(all.size());
  for (const auto& [name, value] : all) {
    session.reply().bulk(name);
    session.reply().bulk(value);
  }
}

struct Setting {
  std::string_view name;  // as the table has it
  const Option* option = nullptr;
  std::string_view value;
};

bool known(std::string_view given, Setting& setting) {
  setting.option = find_option(given);
  if (setting.option != nullptr) {
    setting.name = setting.option->name;
    return true;
  }
  const std::string name = lower(given);
  const auto fixed = std::ranges::find(fixed_options(), name, &FixedOption::name);
  if (fixed == fixed_options().end()) return false;
  setting.name = fixed->name;
  return true;
}

// What of a setting can be refused without trying it; empty: nothing.
std::string refusal(const Config& config, const std::vector<Setting>& settings, const Setting& setting) {
  if (std::ranges::count(settings, setting.name, &Setting::name) > 1) return "duplicate parameter";
  if (setting.option == nullptr || setting.option->at_run_time) return {};
  return setting.option->get(config) == setting.value ? "" : "can't set immutable config";
}

Result<void> apply(Config& config, const std::vector<Setting>& settings, std::string_view& at_fault) {
  for (const Setting& setting : settings) {
    at_fault = setting.name;
    if (auto why = refusal(config, settings, setting); !why.empty()) return Error{Errc::kInvalid, 0, std::move(why)};
    if (auto set = set_option(config, setting.name, setting.value); !set) return set;
  }
  return {};
}

void set(Session& session) {
  const auto args = session.args();
  if (args.size() % 2 != 0) return session.reply().error(kSyntaxError);
  std::vector<Setting> settings;
  for (std::size_t i = 2; i < args.size(); i += 2) {
    Setting setting{{}, nullptr, args[i + 1]};
    if (!known(args[i], setting)) {
      return session.reply().error("ERR Unknown option or number of arguments for CONFIG SET - '" +
                                   std::string(args[i]) + "'");
    }
    settings.push_back(setting);
  }
  Node& node = session.shard().node();
  std::string_view at_fault;
  const auto changed = node.change_config([&](Config& config) { return apply(config, settings, at_fault); });
  if (!changed) {
    return session.reply().error("ERR CONFIG SET failed (possibly related to argument '" + std::string(at_fault) +
                                 "') - " + changed.error().detail);
  }
  ask_all_shards(
      session,
      [](Shard& asked) {
        asked.node().apply_config(asked);
        return std::string();
      },
      [](const std::vector<std::string>&, Reply& reply) { reply.ok(); });
}

void reset_statistics(Session& session) {
  session.shard().node().reset_rejected();
  ask_all_shards(
      session,
      [](Shard& asked) {
        asked.reset_statistics();
        return std::string();
      },
      [](const std::vector<std::string>&, Reply& reply) { reply.ok(); });
}

}  // namespace

void config(Session& session) {
  const std::string_view what = session.args()[1];
  if (is_word(what, "GET")) {
    get(session);
  } else if (is_word(what, "SET")) {
    set(session);
  } else if (is_word(what, "RESETSTAT")) {
    reset_statistics(session);
  } else if (is_word(what, "REWRITE")) {
    session.reply().error("ERR minod does not rewrite its config file; put what should last there yourself");
  } else {
    reply_lines(session, kHelp);
  }
}

}  // namespace minod::resp
