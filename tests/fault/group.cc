#include "tests/fault/group.h"

#include <algorithm>
#include <thread>

namespace minod::live {

using std::chrono::milliseconds;

bool wait_until(const std::function<bool()>& holds, milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

Group::Group(GroupSettings settings) : settings_(std::move(settings)) {
  for (int i = 0; i < settings_.nodes; ++i) make(i != 0);
}

void Group::make(bool follows) {
  Member member;
  const std::string name = "node" + std::to_string(members_.size());
  member.directory = directory_ / name;
  member.peer_port = free_port();
  Options options = settings_.options;
  options.insert(options.end(), {"--peer-port", std::to_string(member.peer_port), "--replicas",
                                 std::to_string(std::max(settings_.copies, settings_.nodes) - 1),
                                 "--min-replicas-to-write", std::to_string(settings_.must_have)});
  if (follows) {
    options.insert(options.end(), {"--replicaof", "127.0.0.1:" + std::to_string(members_.front().peer_port)});
  }
  member.server =
      std::make_unique<ServerProcess>(minod_command(member.directory, options), directory_ / (name + ".log"));
  members_.push_back(std::move(member));
}

int Group::add() {
  make(true);
  return size() - 1;
}

bool Group::start() {
  for (int i = 0; i < size(); ++i) {
    if (!start(i)) return false;
  }
  if (!wait_until([this] { return in_sync(0, size()); })) return false;
  // Only one that was told of it can be promoted.
  std::this_thread::sleep_for(milliseconds(400));
  return true;
}

bool Group::start(int node) { return (*this)[node].start(); }

std::string Group::call(int node, const Arguments& words, milliseconds patience) {
  auto wire = Wire::connect((*this)[node].port(), patience);
  return wire ? wire->call(words).value_or("") : "";
}

std::string Group::info(int node, const std::string& field) {
  const std::string text = call(node, {"INFO", "replication", "persistence"}, milliseconds(2000));
  const std::size_t at = text.find("\r\n" + field + ":");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + field.size() + 3;
  return text.substr(begin, text.find("\r\n", begin) - begin);
}

bool Group::in_sync(int leader, int members) {
  return leads(leader) && info(leader, "minod_replication_in_sync") == std::to_string(members);
}

bool Group::promote(int node, milliseconds patience) {
  return wait_until([&] { return call(node, {"REPLICAOF", "NO", "ONE"}) == kOk && leads(node); }, patience);
}

std::string Group::logs() {
  std::string all;
  for (int i = 0; i < size(); ++i) all += "--- node " + std::to_string(i) + "\n" + (*this)[i].log_tail();
  return all;
}

}  // namespace minod::live
