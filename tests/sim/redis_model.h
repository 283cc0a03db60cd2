// What Redis does with a command, to a std::map: what a store is compared with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "log/record.h"

namespace minod {

using Command = std::vector<std::string>;

struct Stored {
  std::string value;
  UnixMillis expires_at = kNeverExpires;
  friend bool operator==(const Stored&, const Stored&) = default;
};
using State = std::map<std::string, Stored>;

// Without what has expired.
State visible(const State& state, UnixMillis now);

// Carries out SET [PX], MSET, DEL, GET, APPEND, FLUSHDB, RENAME, PEXPIREAT or PERSIST on a visible() state. Returns the
// reply's RESP2 bytes.
std::string apply(State& state, const Command& command, UnixMillis now);

// The keys whose values differ, for a message.
std::string difference(const State& expected, const State& found);

}  // namespace minod
