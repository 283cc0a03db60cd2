// One shard's part in replication, of a node that replicates: its Replication, its connections to other members, and
// what the shard's clients see of both. Belongs to the shard's thread; made and opened before that runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "cluster/replication.h"
#include "net/ack_watch.h"
#include "net/peer/peers.h"
#include "net/read_lease.h"

namespace minod {

class NodeReplication;
class Shard;

// Redis's texts; the one about reads has Redis's word, so that clients look for the leader.
inline constexpr std::string_view kReadOnlyReplica = "READONLY You can't write against a read only replica.";
inline constexpr std::string_view kReadsNeedReadOnly =
    "READONLY You can't read from a replica before READONLY: its leader may have newer values.";
inline constexpr std::string_view kNoReplicas = "NOREPLICAS Not enough good replicas to write.";
inline constexpr std::string_view kNoLease =
    "NOREPLICAS Not enough good replicas to read: another node may lead by now.";
inline constexpr std::string_view kUnknownDatabase =
    "NOREPLICAS This node leads, but not this database yet: too few of the nodes that may have acknowledged writes to "
    "it "
    "can be asked. Start them";
inline constexpr std::string_view kLoadingText = "LOADING Redis is loading the dataset in memory";
inline constexpr std::string_view kMasterDown =
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";

// Of a whole reply: it says nothing of any key.
inline bool is_refusal(std::string_view reply) {
  return reply.starts_with("-READONLY ") || reply.starts_with("-NOREPLICAS ") || reply.starts_with("-LOADING ") ||
         reply.starts_with("-MASTERDOWN ");
}

class ShardReplication {
 public:
  ShardReplication(Shard& shard, NodeReplication& node);
  ~ShardReplication();

  // Start-up, blocking: after recovery, before Store::start().
  Result<void> open();
  // On the shard's thread, before its first turn: leads or follows, as the node says.
  void start();

  // Of each turn: before what the logs gathered is dispatched, and after it.
  bool poll();
  bool flush() { return peers_->turn(); }
  void tick();
  bool idle() const { return replication_->idle(); }
  void stop() { peers_->close_all(); }
  void abandon() { replication_->abandon(); }

  // ---- for commands on this shard's logs

  // Why a command with these flags may not run on that log now; empty: it may. `stale`: the client has said READONLY.
  std::string_view refusal(std::uint32_t flags, int db, int partition, bool stale) const;
  // Leadership is being handed over, or this log is about to be led: commands wait, a moment, for resume().
  bool pauses(int db, int partition) const;
  void when_it_goes_on(std::function<void()> resume) { paused_.push_back(std::move(resume)); }

  // Tells on this thread, each time that it grows, how many others have all that was appended here by now, up to
  // `most`, and whether this disk has it; until forget(). At once the first time.
  using Told = std::function<void(std::size_t members, bool local)>;
  void watch_acks(std::uint64_t id, std::size_t most, Told told);
  void forget_acks(std::uint64_t id);

  // ---- what an operator asks for, through NodeReplication

  void follow(std::optional<PeerAddress> address);
  void promote(const std::vector<MemberId>& others, bool accept_loss);
  void hand_over(MemberId to);
  void take(Fd socket) { peers_->take(std::move(socket)); }
  void adopt(std::unique_ptr<PeerLink> link) { peers_->adopt(std::move(link)); }

  ReplicationReport report() const;
  const Peers& peers() const { return *peers_; }

 private:
  PeersOptions peers_options() const;
  PeersEvents peers_events();
  void connected(MemberId member, bool sought);
  void frame(MemberId from, const Frame& frame);
  bool holds_back(MemberId from, const Frame& frame);
  void count_members();
  void renew_lease();
  void let_candidates_in();
  void heed(MemberId from, const Refusal& refusal);
  void role_changed();
  void step_down();
  void go_on();

  Shard& shard_;
  NodeReplication& node_;
  std::vector<int> own_;  // partition numbers
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<Replication> replication_;
  ReplicationReport seen_;  // at the last tick, or change of a role
  bool wants_to_lead_ = false;
  bool must_find_ = false;      // follows whoever answers where it seeks, whatever it followed before
  MemberId told_of_ = kNobody;  // who leads, as somebody says that was asked
  bool led_ = false;            // some log, when roles changed last
  bool handing_over_ = false;
  bool too_few_ = false;           // in sync, and not just for a moment
  MonotonicNanos enough_at_;       // when there were enough last
  bool turns_to_follow_ = false;   // does not lead any more, or was refused to
  std::size_t lease_members_ = 0;  // besides this one, that a lease takes
  ReadLease lease_;
  MonotonicNanos asked_at_;
  ReadGrant grant_;
  struct HeldBack {
    MemberId from;
    LogName log;
    Message message;
  };
  std::vector<HeldBack> held_back_;                 // of candidates, until the grant has ended
  std::optional<std::vector<MemberId>> promotion_;  // of this node, likewise: the others
  AckWatches acks_;
  std::vector<std::function<void()>> paused_;
};

}  // namespace minod
