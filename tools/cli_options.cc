#include "tools/cli_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace minod {

namespace {

constexpr const char* kFooter = R"(Examples:
  minod-cli SET greeting "hello world" EX 60
  minod-cli -u redis://:secret@cache.example:6379/2 --scan --pattern 'user:*'
  minod-cli -p 7002 promote        # this replica leads from now on; --accept-loss: whatever is lost

Without a command: a session on a terminal, else one command from each line of stdin.
Environment: MINOD_URL is the default of -u; REDISCLI_AUTH is the password unless -a or the URL has one.
Exit status: 0 success, 1 error reply, 2 wrong usage, 3 no connection.)";

class UsageWithCommand : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
    return "Usage: minod-cli [OPTIONS] [COMMAND [ARGUMENT...]]\n";
  }
};

// As they stand on the command line, before they are weighed against each other.
struct Given {
  std::string url, host, unix_path, password, user;
  std::uint16_t port = 0;
  int db = -1;
  bool resp2 = false, resp3 = false;
  bool raw = false, no_raw = false, json = false;
  bool pipe = false, scan = false, stat = false, latency = false;
  std::int64_t repeat = 0;
};

void declare_connection(CLI::App& app, Given& given) {
  app.add_option("-h,--host", given.host, "Server's name or address (127.0.0.1)")->group("Connection");
  app.add_option("-p,--port", given.port, "Server's port (6379)")->group("Connection");
  app.add_option("-s,--socket", given.unix_path, "Unix socket, instead of host and port")->group("Connection");
  app.add_option("-u,--url", given.url, "redis://[[user]:password@]host[:port][/db] or unix:///path[?db=n]")
      ->envname("MINOD_URL")
      ->group("Connection");
  app.add_option("-a,--pass", given.password, "Password; REDISCLI_AUTH keeps it out of the process list")
      ->group("Connection");
  app.add_option("--user", given.user, "User name, with a password")->group("Connection");
  app.add_option("-n,--db", given.db, "Database number")->check(CLI::NonNegativeNumber)->group("Connection");
  CLI::Option* resp2 = app.add_flag("-2,--resp2", given.resp2, "Speak RESP2 (the default)")->group("Connection");
  app.add_flag("-3,--resp3", given.resp3, "Speak RESP3")->excludes(resp2)->group("Connection");
}

void declare_output(CLI::App& app, Given& given) {
  CLI::Option* raw = app.add_flag("--raw", given.raw, "Replies as they are (the default off a terminal)");
  CLI::Option* no_raw = app.add_flag("--no-raw", given.no_raw, "Replies with types and quotes (the default on one)");
  CLI::Option* json = app.add_flag("--json", given.json, "One JSON document a reply; bytes not UTF-8: {\"b64\":...}");
  for (CLI::Option* option : {raw, no_raw, json}) option->group("Output");
  no_raw->excludes(raw);
  json->excludes(raw)->excludes(no_raw);
}

void declare_work(CLI::App& app, Given& given, CliOptions& options) {
  app.add_option("-r,--repeat", given.repeat, "Run the command this many times; -1: without end")->group("Work");
  app.add_option("-i,--interval", options.interval_seconds, "Seconds between repetitions, such as 0.1")
      ->check(CLI::NonNegativeNumber)
      ->group("Work");
  app.add_flag("-x", options.last_argument_from_stdin, "Read the command's last argument from stdin")->group("Work");
  CLI::Option* pipe = app.add_flag("--pipe", given.pipe, "Send raw protocol from stdin, count the replies");
  CLI::Option* scan = app.add_flag("--scan", given.scan, "List keys by SCAN");
  CLI::Option* stat = app.add_flag("--stat", given.stat, "Print the server's counters every second, or -i");
  CLI::Option* latency = app.add_flag("--latency", given.latency, "Measure PING; off a terminal for one second, or -i");
  for (CLI::Option* option : {pipe, scan, stat, latency}) option->group("Work");
  stat->excludes(pipe)->excludes(scan)->excludes(latency);
  latency->excludes(pipe)->excludes(scan);
  pipe->excludes(scan);
  app.add_option("--pattern", options.pattern, "With --scan: only keys that match this glob")
      ->needs(scan)
      ->group("Work");
  app.add_option("--count", options.count, "With --scan: COUNT of each SCAN")
      ->needs(scan)
      ->check(CLI::PositiveNumber)
      ->group("Work");
}

// A password or a name that is given by itself wins over the URL's, and the URL's over the environment's.
Result<resp::Address> address_of(const Given& given) {
  resp::Address address;
  if (!given.url.empty()) {
    const Result<resp::Address> parsed = resp::parse_address(given.url);
    if (!parsed) return parsed.error();
    address = *parsed;
  }
  if (!given.host.empty() || given.port != 0) address.unix_path.clear();
  if (!given.host.empty()) address.host = given.host;
  if (given.port != 0) address.port = given.port;
  if (!given.unix_path.empty()) address.unix_path = given.unix_path;
  if (given.db >= 0) address.db = given.db;
  if (!given.user.empty()) address.user = given.user;
  if (!given.password.empty()) address.password = given.password;
  const char* const password = std::getenv("REDISCLI_AUTH");
  if (address.password.empty() && password != nullptr) address.password = password;
  return address;
}

void decide(const Given& given, CliOptions& options) {
  if (given.raw) options.output = CliOutput::kRaw;
  if (given.no_raw) options.output = CliOutput::kReadable;
  if (given.json) options.output = CliOutput::kJson;
  if (given.pipe) options.mode = CliMode::kPipe;
  if (given.scan) options.mode = CliMode::kScan;
  if (given.stat) options.mode = CliMode::kStat;
  if (given.latency) options.mode = CliMode::kLatency;
  // JSON wants to know maps from arrays, which only RESP3 tells.
  options.protocol = given.resp3 || (given.json && !given.resp2) ? 3 : 2;
}

int wrong_usage(const std::string& what) {
  std::fprintf(stderr, "minod-cli: %s\nRun minod-cli --help for the options and two examples.\n", what.c_str());
  return kExitUsage;
}

}  // namespace

std::optional<int> parse_cli_options(int argc, const char* const* argv, CliOptions& options) {
  CLI::App app("Talk to minod, or to any server of the Redis protocol.", "minod-cli");

  app.set_help_flag("--help", "Print this help");
  app.set_version_flag("--version", "minod-cli " MINOD_VERSION);
  app.formatter(std::make_shared<UsageWithCommand>());
  app.footer(kFooter);
  app.prefix_command();  // all from the first word of the command belongs to the command
  Given given;
  declare_connection(app, given);
  declare_output(app, given);
  declare_work(app, given, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return wrong_usage(error.what());
  }

  options.command = app.remaining();
  const bool ended = !options.command.empty() && options.command.front() == "--";
  if (ended) options.command.erase(options.command.begin());
  if (!ended && !options.command.empty() && options.command.front().starts_with('-')) {
    return wrong_usage("no option is called " + options.command.front());
  }
  const Result<resp::Address> address = address_of(given);
  if (!address) return wrong_usage(address.error().message());
  options.address = *address;
  decide(given, options);
  if (app.count("--repeat") != 0) options.repeat = given.repeat;
  if (options.mode != CliMode::kCommand && !options.command.empty()) {
    return wrong_usage("a command can't be combined with --pipe, --scan, --stat or --latency");
  }
  if (options.last_argument_from_stdin && options.command.empty()) return wrong_usage("-x needs a command");
  return std::nullopt;
}

}  // namespace minod
