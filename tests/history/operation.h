// What clients did to one key and what they were told: the history that is checked for linearizability.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace minod::history {

// Of one counter for all clients: an operation that ended before another started has the smaller ticket. No two moments
// share one.
using Ticket = std::int64_t;
inline constexpr Ticket kNever = std::numeric_limits<Ticket>::max();

// A value that one write of the history writes, and no other.
using Value = std::uint64_t;

struct Operation {
  enum class Kind : std::uint8_t {
    kWrite,  // of `value`
    kRead,   // gave `value`; nothing: the key had none
    kErase,  // the key has no value afterwards; what it had is not known
    kTake,   // gave `value` and erased it; nothing: as a read of nothing
  };

  Kind kind = Kind::kRead;
  std::optional<Value> value;
  Ticket start = 0;
  // When its outcome was known. Of one that is not certain: when it could no longer take effect, kNever if it always
  // can.
  Ticket end = kNever;
  bool certain = true;  // it took effect; otherwise it did at one moment between start and end, or not at all
};

using Operations = std::vector<Operation>;

std::string text_of(const Operation& operation);

}  // namespace minod::history
