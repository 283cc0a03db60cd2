// What minod-cli was asked to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/resp/client.h"

namespace minod {

enum class CliMode : std::uint8_t { kCommand, kPipe, kScan, kStat, kLatency };
enum class CliOutput : std::uint8_t { kAuto, kReadable, kRaw, kJson };  // kAuto: readable on a terminal, else raw

struct CliOptions {
  CliMode mode = CliMode::kCommand;
  CliOutput output = CliOutput::kAuto;
  resp::Address address;
  int protocol = 2;
  std::optional<std::int64_t> repeat;  // negative: without end
  double interval_seconds = 0;         // between repetitions
  bool last_argument_from_stdin = false;
  std::string pattern;               // of --scan
  std::int64_t count = 0;            // of --scan; 0: as the server likes
  std::vector<std::string> command;  // empty: a session
};

// Exit statuses of minod-cli.
inline constexpr int kExitOk = 0;
inline constexpr int kExitErrorReply = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConnection = 3;

// Fills `options` from the arguments and the environment, or returns the exit status when there is nothing more to do:
// help or the version was printed, or the arguments are wrong, which was said on stderr.
std::optional<int> parse_cli_options(int argc, const char* const* argv, CliOptions& options);

}  // namespace minod
