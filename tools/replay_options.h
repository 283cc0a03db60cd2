// What minod-replay was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "net/resp/client.h"
#include "replay/log_walk.h"
#include "tools/key_filter.h"

namespace minod::replay {

inline constexpr int kExitOk = 0;
inline constexpr int kExitErrors = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitIo = 3;

struct Options {
  std::string directory;
  std::optional<resp::Address> to;  // exactly one of these two, or a dry run
  std::string to_directory;
  bool force = false;
  bool dry_run = false;
  LogRange range;
  UnixMillis until_time = kNeverExpires;  // exclusive
  std::optional<int> db;
  KeyFilter keys;
  std::uint64_t rate = 0;  // records a second; 0: as fast as it goes
};

}  // namespace minod::replay
