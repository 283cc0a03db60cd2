// What a run found, for people. How it was measured: tools/bench_schedule.h.
#pragma once

#include <array>
#include <string>

#include "tools/bench_options.h"
#include "tools/bench_run.h"

namespace minod::bench {

struct Quantile {
  const char* name;
  double value;
};
inline constexpr std::array<Quantile, 5> kQuantiles{
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}}};

std::string report_text(const Options& options, const Outcome& outcome);
std::string progress_text(const SeriesPoint& point);                    // one line, without its end
std::string load_text(const Options& options, const Outcome& outcome);  // one line, and the errors if there are any

}  // namespace minod::bench
