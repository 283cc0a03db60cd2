// One shard's connections to the other members, one for each member and partition number: the Transport of its
// Replication. Calls who is wanted, again and again with growing pauses; takes in who calls; tells who came and went.
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "cluster/transport.h"
#include "net/peer/peer_book.h"
#include "net/peer/peer_link.h"
#include "net/peer/peer_tls.h"

namespace minod {

// Connections whose Hello has not come, of those that others made.
inline constexpr std::size_t kStrangersMax = 256;
// Connections to one member about one partition; beyond, the oldest goes.
inline constexpr std::size_t kLinksToOneMax = 3;
inline constexpr Nanos kCallPauseMin{50'000'000};
inline constexpr Nanos kCallPauseMax{2'000'000'000};

struct PeersOptions {
  PeerEntry self;  // its host may be empty: as the connection comes from
  int partitions = 1;
  std::vector<int> own;          // those that this shard has
  const PeerTls* tls = nullptr;  // null: plain
  // Runs `job`, which blocks, off this thread, then `done` on it.
  std::function<void(std::function<void()> job, std::function<void()> done)> run_aside;
};

struct PeersEvents {
  // Of a connection that is up: by now, or no longer, one can be sent to.
  std::function<void(MemberId, int partition, bool sought)> connected = [](MemberId, int, bool) {};
  std::function<void(MemberId)> disconnected = [](MemberId) {};  // the last connection to it has gone
  std::function<void(MemberId, const Frame&)> frame = [](MemberId, const Frame&) {};
  // True: the lease is granted.
  std::function<bool(MemberId)> lease_asked = [](MemberId) { return false; };
  std::function<void(MemberId, MonotonicNanos asked_at)> lease_granted = [](MemberId, MonotonicNanos) {};
  // Somebody's connection about a partition of another shard, for that one's adopt().
  std::function<void(std::unique_ptr<PeerLink>)> elsewhere = [](std::unique_ptr<PeerLink>) {};
  // Of whoever was sought: why there is no connection.
  std::function<void(const std::string&)> trouble = [](const std::string&) {};
};

class Peers final : public Transport {
 public:
  Peers(SocketPoller& sockets, const Clock& clock, Random& random, PeerBook& book, PeersOptions options,
        PeersEvents events);
  ~Peers() override;

  void send(MemberId to, const LogName& log, Message message, SharedBytes batches) override;
  std::size_t backlog(MemberId to) const override;

  // Calls whoever is at `address`, for every own partition; nothing: no longer.
  void seek(std::optional<PeerAddress> address);
  // Whether members that are known and not connected are called without anything to be sent to them.
  void gather(bool all) { gathers_ = all; }

  // A connection that was accepted; and one that another shard has found to be about a partition of this one.
  void take(Fd socket);
  void adopt(std::unique_ptr<PeerLink> link);

  // Every member that is connected is asked to help nobody else to lead.
  void ask_for_lease();

  bool is_connected(MemberId member) const;
  std::size_t connected_count() const;                  // members
  std::optional<Nanos> silence(MemberId member) const;  // since something came from it; nothing: no connection
  std::size_t count() const { return links_.size(); }

  // Once a turn: what was sent leaves, what has closed goes. True: something was done.
  bool turn();
  void tick();  // about ten times a second
  void close_all();

 private:
  using Target = std::pair<MemberId, int>;  // nobody: who is sought
  struct Call {
    PeerLink* link = nullptr;  // on its way, or what came of it
    bool resolving = false;
    MonotonicNanos next;
    Nanos pause = kCallPauseMin;
    MonotonicNanos wanted_until;
    std::string last_trouble;
    std::vector<std::vector<std::byte>> waiting;  // to be sent when it is up
    std::size_t waiting_bytes = 0;
  };

  Hello own_hello(int partition) const;
  void keep_for_later(const Target& target, std::vector<std::byte> frame);
  bool owns(int partition) const;
  PeerLink* up_link(const Target& target) const;

  // calls
  void call_those_wanted(MonotonicNanos now);
  void call_if_due(const Target& target, const PeerAddress& address, MonotonicNanos now);
  void dial(const Target& target, const PeerAddress& address, const SocketAddress& at);
  void failed(const Target& target, const std::string& why);

  // links
  void watch(std::unique_ptr<PeerLink> link, std::optional<Hello> own);
  void judge(PeerLink* link);
  std::string objection(const PeerLink& link);
  void welcome(PeerLink& link);
  void ended(PeerLink& link, const std::string& why);
  void tell_members(PeerLink& link) const;

  SocketPoller& sockets_;
  const Clock& clock_;
  Random& random_;
  PeerBook& book_;
  PeersOptions options_;
  PeersEvents events_;
  LinkEvents link_events_;
  std::vector<std::unique_ptr<PeerLink>> links_;
  std::map<Target, std::vector<PeerLink*>> up_;  // by age
  std::map<Target, Call> calls_;
  std::map<const PeerLink*, Target> called_;  // links that this end made, by whom they are for
  std::optional<PeerAddress> sought_;
  bool gathers_ = false;
  bool sent_ = false;               // since the last turn()
  std::vector<PeerLink*> judging_;  // their Hello came
  std::uint64_t told_version_ = 0;  // of the book, when its members were told to all
  std::shared_ptr<bool> alive_;     // for jobs
};

}  // namespace minod
