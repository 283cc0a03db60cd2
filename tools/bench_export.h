// What a run found, for programs.
#pragma once

#include <string>

#include "base/result.h"
#include "tools/bench_options.h"
#include "tools/bench_run.h"

namespace minod::bench {

// Latencies are in microseconds in all three.
std::string report_json(const Options& options, const Outcome& outcome);
std::string report_csv(const Outcome& outcome);  // a row for each operation, and one for all
std::string report_hdr(const Outcome& outcome);  // of all operations together

Result<void> write_text(const std::string& path, const std::string& text);  // "-" is stdout

}  // namespace minod::bench
