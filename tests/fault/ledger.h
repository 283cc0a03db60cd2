// What a writer has sent, and what of it was acknowledged; so that after a crash each key can be judged. One connection
// writes a ledger's keys, so their states follow one another in the order in which they were sent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/live/wire.h"

namespace minod::live {

using State = std::optional<std::string>;  // a value, or no key

class Ledger {
 public:
  // `name` is the prefix of its keys. Values tell of which ledger and write they are.
  Ledger(std::string name, std::uint64_t seed) : name_(std::move(name)), random_(seed) {}

  // The next write: SET, INCR, APPEND, DEL or MSET. Its effect is noted as sent.
  Arguments next();
  // The reply to the oldest write without one. False: it is not what that write must get.
  bool acknowledge(const std::string& reply);

  // Reads every key from `wire` and compares. Each has the state of its last acknowledged write or of a later one, and
  // the keys of one MSET are of the same write. What was found is the state from then on. Returns what is wrong.
  std::vector<std::string> check(Wire& wire);

  std::uint64_t acknowledged_count() const { return acknowledged_count_; }

 private:
  struct Key {
    std::vector<State> states{std::nullopt};  // the last acknowledged one and those that were sent after it
    const State& newest() const { return states.back(); }
  };
  struct Write {
    std::vector<std::string> keys;
    std::string reply;
  };

  void note(const std::string& key, State state);
  std::string unique_value();
  Arguments next_group();

  std::string name_;
  Random random_;
  std::uint64_t write_count_ = 0;
  std::uint64_t acknowledged_count_ = 0;
  std::map<std::string, Key> keys_;
  std::vector<Write> sent_;  // without a reply from `replied_` on
  std::size_t replied_ = 0;
};

}  // namespace minod::live
