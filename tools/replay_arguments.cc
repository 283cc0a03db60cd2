#include "tools/replay_arguments.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "base/size_text.h"
#include "store/limits.h"
#include "tools/time_text.h"

namespace minod::replay {

namespace {

constexpr const char* kFooter = R"(examples:
  minod-replay /var/lib/minod --to redis://127.0.0.1:6379
      brings another server to the state of this log
  minod-replay /var/lib/minod --to-dir /var/lib/minod.before --until-time 2026-11-21T06:59:00Z
      a data directory as it was then; start it with minod --dir
  minod-replay /var/lib/minod --until-time -15m --dry-run

Ends of ranges are exclusive. Offsets count in each partition; times cut each partition before its first record that is
not earlier. Reads only, and takes no lock: minod may be running on DIR. FLUSHDB is sent once for each database, first;
with --match or --prefix not at all.
times: 2026-11-21T07:00:01Z or with a zone like +02:00, @1795244401, 1795244401000 (ms), -15m (ago)
exit codes: 0 ok, 1 error replies or a damaged log, 2 usage, 3 file or connection failed)";

void add_target(CLI::App& app, Options& options) {
  const auto take = [&options](const std::string& text) {
    auto address = resp::parse_address(text);
    if (!address) throw CLI::ValidationError(address.error().detail);
    options.to = std::move(*address);
  };
  app.add_option("DIR", options.directory, "data directory")->required();
  auto* const to = app.add_option_function<std::string>("--to", take, "server: redis://[[user]:password@]host[:port]");
  app.add_option("--to-dir", options.to_directory, "new data directory to make instead")->excludes(to);
  app.add_flag("--force", options.force, "with --to-dir: replace the partitions of a directory that is not empty");
  app.add_flag("--dry-run", options.dry_run, "only count: what is in the range, and where it ends");
}

void add_range(CLI::App& app, Options& options, UnixMillis now) {
  const auto offset = [](Offset& target) { return [&target](const std::int64_t& value) { target = Offset(value); }; };
  const auto time = [&options, now](const std::string& text) {
    const auto parsed = parse_time(text, now);
    if (!parsed) throw CLI::ValidationError(parsed.error().detail);
    options.until_time = *parsed;
  };
  const auto rate = [&options](const std::string& text) {
    const auto parsed = parse_size(text);
    if (!parsed || *parsed == 0) throw CLI::ValidationError("'" + text + "' is not a rate; write 5000 or 20k");
    options.rate = *parsed;
  };
  app.add_option_function<std::int64_t>("--from-offset", offset(options.range.from), "first offset")
      ->check(CLI::NonNegativeNumber);
  app.add_option_function<std::int64_t>("--until-offset", offset(options.range.until),
                                        "end before this offset (exclusive)")
      ->check(CLI::NonNegativeNumber);
  app.add_option_function<std::string>("--until-time", time, "end before the first record of this time (exclusive)");
  app.add_option("--db", options.db, "only this database; with redis://host/N it goes to database N")
      ->check(CLI::Range(0, kDatabases - 1));
  app.add_option("--match", options.keys.match, "only keys that match the pattern, as KEYS takes it");
  app.add_option("--prefix", options.keys.prefix, "only keys that begin so");
  app.add_option_function<std::string>("--rate", rate, "records a second at most");
}

// What options mean together.
const char* mistake_in(const Options& options) {
  if (!options.to && options.to_directory.empty() && !options.dry_run) return "say --to, --to-dir or --dry-run";
  if (options.to && options.to->db != 0 && !options.db) return "a database in --to needs --db: which one goes there?";
  if (!options.to_directory.empty() && !options.keys.all()) {
    return "--match and --prefix are for --to: a log with gaps is no data directory";
  }
  if (options.force && options.to_directory.empty()) return "--force is for --to-dir";
  return nullptr;
}

}  // namespace

std::optional<int> read_arguments(int argc, char** argv, UnixMillis now, Options& options) {
  CLI::App app("Applies the changes of a minod log again, in order: to a server, or as a new data directory.",
               "minod-replay");
  add_target(app, options);
  add_range(app, options, now);
  app.footer(kFooter);
  app.set_version_flag("--version", "minod-replay " MINOD_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (const char* const mistake = mistake_in(options)) {
    std::fprintf(stderr, "minod-replay: %s\n", mistake);
    return kExitUsage;
  }
  return std::nullopt;
}

}  // namespace minod::replay
