#include "tools/dump_arguments.h"

#include <CLI/CLI.hpp>
#include <string>

#include "store/limits.h"
#include "tools/time_text.h"

namespace minod::dump {

namespace {

constexpr const char* kFooter = R"(examples:
  minod-dump /var/lib/minod
      what segments there are, and whether they are sound
  minod-dump /var/lib/minod --records --prefix user: --start-time -15m
      every change of these keys in the last quarter of an hour
  minod-dump /var/lib/minod --verify -q || echo "damaged: $?"

Reads only, and takes no lock: minod may be running on the directory.
times: 2026-11-21T07:00:01Z or with a zone like +02:00, @1795244401, 1795244401000 (ms), -15m (ago); printed in UTC
exit codes: 0 clean, 1 damage found, 2 usage, 3 only a torn end of an active segment (minod cuts it when it starts,
            and nothing acknowledged is lost), 4 file can't be read)";

void add_time(CLI::App& app, const std::string& name, UnixMillis& target, UnixMillis now,
              const std::string& description) {
  const auto take = [&target, now](const std::string& text) {
    const auto time = parse_time(text, now);
    if (!time) throw CLI::ValidationError(time.error().detail);
    target = *time;
  };
  app.add_option_function<std::string>(name, take, description);
}

void add_offset(CLI::App& app, const std::string& name, Offset& target, const std::string& description) {
  const auto take = [&target](const std::int64_t& value) { target = Offset(value); };
  app.add_option_function<std::int64_t>(name, take, description)->check(CLI::NonNegativeNumber);
}

void add_mode(CLI::App& app, const std::string& name, Options& options, Mode mode, const std::string& description) {
  app.add_flag_callback(
      name, [&options, mode] { options.mode = mode; }, description);
}

void add_options(CLI::App& app, Options& options, UnixMillis now) {
  app.add_option("PATH", options.paths, "data directories, partition directories (dbN-P) or .log files")->required();
  add_mode(app, "--batches", options, Mode::kBatches, "list batches instead of segments");
  add_mode(app, "--records", options, Mode::kRecords, "list records under their batches");
  add_mode(app, "--keys", options, Mode::kKeys, "only the key of each record, in the order of the log");
  add_mode(app, "--verify", options, Mode::kVerify,
           "check everything: checksums, records, order, index files, the end");
  app.add_flag("--json", options.json, "one JSON object a line; what is not UTF-8 as {\"b64\": ...}");
  app.add_flag("-q,--quiet", options.quiet, "with --verify: say nothing when all is well");
  add_offset(app, "--from", options.range.from, "first offset");
  add_offset(app, "--to", options.range.until, "end before this offset (exclusive)");
  add_time(app, "--start-time", options.start_time, now, "records from this time on");
  add_time(app, "--end-time", options.end_time, now, "records before this time (exclusive)");
  app.add_option("--prefix", options.keys.prefix, "records of keys that begin so");
  app.add_option("--match", options.keys.match, "records of keys that match the pattern, as KEYS takes it");
  app.add_option("-n,--limit", options.limit, "at most so many lines of what is listed")->check(CLI::PositiveNumber);
  app.add_option("--db", options.db, "only this database")->check(CLI::Range(0, kDatabases - 1));
  app.add_option("--value-max", options.value_max, "bytes of a value that are shown (default 64; all with --json)");
  app.footer(kFooter);
  app.set_version_flag("--version", "minod-dump " MINOD_VERSION);
}

}  // namespace

std::optional<int> read_arguments(int argc, char** argv, UnixMillis now, Options& options) {
  CLI::App app("Shows what is in a minod log, and whether it is sound.", "minod-dump");
  add_options(app, options, now);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitClean : kExitUsage;
  }
  return std::nullopt;
}

}  // namespace minod::dump
