// One seed of the simulated group: real nodes (Store, logs, Replication) on simulated disks, a simulated network,
// clients, an operator who promotes, hands over and replaces disks, and the mix of faults that the seed draws. In the
// end the faults stop, and everything must come together.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/cluster/group_fixture.h"
#include "tests/sim/cluster_clients.h"
#include "tests/sim/cluster_network.h"

namespace minod {

// One in so many turns; 0: never.
struct ClusterFaults {
  std::uint64_t power_loss = 0;
  std::uint64_t kill = 0;
  std::uint64_t pause = 0;
  std::uint64_t cut = 0;      // of one direction
  std::uint64_t isolate = 0;  // of a node, from all others
  std::uint64_t promote = 0;
  std::uint64_t hand_over = 0;
  std::uint64_t new_disk = 0;
};

struct ClusterOutcome {
  std::uint64_t hash = 0;
  std::uint64_t commands = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t turns = 0;
  std::uint64_t elections = 0;
  std::optional<std::string> wrong;
};

class ClusterSwarm {
 public:
  explicit ClusterSwarm(std::uint64_t seed);

  ClusterOutcome run();

 private:
  static constexpr std::size_t kNodes = 3;
  static constexpr std::int64_t kTurnMs = 2;

  struct Fate {
    std::uint64_t up_at = 0;                   // of a node that is down
    std::uint64_t paused_to = 0;               // it does nothing before
    Offset durable;                            // what it had said to be on its disk when it went down
    bool led = false;                          // it has led, or was made to: a restart makes it lead again
    std::vector<TestNetwork::Parcel> waiting;  // what arrived meanwhile
  };

  void draw_faults();
  bool now(std::uint64_t one_in) { return one_in != 0 && chance_.one_in(one_in); }
  std::size_t any_node() { return static_cast<std::size_t>(chance_.below(kNodes)); }
  bool paused(std::size_t i) const { return fates_[i].paused_to > turn_; }

  void tell(const std::string& what, std::size_t i) const;
  void turn();
  void deliver();
  void look_for_leader();
  void check_invariants();
  void fault();
  void end_process(std::size_t i, bool power_fails);
  void start(std::size_t i);
  void join(std::size_t i);
  void promote(std::size_t i);
  void cut(std::size_t from, std::size_t to);
  bool all_in_sync() const;
  void replace_disk();
  void operate();
  void converge();
  bool together() const;
  bool come_together();
  bool compare_nodes();
  void compare_logs(int db);
  std::optional<std::string> read(std::size_t i, std::size_t key);
  void wrong(const std::string& what);

  Random chance_;
  ClusterNetwork network_;
  ReplicationOptions options_;
  ClusterFaults faults_;
  ClusterClients::Nodes nodes_;
  std::vector<Fate> fates_;
  ClusterClients clients_;
  std::uint64_t turn_ = 0;
  std::uint64_t next_id_ = kNodes + 1;
  std::uint64_t links_heal_at_ = 0;
  std::optional<std::size_t> leader_;  // leads in the newest term
  std::int32_t newest_term_ = 0;
  std::uint64_t without_leader_ = 0;  // turns
  std::uint64_t elections_ = 0;
  bool calm_ = false;
  std::optional<std::string> wrong_;
};

}  // namespace minod
