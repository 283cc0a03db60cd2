// Nodes of one replication group, each a process with a directory and a peer port of its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/fault/node.h"

namespace minod::live {

struct GroupSettings {
  int nodes = 2;
  int must_have = 0;  // --min-replicas-to-write
  int copies = 0;     // with those that come later; 0: as many as nodes
  Options options;    // of every node
};

class Group {
 public:
  explicit Group(GroupSettings settings);

  // Starts node 0, which leads, and the others, which follow it; true when all are in sync.
  [[nodiscard]] bool start();
  [[nodiscard]] bool start(int node);
  ServerProcess& operator[](int node) { return *members_[static_cast<std::size_t>(node)].server; }
  const std::string& directory(int node) const { return members_[static_cast<std::size_t>(node)].directory; }
  const std::string& parent() const { return directory_.path(); }  // of all directories
  std::uint16_t peer_port(int node) const { return members_[static_cast<std::size_t>(node)].peer_port; }
  int size() const { return static_cast<int>(members_.size()); }
  // Another node, that follows whoever leads; not started.
  int add();

  std::string info(int node, const std::string& field);  // of INFO replication; empty: no answer
  std::string call(int node, const Arguments& words, std::chrono::milliseconds patience = std::chrono::seconds(10));
  bool leads(int node) { return info(node, "role") == "master"; }
  // The leader's view: so many members, itself too, have all that it has.
  bool in_sync(int leader, int members);
  [[nodiscard]] bool promote(int node, std::chrono::milliseconds patience = std::chrono::seconds(15));

  std::string logs();  // the last lines of all

 private:
  struct Member {
    std::string directory;
    std::uint16_t peer_port = 0;
    std::unique_ptr<ServerProcess> server;
  };
  void make(bool follows);

  GroupSettings settings_;
  TempDirectory directory_;
  std::vector<Member> members_;
};

// False: it took longer.
bool wait_until(const std::function<bool()>& holds, std::chrono::milliseconds patience = std::chrono::seconds(20));

}  // namespace minod::live
