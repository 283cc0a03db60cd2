// Clients of a simulated group: each has one command at a time under way, at a node that it takes for the leader, and
// sometimes reads at a follower. What they were told is the history that is checked for linearizability.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/cluster/group_fixture.h"
#include "tests/history/operation.h"

namespace minod {

class ClusterClients {
 public:
  using Nodes = std::vector<std::unique_ptr<GroupNode>>;

  // The keys are spread over `databases`.
  ClusterClients(std::uint64_t seed, std::size_t clients, std::size_t keys, std::vector<int> databases);

  // One step of each. `leader`: the node that leads in the newest term, if any; what any other says is old, if it is
  // true at all. `runs`: the nodes that are neither down nor paused.
  void turn(const Nodes& nodes, const std::vector<bool>& runs, std::optional<std::size_t> leader, std::uint64_t now);
  // The node's process is gone: nothing that was under way there is ever answered.
  void lost(std::size_t node);
  // Nothing more is begun; false while something is under way.
  void quiet() { quiet_ = true; }
  bool at_rest() const;

  const std::vector<std::string>& keys() const { return keys_; }
  int database_of(std::size_t key) const { return databases_[key % databases_.size()]; }
  const std::vector<int>& databases() const { return databases_; }
  // What a node says now of a key, taken into the history as a read at the leader's.
  void note_read(std::size_t key, const std::string& reply);
  // The first key whose history can't be, and why.
  std::optional<std::string> contradiction() const;

  std::uint64_t commands() const { return commands_; }
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t hash() const { return hash_; }

 private:
  struct UnderWay {
    std::unique_ptr<GroupNode::Running> running;
    std::size_t node = 0;
    std::size_t key = 0;
    history::Operation operation;
    bool of_leader = false;  // the node led in the newest term when it was begun
    std::uint64_t began = 0;
  };

  void begin(UnderWay& client, const Nodes& nodes, const std::vector<bool>& runs, std::optional<std::size_t> leader,
             std::uint64_t now);
  void end(UnderWay& client, bool of_leader);
  void give_up(UnderWay& client);

  Random chance_;
  std::vector<std::string> keys_;
  std::vector<int> databases_;
  std::vector<history::Operations> histories_;  // by key
  // By key: what followers and old leaders have served, and when first.
  std::vector<std::map<history::Value, history::Ticket>> seen_;
  std::vector<UnderWay> clients_;
  std::multimap<std::size_t, std::unique_ptr<GroupNode::Running>> given_up_;  // by node: the store may still look at it
  history::Ticket ticket_ = 0;
  history::Value next_value_ = 1;
  std::uint64_t commands_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t hash_ = 0;
  std::optional<std::string> above_;  // what a follower would have served and must not
  bool quiet_ = false;
};

}  // namespace minod
