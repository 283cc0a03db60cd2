// The command line of minod-replay.
#pragma once

#include <optional>

#include "tools/replay_options.h"

namespace minod::replay {

// Fills `options`; an exit code when there is nothing to run: --help, --version, or a mistake that was told.
std::optional<int> read_arguments(int argc, char** argv, UnixMillis now, Options& options);

}  // namespace minod::replay
