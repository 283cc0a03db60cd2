// The command line of minod-dump.
#pragma once

#include <optional>

#include "tools/dump_options.h"

namespace minod::dump {

// Fills `options`; an exit code when there is nothing to run: --help, --version, or a mistake that was told.
std::optional<int> read_arguments(int argc, char** argv, UnixMillis now, Options& options);

}  // namespace minod::dump
