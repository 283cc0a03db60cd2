// minod-bench: load for any server that speaks the Redis protocol, and what came of it. How it measures:
// tools/bench_schedule.h.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>

#include "tools/bench_arguments.h"
#include "tools/bench_export.h"
#include "tools/bench_report.h"

namespace minod::bench {

namespace {

std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler stores to it");

// The first Ctrl-C ends the run; the handler is then reset, so that a second one ends the process.
void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_asked.store(true); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

int complain(const Error& error, int code) {
  std::fprintf(stderr, "minod-bench: %s\n", error.message().c_str());
  return code;
}

Result<void> write_exports(const Options& options, const Outcome& outcome) {
  Result<void> done;
  if (!options.json_path.empty()) done = write_text(options.json_path, report_json(options, outcome));
  if (done && !options.csv_path.empty()) done = write_text(options.csv_path, report_csv(outcome));
  if (done && !options.hdr_path.empty()) done = write_text(options.hdr_path, report_hdr(outcome));
  return done;
}

// Before the run, so that a path that can't be written does not cost it.
Result<void> try_paths(const Options& options) {
  for (const std::string& path : {options.json_path, options.csv_path, options.hdr_path}) {
    if (path.empty()) continue;
    auto opened = write_text(path, "");
    if (!opened) return opened.error();
  }
  return {};
}

int code_of(const Outcome& outcome) {
  if (outcome.connections_lost != 0) return kExitConnection;
  return outcome.tally.errors() != 0 ? kExitErrors : kExitOk;
}

int run(const Options& options) {
  const bool stdout_taken = options.json_path == "-" || options.csv_path == "-" || options.hdr_path == "-";
  std::FILE* const people = stdout_taken ? stderr : stdout;
  std::atomic<std::uint64_t> newest{options.keys};
  std::optional<Ledger> ledger;
  if (options.verify) ledger.emplace(options.keys, static_cast<std::uint32_t>(std::time(nullptr)), options.ttl.used());
  const Stage stage{newest, ledger ? &*ledger : nullptr, stop_asked, ::isatty(STDERR_FILENO) == 1};

  int code = kExitOk;
  if (options.load) {
    const Options loading = load_phase(options);
    auto loaded = run_phase(loading, stage);
    if (!loaded) return complain(loaded.error(), kExitConnection);
    std::fputs(load_text(loading, *loaded).c_str(), people);
    code = code_of(*loaded);
  }
  if (code == kExitConnection || stop_asked || !options.runs()) return code;

  auto outcome = run_phase(options, stage);
  if (!outcome) return complain(outcome.error(), kExitConnection);
  std::fputs(report_text(options, *outcome).c_str(), people);
  auto written = write_exports(options, *outcome);
  if (!written) return complain(written.error(), kExitErrors);
  return std::max(code, code_of(*outcome));
}

int run_bench(int argc, char** argv) {
  Options options;
  if (const auto code = read_arguments(argc, argv, options)) return *code;
  if (auto writable = try_paths(options); !writable) return complain(writable.error(), kExitUsage);
  stop_on_signals();
  return run(options);
}

}  // namespace

}  // namespace minod::bench

int main(int argc, char** argv) { return minod::bench::run_bench(argc, argv); }
