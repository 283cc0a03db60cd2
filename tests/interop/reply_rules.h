// When two servers' replies to the same command count as equal: to the byte, but for the differences listed here.
#pragma once

#include <cstdint>
#include <string>

#include "tests/live/wire.h"

namespace minod::live {

enum class Rule : std::uint8_t {
  kSame,          // every byte
  kSameKind,      // both the same RESP type
  kSameElements,  // arrays, in any order
  kSeconds,       // integers that differ by one at most
  kMillis,        // integers that differ by 2000 at most
  kAnything,      // not compared
  kSettles,       // integers that become equal within some seconds: the caller asks again
};

struct Difference {
  const char* command;  // "object", or "object encoding"
  Rule rule;
  const char* why;
};

// The rule for a command's replies that are not errors; errors are compared to the byte.
Rule rule_for(const Arguments& command);

bool equal(Rule rule, const std::string& oracle, const std::string& subject);

}  // namespace minod::live
