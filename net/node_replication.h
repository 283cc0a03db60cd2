// A node's part in replication: which member of which group it is, what an operator asked it for, and how that goes.
// The work is each shard's, net/shard_replication.h. Any thread, unless it says otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replication.h"
#include "net/peer/peer_book.h"
#include "net/peer/peer_tls.h"

namespace minod {

class Node;
class Shard;
class ShardReplication;

enum class FailoverState : std::uint8_t { kNone, kWaitsForSync };

class NodeReplication {
 public:
  // Reads DIR/peers and the certificates. Blocking, at the start; `disk` is one that the main thread may use then.
  static Result<std::unique_ptr<NodeReplication>> open(Node& node, Disk& disk);
  ~NodeReplication();

  MemberId self() const { return self_; }
  PeerBook& book() { return book_; }
  const PeerTls* tls() const { return tls_.get(); }
  ReplicationOptions replication_options() const;
  PeerEntry own_entry() const;

  // What to begin with.
  struct Beginning {
    bool leads = false;
    std::optional<PeerAddress> seeks;
  };
  Beginning beginning() const;

  // Every log of this node, on every shard.
  bool leads() const { return leads_.load(std::memory_order_acquire); }
  // Of all shards together, as they published it last.
  ReplicationReport report() const;

  // ---- what an operator asks for, on the thread of shard `from`

  // REPLICAOF: follows whoever leads the group of the node at `address`. What is here and not there goes.
  void follow(Shard& from, const PeerAddress& address);
  // REPLICAOF NO ONE, or with `accept_loss` FAILOVER TAKEOVER. `done` gets an error's text, or nothing; on the same
  // thread, in a later turn.
  using Done = std::function<void(const std::string& error)>;
  void promote(Shard& from, bool accept_loss, Done done);
  // FAILOVER: to that member, or to nobody in particular. The error is what Redis says.
  Result<void> fail_over(Shard& from, std::optional<PeerAddress> to, std::int64_t timeout_ms);
  Result<void> abort_failover(Shard& from);
  FailoverState failover_state() const;

  // ---- from the shards, each on its thread

  void role_changed(int shard, bool leads);
  void refused(int shard, const std::string& why);
  void tick(Shard& shard0);
  void lease_until(int shard, MonotonicNanos until) {
    leases_[static_cast<std::size_t>(shard)].store(until.value(), std::memory_order_release);
  }

  // Nobody else can lead by now: what was read before, here, is what the newest write left. On the path of every burst
  // of commands.
  bool has_lease() const;

 private:
  NodeReplication(Node& node, MemberId self, PeerBook::Contents contents, std::unique_ptr<PeerTls> tls);
  void on_all(int from, const std::function<void(ShardReplication&)>& what);
  void settle_promotion(int thread, const std::string& error);
  void save_book(Shard& shard0);
  Result<MemberId> failover_target(const std::optional<PeerAddress>& to) const;

  Node& node_;
  const MemberId self_;
  PeerBook book_;
  const std::unique_ptr<PeerTls> tls_;
  std::atomic<bool> leads_{false};
  std::vector<std::atomic<std::int64_t>> leases_;  // by shard: until when
  std::shared_ptr<JointReach> reach_;
  std::shared_ptr<JointRound> round_ = std::make_shared<JointRound>();

  mutable std::mutex lock_;
  std::vector<bool> shard_leads_;  // of those that have partitions
  std::string last_refused_;
  struct Promotion {
    int shard = 0;
    Done done;
    MonotonicNanos give_up_at;
  };
  std::optional<Promotion> promotion_;
  struct Failover {
    MemberId to;
    std::optional<MonotonicNanos> give_up_at;
    MonotonicNanos began;
  };
  std::optional<Failover> failover_;
  // Of shard 0's thread.
  std::uint64_t saved_version_ = 0;
  bool saving_ = false;
};

}  // namespace minod
