// minod-cli on a terminal: lines with editing, history and completion, until the user has enough.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/cli_session.h"

namespace minod {

// Returns an exit status: of the connection, not of the single commands.
int run_terminal(CliSession& session);

// Whether a line has a password in it and so must not be kept.
bool is_secret(const std::vector<std::string>& words);

// What TAB adds to `line`: the common beginning of all the names that begin with it, in the case that is being typed.
std::string completion_of(std::string_view line, const std::vector<std::string>& names);

}  // namespace minod
