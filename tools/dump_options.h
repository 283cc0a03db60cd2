// What minod-dump was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "replay/log_walk.h"
#include "tools/key_filter.h"

namespace minod::dump {

enum class Mode : std::uint8_t { kSegments, kBatches, kRecords, kKeys, kVerify };

inline constexpr int kExitClean = 0;
inline constexpr int kExitDamage = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitTorn = 3;
inline constexpr int kExitIo = 4;

struct Options {
  std::vector<std::string> paths;
  Mode mode = Mode::kSegments;
  bool json = false;
  bool quiet = false;
  LogRange range;
  UnixMillis start_time{std::numeric_limits<std::int64_t>::min()};
  UnixMillis end_time = kNeverExpires;  // exclusive
  KeyFilter keys;
  std::optional<std::int64_t> limit;
  std::optional<int> db;
  std::optional<std::size_t> value_max;  // 64 for people, all for JSON
};

}  // namespace minod::dump
