// One phase of a benchmark, from the first connection to the last reply.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/bench_ledger.h"
#include "tools/bench_options.h"
#include "tools/bench_series.h"
#include "tools/bench_tally.h"

namespace minod::bench {

struct Outcome {
  Tally tally{Window{}};
  double seconds = 0;              // from the end of the warm-up to the last reply
  std::vector<double> cpu_shares;  // of each generator thread
  std::uint64_t backlog_max = 0;   // slots due and unsent; of an open loop
  std::uint64_t backlog_at_end = 0;
  std::uint64_t connections_lost = 0;
  bool interrupted = false;
  std::string server;                        // "redis 7.0.15"
  std::optional<double> server_cpu_seconds;  // in the measured time; nothing when INFO does not say
  std::vector<SeriesPoint> series;

  double per_second(std::uint64_t count) const { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }
  std::uint64_t measured() const { return tally.latency_of_all().count(); }
  std::optional<double> server_cpu_per_million() const;
  bool client_bound() const;
};

// What the phases of one process have in common.
struct Stage {
  std::atomic<std::uint64_t>& newest;
  Ledger* ledger;                 // nullptr unless --verify
  const std::atomic<bool>& stop;  // set by Ctrl-C
  bool shows_progress;            // on stderr
};

// An error means that nothing was measured: the server can't be reached or refuses to talk.
Result<Outcome> run_phase(const Options& options, const Stage& stage);

}  // namespace minod::bench
