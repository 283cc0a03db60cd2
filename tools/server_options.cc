#include "tools/server_options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace minod {

namespace {

constexpr const char* kAbout = "Durable cache node: speaks the Redis protocol, keeps what it acknowledges in a log.";

constexpr const char* kExamples = R"(Examples:
  minod --dir /var/lib/minod --maxmemory 2gb
      serves 127.0.0.1:6379; a write is acknowledged when it is on the disk
  minod /etc/minod.conf --port 7000 --appendfsync everysec
      reads a file of 'name value' lines, then these two options
)";

constexpr std::string_view kNetwork = "Network";
constexpr std::string_view kClients = "Clients";
constexpr std::string_view kData = "Data";
constexpr std::string_view kProcess = "Process";

constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kGroups{{{"bind", kNetwork},
                                                                                 {"port", kNetwork},
                                                                                 {"tcp-keepalive", kNetwork},
                                                                                 {"unixsocket", kNetwork},
                                                                                 {"unixsocketperm", kNetwork},
                                                                                 {"maxclients", kClients},
                                                                                 {"protected-mode", kClients},
                                                                                 {"proto-max-bulk-len", kClients},
                                                                                 {"requirepass", kClients},
                                                                                 {"timeout", kClients},
                                                                                 {"enable-debug-command", kProcess},
                                                                                 {"disk-poll-us", kProcess},
                                                                                 {"log-format", kProcess},
                                                                                 {"loglevel", kProcess},
                                                                                 {"shards", kProcess},
                                                                                 {"slowlog-log-slower-than", kProcess},
                                                                                 {"slowlog-max-len", kProcess}}};

std::string_view group_of(const Option& option) {
  for (const auto& [name, group] : kGroups) {
    if (name == option.name) return group;
  }
  return kData;
}

struct Flags {
  CLI::Option* config = nullptr;
  CLI::Option* file = nullptr;
  std::vector<std::pair<std::string_view, CLI::Option*>> settings;
};

void add_flag(CLI::App& app, Flags& flags, const Option& option, const Config& defaults) {
  const std::string value = option.get(defaults);
  std::string help(option.help);
  if (!value.empty()) help += " [" + value + "]";
  CLI::Option* added = app.add_option("--" + std::string(option.name))
                           ->description(help)
                           ->group(std::string(group_of(option)))
                           ->type_name(std::string(option.value_name));
  if (option.name == "bind") {
    added->expected(1, -1)->allow_extra_args()->type_name("ADDRESS");
  } else {
    added->expected(option.value_name == "yes|no" ? 0 : 1, 1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  flags.settings.emplace_back(option.name, added);
}

Flags add_flags(CLI::App& app, const Config& defaults) {
  Flags flags;
  flags.config = app.add_option("--config")->description("read this file before the command line")->type_name("FILE");
  flags.file = app.add_option("FILE")->description("the same, as redis-server takes it")->type_name("");
  for (const std::string_view group : {kNetwork, kClients, kData, kProcess}) {
    for (const Option& option : options()) {
      if (group_of(option) == group) add_flag(app, flags, option, defaults);
    }
  }
  // What a redis-server command line may hold is taken, though there is nothing to choose: no group, so not in --help.
  for (const FixedOption& fixed : fixed_options()) {
    CLI::Option* added = app.add_option("--" + std::string(fixed.name))->expected(1, -1)->allow_extra_args()->group("");
    flags.settings.emplace_back(fixed.name, added);
  }
  return flags;
}

std::string value_of(const CLI::Option& flag) {
  const bool alone = flag.get_expected_min() == 0 && flag.results().back().empty();
  if (alone) return "yes";
  if (flag.get_expected_max() == 1) return flag.results().back();
  std::string words;
  for (const std::string& word : flag.results()) words += (words.empty() ? "" : " ") + word;
  return words;
}

Result<void> apply(const CLI::App& app, const Flags& flags, Config& config) {
  const std::vector<std::string> unknown = app.remaining();
  if (!unknown.empty()) {
    const bool option = unknown.front().starts_with('-');
    return Error{Errc::kInvalid, 0, (option ? "unknown option '" : "unexpected argument '") + unknown.front() + "'"};
  }
  if (flags.config->count() + flags.file->count() > 1) {
    return Error{Errc::kInvalid, 0, "only one config file can be named; it can include others"};
  }
  for (const CLI::Option* file : {flags.config, flags.file}) {
    if (file->count() == 0) continue;
    auto loaded = load_config_file(file->results().back(), config);
    if (!loaded) return loaded.error();
  }
  for (const auto& [name, flag] : flags.settings) {
    if (flag->count() == 0) continue;
    auto set = set_option(config, name, value_of(*flag));
    if (set) continue;
    Error error = set.error();
    error.detail = "--" + error.detail;
    return error;
  }
  return check_config(config);
}

}  // namespace

std::optional<int> read_server_options(int argc, const char* const* argv, Config& config, std::ostream& out,
                                       std::ostream& err) {
  CLI::App app(kAbout, "minod");
  app.set_version_flag("--version", "minod " MINOD_VERSION);
  app.footer(kExamples);
  app.allow_extras();
  app.get_formatter()->column_width(42);
  const Flags flags = add_flags(app, config);
  const auto refuse = [&err](const std::string& why) {
    err << "minod: " << why << "; minod --help lists the options\n";
    return kExitUsage;
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    app.exit(asked, out, err);
    return 0;
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  }
  auto applied = apply(app, flags, config);
  if (!applied) return refuse(applied.error().message());
  return std::nullopt;
}

}  // namespace minod
