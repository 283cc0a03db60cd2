#include "tests/fault/ledger.h"

#include <algorithm>

namespace minod::live {

namespace {

constexpr std::uint64_t kPlainKeys = 60;
constexpr std::uint64_t kCounters = 10;
constexpr std::uint64_t kGroups = 12;
constexpr int kGroupKeys = 6;

std::string group_key(const std::string& name, std::uint64_t group, int i) {
  return name + ":{group" + std::to_string(group) + "}:" + std::to_string(i);
}

}  // namespace

// Of very different sizes, so that batches and rolls fall everywhere.
std::string Ledger::unique_value() {
  std::string value = name_ + "/" + std::to_string(write_count_) + "/";
  const std::uint64_t kind = random_.below(20);
  const std::size_t more = kind == 0 ? 20'000 : kind < 6 ? 2000 : 60;
  value.append(random_.below(more), static_cast<char>('a' + write_count_ % 26));
  return value;
}

void Ledger::note(const std::string& key, State state) {
  keys_[key].states.push_back(std::move(state));
  sent_.back().keys.push_back(key);
}

Arguments Ledger::next_group() {
  const std::uint64_t group = random_.below(kGroups);
  const std::string value = unique_value();
  Arguments command{"MSET"};
  for (int i = 0; i < kGroupKeys; ++i) {
    command.insert(command.end(), {group_key(name_, group, i), value});
    note(group_key(name_, group, i), value);
  }
  sent_.back().reply = kOk;
  return command;
}

Arguments Ledger::next() {
  ++write_count_;
  sent_.emplace_back();
  const std::uint64_t kind = random_.below(100);
  if (kind < 10) return next_group();
  if (kind < 25) {
    const std::string key = name_ + ":count" + std::to_string(random_.below(kCounters));
    const State& old = keys_[key].newest();
    const std::string value = std::to_string((old ? std::stoll(*old) : 0) + 1);
    note(key, value);
    sent_.back().reply = ":" + value + "\r\n";
    return {"INCR", key};
  }
  const std::string key = name_ + ":key" + std::to_string(random_.below(kPlainKeys));
  const State old = keys_[key].newest();
  if (kind < 35) {
    note(key, std::nullopt);
    sent_.back().reply = old ? ":1\r\n" : ":0\r\n";
    return {"DEL", key};
  }
  constexpr std::size_t kAppendTo = 4000;
  if (kind < 55 && old.value_or("").size() < kAppendTo) {
    const std::string more = "+" + std::to_string(write_count_);
    const std::string value = old.value_or("") + more;
    note(key, value);
    sent_.back().reply = ":" + std::to_string(value.size()) + "\r\n";
    return {"APPEND", key, more};
  }
  const std::string value = unique_value();
  note(key, value);
  sent_.back().reply = kOk;
  return {"SET", key, value};
}

bool Ledger::acknowledge(const std::string& reply) {
  const Write& write = sent_[replied_];
  if (reply != write.reply) return false;
  for (const std::string& key : write.keys) keys_[key].states.erase(keys_[key].states.begin());
  ++acknowledged_count_;
  if (++replied_ == sent_.size()) {
    sent_.clear();
    replied_ = 0;
  }
  return true;
}

std::vector<std::string> Ledger::check(Wire& wire) {
  std::vector<std::string> wrong;
  sent_.clear();
  replied_ = 0;
  for (auto& [key, known] : keys_) {
    const auto reply = wire.call({"GET", key});
    if (!reply) return {"GET " + key + ": no reply"};
    const auto matches = [&](const State& state) { return *reply == (state ? bulk(*state) : std::string(kNull)); };
    const auto found = std::ranges::find_if(known.states, matches);
    if (found == known.states.end()) {
      const State& due = known.states.front();
      wrong.push_back(key + " is " + shown(*reply) + ", acknowledged was " + (due ? shown(*due) : "its deletion") +
                      ", " + std::to_string(known.states.size() - 1) + " writes were sent after that");
      continue;
    }
    // Equal states may have come more than once (deletions); the oldest is as good as any, since only the value counts.
    known.states = {*found};
  }
  for (std::uint64_t group = 0; group < kGroups; ++group) {
    for (int i = 1; i < kGroupKeys; ++i) {
      if (keys_[group_key(name_, group, i)].newest() == keys_[group_key(name_, group, 0)].newest()) continue;
      wrong.push_back("half of an MSET: group " + std::to_string(group) + ", keys 0 and " + std::to_string(i));
      break;
    }
  }
  return wrong;
}

}  // namespace minod::live
