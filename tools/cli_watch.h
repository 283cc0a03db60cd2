// The modes of minod-cli that ask the server again and again: --scan, --stat, --latency. Each returns an exit status.
#pragma once

#include "tools/cli_options.h"
#include "tools/cli_session.h"

namespace minod {

int print_keys(CliSession& session, const CliOptions& options);
int print_counters(CliSession& session, const CliOptions& options);
int print_latency(CliSession& session, const CliOptions& options);

}  // namespace minod
