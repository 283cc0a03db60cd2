#include "tools/bench_arguments.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "base/size_text.h"

namespace minod::bench {

namespace {

constexpr const char* kFooter = R"(examples:
  minod-bench --load --ycsb B --threads 2 --pipeline 16
      writes every key, then finds how much YCSB's mostly-read workload the server takes
  minod-bench --rate 20000 --poisson --mix get=80,set=20 --duration 60 --json run.json
      what clients who come 20000 times a second would see, with a point for each second in run.json

exit codes: 0 ok, 1 error replies or wrong reads, 2 usage, 3 connection refused or lost)";

// An option whose text `parse` turns into `target`.
template <class T, class Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, T& target, Parse parse,
                        const std::string& description) {
  const auto take = [&target, parse](const std::string& text) {
    auto value = parse(text);
    if (!value) throw CLI::ValidationError(value.error().detail);
    target = static_cast<T>(*value);
  };
  return app.add_option_function<std::string>(name, take, description);
}

void add_target(CLI::App& app, Options& options) {
  app.add_option("--host", options.address.host, "server's name or address")->capture_default_str();
  app.add_option("-p,--port", options.address.port, "server's port")->capture_default_str();
  app.add_option("-s,--socket", options.address.unix_path, "unix socket, instead of host and port");
  app.add_option("-u,--user", options.address.user, "user to log in as; without it, the default user");
  app.add_option("-a,--password", options.address.password, "password")->envname("MINOD_BENCH_PASSWORD");
  app.add_option("--db", options.address.db, "database number")->check(CLI::Range(0, 1'000'000))->capture_default_str();
}

void add_load(CLI::App& app, Options& options) {
  app.add_option("-t,--threads", options.threads)->check(CLI::Range(1u, kThreadsMax))->capture_default_str();
  app.add_option("-c,--connections", options.connections, "of all threads together")
      ->check(CLI::Range(1u, kConnectionsMax))
      ->capture_default_str();
  app.add_option("-P,--pipeline", options.pipeline, "requests under way on one connection")
      ->check(CLI::Range(1u, kPipelineMax))
      ->capture_default_str();
  app.add_flag(
      "--lockstep", options.lockstep,
      "send a pipeline when all of the last is answered, as redis-benchmark does; without it, request by request");
  add_parsed(app, "-r,--rate", options.rate, parse_size, "requests a second, open loop; without it, closed loop");
  app.add_flag("--poisson", options.poisson, "random arrivals instead of even ones; with --rate");
  app.add_option("--warmup", options.warmup_seconds, "seconds that are not measured")
      ->check(CLI::Range(0.0, kSecondsMax))
      ->capture_default_str();
  app.add_option("-d,--duration", options.duration_seconds, "seconds that are; 0 with --load only loads")
      ->check(CLI::Range(0.0, kSecondsMax))
      ->capture_default_str();
  add_parsed(app, "-n,--requests", options.requests, parse_size,
             "this many requests instead of a duration, no warm-up");
}

void add_workload(CLI::App& app, Options& options) {
  add_parsed(app, "--mix", options.mix, parse_mix,
             "get, set, setex, del, mget, incr, insert, rmw, ping: get=80,set=20 (default get)");
  app.add_option("--ycsb", options.ycsb, "core workload A, B, C, D or F, with its mix and distribution")
      ->excludes("--mix");
  add_parsed(app, "--distribution", options.distribution, parse_distribution,
             "uniform (default), zipfian[:theta], latest[:theta], hotspot[:keys:requests], sequential");
  add_parsed(app, "-k,--keys", options.keys, parse_size, "number of keys (default 100000)");
  app.add_option("--key-prefix", options.key_prefix, "before 12 digits")->capture_default_str();
  app.add_option("--mget-keys", options.mget_keys)->check(CLI::Range(1u, kMgetKeysMax))->capture_default_str();
  add_parsed(app, "--value", options.values, ValueSizes::parse,
             "size: 100 (default), 4kb, uniform:16-1024, lognormal:200-0.8 (median, sigma)");
  app.add_option("--compressible", options.compressible, "part of each value that compresses to nothing")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  add_parsed(app, "--ttl", options.ttl, parse_ttl, "seconds that written keys live: 60 or 30-90 (default: for ever)");
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_flag("--load", options.load, "write every key once before the run");
  app.add_flag("--verify", options.verify,
               "stamp values; check each read against the last acknowledged write (load with it too)");
}

void add_output(CLI::App& app, Options& options) {
  app.add_option("--json", options.json_path, "write the whole result here; - is stdout");
  app.add_option("--csv", options.csv_path, "write a table of operations here");
  app.add_option("--hdr", options.hdr_path, "write an HdrHistogram percentile table (us) here");
  app.footer(kFooter);
  app.set_version_flag("--version", "minod-bench " MINOD_VERSION);
}

// Settles what options mean together, after each was read.
Result<void> complete_options(const CLI::App& app, Options& options) {
  if (!options.ycsb.empty()) {
    auto applied = apply_ycsb(options, options.ycsb, app.count("--distribution") != 0);
    if (!applied) return applied.error();
    if (app.count("--value") == 0) options.values = ValueSizes::fixed(1000);
  }
  return settle(options);
}

}  // namespace

std::optional<int> read_arguments(int argc, char** argv, Options& options) {
  CLI::App app("Puts load on a server that speaks the Redis protocol, and measures it.", "minod-bench");
  add_target(app, options);
  add_load(app, options);
  add_workload(app, options);
  add_output(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  if (auto completed = complete_options(app, options); !completed) {
    std::fprintf(stderr, "minod-bench: %s\n", completed.error().detail.c_str());
    return kExitUsage;
  }
  return std::nullopt;
}

}  // namespace minod::bench
