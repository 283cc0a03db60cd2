// minod-cli: one command, commands from stdin, a session on a terminal, or one of the modes that --help names.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <thread>

#include "net/resp/words.h"
#include "tools/cli_options.h"
#include "tools/cli_pipe.h"
#include "tools/cli_repl.h"
#include "tools/cli_session.h"
#include "tools/cli_watch.h"

namespace minod {

namespace {

// What minod-cli calls otherwise than the server: `promote` makes a replica lead, refused unless nothing acknowledged
// can be lost; `promote --accept-loss` at once.
std::vector<std::string> server_words(const std::vector<std::string>& words) {
  if (words == std::vector<std::string>{"promote"}) return {"REPLICAOF", "NO", "ONE"};
  if (words == std::vector<std::string>{"promote", "--accept-loss"}) return {"FAILOVER", "TAKEOVER"};
  return words;
}

int run_command(CliSession& session, const CliOptions& options) {
  std::vector<std::string> words = server_words(options.command);
  if (options.last_argument_from_stdin) {
    words.emplace_back(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  const std::int64_t repeat = options.repeat.value_or(1);
  int worst = kExitOk;
  for (std::int64_t i = 0; repeat < 0 || i < repeat; ++i) {
    const int status = session.run(words);
    worst = std::max(worst, status);
    if (status == kExitConnection) return status;
    std::fflush(stdout);
    const bool last = repeat >= 0 && i + 1 == repeat;
    if (!last) std::this_thread::sleep_for(std::chrono::duration<double>(options.interval_seconds));
  }
  return worst;
}

int run_lines(CliSession& session) {
  std::string line;
  std::vector<std::string> words;
  int worst = kExitOk;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    if (!resp::split_words(line, words)) {
      std::fprintf(stderr, "stdin, line %zu: a quote is not closed, or not at the end of its word\n", number);
      worst = std::max(worst, kExitUsage);
      continue;
    }
    if (words.empty()) continue;
    const int status = session.run(words);
    worst = std::max(worst, status);
    if (status == kExitConnection) return status;
  }
  return worst;
}

int run(const CliOptions& options) {
  CliSession session(options);
  switch (options.mode) {
    case CliMode::kScan:
      return print_keys(session, options);
    case CliMode::kStat:
      return print_counters(session, options);
    case CliMode::kLatency:
      return print_latency(session, options);
    case CliMode::kPipe: {
      const int connected = session.ensure_connected();
      return connected == kExitOk ? transfer_stdin(session.client()) : connected;
    }
    case CliMode::kCommand:
      break;
  }
  if (!options.command.empty()) return run_command(session, options);
  return isatty(STDIN_FILENO) != 0 ? run_terminal(session) : run_lines(session);
}

}  // namespace

}  // namespace minod

int main(int argc, char** argv) {
  minod::CliOptions options;
  if (const auto status = minod::parse_cli_options(argc, argv, options)) return *status;
  return minod::run(options);
}
