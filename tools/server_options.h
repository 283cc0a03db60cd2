// minod's command line. Every option of net/config.h is a flag of the same name; a config file is read before them.
#pragma once

#include <iosfwd>
#include <optional>

#include "net/config.h"

namespace minod {

inline constexpr int kExitUsage = 2;

// Reads the command line, and the config file it names, into `config`, which holds the defaults. Nothing: go on.
// A number: exit with it; help or version is on `out`, or the one line that says what is wrong on `err`.
std::optional<int> read_server_options(int argc, const char* const* argv, Config& config, std::ostream& out,
                                       std::ostream& err);

}  // namespace minod
