// Random commands for the differential test: every string, key and expiry command with all its options, well formed
// mostly, and malformed now and then. What they do does not depend on when within some seconds they run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "tests/live/wire.h"

namespace minod::live {

// Both servers run with this proto-max-bulk-len, so that the limit of values is met too.
inline constexpr std::size_t kBulkSizeMax = std::size_t{1} << 20;
inline constexpr int kDatabasesUsed = 4;

class CommandWriter {
 public:
  explicit CommandWriter(Random& random) : random_(random) {}

  Arguments next();
  // Touches no key but those that start with `prefix`, and no database but the selected one.
  Arguments next_of(const std::string& prefix);

  std::string key();

  // Until the end next() keeps to what a transaction takes and whose replies do not depend on the time or the server:
  // the selected database stays.
  void begin_transaction() { in_transaction_ = true; }
  void end_transaction() { in_transaction_ = false; }

  // The commands of the groups "string" and "generic" that next() never makes; should be none.
  static std::vector<std::string> missing_commands();

 private:
  void append(Arguments& command, std::string_view form);
  void append_word(Arguments& command, std::string_view word);
  std::string value();
  std::string integer();
  std::string real();
  std::string pattern();
  // `from_now` or absolute, in units of `unit_ms`.
  std::string time(bool from_now, std::int64_t unit_ms);
  void spoil(Arguments& command);

  Random& random_;
  bool in_transaction_ = false;
  std::string prefix_;  // of all keys
};

}  // namespace minod::live
