#include "tests/sim/redis_model.h"

#include "base/check.h"

namespace minod {

namespace {

constexpr std::size_t kShown = 24;  // bytes of a value

std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }
std::string number(std::size_t count) { return ":" + std::to_string(count) + "\r\n"; }

std::string shown(const State& state, const std::string& key) {
  const auto at = state.find(key);
  if (at == state.end()) return "nothing";
  const Stored& stored = at->second;
  std::string text = stored.value.substr(0, kShown) + " (" + std::to_string(stored.value.size()) + " bytes";
  if (stored.expires_at != kNeverExpires) text += ", until " + std::to_string(stored.expires_at.value());
  return text + ")";
}

std::string apply_to_entry(State& state, const Command& command) {
  const auto at = state.find(command[1]);
  if (command[0] == "GET") return at == state.end() ? "$-1\r\n" : bulk(at->second.value);
  if (command[0] == "RENAME") {
    if (at == state.end()) return "-ERR no such key\r\n";
    const Stored moved = at->second;
    state.erase(at);
    state[command[2]] = moved;
    return "+OK\r\n";
  }
  if (at == state.end()) return number(0);
  const UnixMillis before = at->second.expires_at;
  const bool persists = command[0] == "PERSIST";
  check(persists || command[0] == "PEXPIREAT", "the model knows the command");
  at->second.expires_at = persists ? kNeverExpires : UnixMillis(std::stoll(command[2]));
  return number(persists && before == kNeverExpires ? 0 : 1);
}

}  // namespace

State visible(const State& state, UnixMillis now) {
  State result;
  for (const auto& [key, stored] : state) {
    if (stored.expires_at > now) result.emplace(key, stored);
  }
  return result;
}

std::string apply(State& state, const Command& command, UnixMillis now) {
  const std::string& name = command[0];
  if (name == "SET") {
    const bool expires = command.size() > 3;
    state[command[1]] = Stored{command[2], expires ? now + Millis(std::stoll(command[4])) : kNeverExpires};
    return "+OK\r\n";
  }
  if (name == "MSET") {
    for (std::size_t i = 1; i + 1 < command.size(); i += 2) state[command[i]] = Stored{command[i + 1]};
    return "+OK\r\n";
  }
  if (name == "DEL") {
    std::size_t erased = 0;
    for (std::size_t i = 1; i < command.size(); ++i) erased += state.erase(command[i]);
    return number(erased);
  }
  if (name == "APPEND") {
    Stored& stored = state[command[1]];
    stored.value += command[2];
    return number(stored.value.size());
  }
  if (name == "FLUSHDB") {
    state.clear();
    return "+OK\r\n";
  }
  return apply_to_entry(state, command);
}

std::string difference(const State& expected, const State& found) {
  State either = expected;
  either.insert(found.begin(), found.end());
  std::string text;
  for (const auto& [key, stored] : either) {
    const std::string a = shown(expected, key);
    const std::string b = shown(found, key);
    if (a != b) text += "\n    " + key + ": expected " + a + ", found " + b;
  }
  return text.empty() ? "\n    behind the first bytes" : text;
}

}  // namespace minod
