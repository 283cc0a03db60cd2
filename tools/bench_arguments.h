// The command line of minod-bench.
#pragma once

#include <optional>

#include "tools/bench_options.h"

namespace minod::bench {

inline constexpr int kExitOk = 0;
inline constexpr int kExitErrors = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConnection = 3;

// Fills `options`. A number is the code to exit with at once: help was asked for, or the usage is wrong and stderr says
// how.
std::optional<int> read_arguments(int argc, char** argv, Options& options);

}  // namespace minod::bench
