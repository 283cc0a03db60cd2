#include "net/shard_replication.h"

#include <algorithm>
#include <utility>

#include "net/connection.h"
#include "net/node_replication.h"
#include "net/shard.h"

namespace minod {

namespace {

constexpr Nanos kAskAgainAfter{2'000'000};

}  // namespace

ShardReplication::ShardReplication(Shard& shard, NodeReplication& node) : shard_(shard), node_(node) {
  Node& all = shard.node();
  for (int p = 0; p < all.directory().facts().partitions; ++p) {
    if (all.owner_of(static_cast<std::uint16_t>(p)) == shard.number()) own_.push_back(p);
  }
  peers_ = std::make_unique<Peers>(shard.sockets(), all.clock(), all.random(shard.number()), node.book(),
                                   peers_options(), peers_events());
  ReplicationOptions options = node.replication_options();
  options.own = own_;
  replication_ =
      std::make_unique<Replication>(shard.disk(), all.clock(), shard.store(), node.self(), std::move(options), *peers_);
  replication_->on_role = [this] { role_changed(); };
  replication_->on_refused = [this](const std::string& why) {
    wants_to_lead_ = false;
    turns_to_follow_ = replication_->report().role == Role::kFollower;
    node_.refused(shard_.number(), why);
  };
  lease_members_ = node.replication_options().group.least - 1;
}

ShardReplication::~ShardReplication() = default;

PeersOptions ShardReplication::peers_options() const {
  PeersOptions options;
  options.self = node_.own_entry();
  options.partitions = shard_.node().directory().facts().partitions;
  options.own = own_;
  options.tls = node_.tls();
  options.run_aside = [this](std::function<void()> job, std::function<void()> done) {
    shard_.disk().run_aside(std::move(job), std::move(done));
  };
  return options;
}

PeersEvents ShardReplication::peers_events() {
  PeersEvents events;
  events.connected = [this](MemberId member, int, bool sought) { connected(member, sought); };
  events.disconnected = [this](MemberId member) { replication_->disconnected(member); };
  events.frame = [this](MemberId from, const Frame& got) { frame(from, got); };
  // Only who leads here for sure is helped.
  events.lease_asked = [this](MemberId member) {
    const ReplicationReport now = replication_->report();
    const MonotonicNanos time = shard_.node().clock().monotonic();
    if (now.role != Role::kFollower || now.leader != member || promotion_ || grant_.binds(member, time)) return false;
    grant_.grant(member, time);
    return true;
  };
  events.lease_granted = [this](MemberId member, MonotonicNanos asked_at) {
    lease_.granted(member, asked_at);
    if (led_ && !handing_over_) node_.lease_until(shard_.number(), lease_.until(lease_members_));
  };
  events.elsewhere = [this](std::unique_ptr<PeerLink> link) {
    Shard& owner = shard_.node().shard(shard_.node().owner_of(link->hello().partition));
    // A message is copyable, and what it carries is not.
    const auto carried = std::make_shared<std::unique_ptr<PeerLink>>(std::move(link));
    owner.post(shard_.number(), [&owner, carried] { owner.replication()->adopt(std::move(*carried)); });
  };
  return events;
}

Result<void> ShardReplication::open() { return replication_->open(); }

void ShardReplication::start() {
  const NodeReplication::Beginning beginning = node_.beginning();
  // What was granted before a restart is not known any more.
  grant_.grant(node_.self(), shard_.node().clock().monotonic());
  wants_to_lead_ = beginning.leads;
  peers_->seek(beginning.seeks);
  if (wants_to_lead_) replication_->lead();
  seen_ = replication_->report();
  // One that another has led since does not lead by itself; who leads is found among those that it knows.
  if (seen_.role == Role::kFollower) wants_to_lead_ = false;
  role_changed();
}

// ---- turns

bool ShardReplication::poll() {
  const bool more = replication_->poll();
  // One log after another is handed over; the last ones may wait for their disk.
  const bool follows = turns_to_follow_ && !replication_->hands_over();
  if (follows) {
    turns_to_follow_ = false;
    replication_->follow(replication_->report().leader);
  }
  if (!acks_.empty()) acks_.look(shard_.store(), *replication_);
  if (!paused_.empty() && !handing_over_) go_on();
  return more;
}

void ShardReplication::tick() {
  replication_->tick();
  seen_ = replication_->report();
  count_members();
  const bool linked = seen_.leader != kNobody && peers_->is_connected(seen_.leader);
  peers_->gather(seen_.role != Role::kFollower || !linked);
  peers_->tick();
  renew_lease();
  let_candidates_in();
}

// A log that was just made waits for its members; only when it takes long, or they are not there, writers are sent
// away.
void ShardReplication::count_members() {
  constexpr Nanos kTooLong{1'000'000'000};
  const MonotonicNanos now = shard_.node().clock().monotonic();
  if (seen_.enough_in_sync || !led_) enough_at_ = now;
  too_few_ =
      !seen_.enough_in_sync && led_ && (peers_->connected_count() < lease_members_ || now - enough_at_ > kTooLong);
}

ReplicationReport ShardReplication::report() const { return replication_->report(); }

// ---- what other members say

void ShardReplication::connected(MemberId member, bool sought) {
  replication_->connected(member);
  if (wants_to_lead_) return;
  seen_ = replication_->report();
  if (seen_.role != Role::kFollower) return;
  // Whoever it is: one that does not lead says who does.
  const bool lost = !must_find_ && (seen_.leader == kNobody || !peers_->is_connected(seen_.leader));
  if (member == told_of_ || (sought && must_find_) || lost || (member == seen_.leader && !must_find_)) {
    if (sought || member == told_of_) must_find_ = false;
    told_of_ = kNobody;
    replication_->follow(member);
  }
}

void ShardReplication::frame(MemberId from, const Frame& frame) {
  if (frame.log.db < 0 || frame.log.db >= kDatabases) return;
  if (const auto* const refusal = std::get_if<Refusal>(&frame.message)) heed(from, *refusal);
  if (holds_back(from, frame)) return;
  replication_->receive(from, frame.log, frame.message, frame.batches);
  // Whoever fetches knows by now that this node leads: reads need not wait for the next tick.
  if (led_ && lease_members_ != 0 && !handing_over_ && std::holds_alternative<Fetch>(frame.message)) {
    const MonotonicNanos now = shard_.node().clock().monotonic();
    if (lease_.until(lease_members_) >= now || now - asked_at_ < kAskAgainAfter) return;
    asked_at_ = now;
    peers_->ask_for_lease();
  }
}

// Who was asked does not lead, and knows who does.
void ShardReplication::heed(MemberId from, const Refusal& refusal) {
  const MemberId leader = refusal.known.leader;
  if (wants_to_lead_ || leader == kNobody || leader == from || leader == node_.self()) return;
  if (seen_.role != Role::kFollower || leader == seen_.leader) return;
  if (peers_->is_connected(leader)) {
    replication_->follow(leader);
  } else {
    told_of_ = leader;
    peers_->gather(true);
  }
}

// ---- leases

// A candidate waits until the leader that it would replace can't answer reads any more.
bool ShardReplication::holds_back(MemberId from, const Frame& frame) {
  constexpr std::size_t kHeldBackMax = 1024;
  if (std::holds_alternative<HandOver>(frame.message)) grant_.give_back(from);
  const bool asks = std::holds_alternative<Promise>(frame.message);
  if (!asks || !grant_.binds(from, shard_.node().clock().monotonic())) return false;
  if (held_back_.size() < kHeldBackMax) held_back_.push_back({from, frame.log, frame.message});
  return true;
}

void ShardReplication::let_candidates_in() {
  const MonotonicNanos now = shard_.node().clock().monotonic();
  if (held_back_.empty() && !promotion_) return;
  if (grant_.binds(kNobody, now)) return;
  for (const HeldBack& one : std::exchange(held_back_, {})) {
    replication_->receive(one.from, one.log, one.message, {});
  }
  if (const auto others = std::exchange(promotion_, std::nullopt)) replication_->promote(*others, false);
}

void ShardReplication::renew_lease() {
  if (!led_ || handing_over_) return;
  if (lease_members_ != 0) peers_->ask_for_lease();
  node_.lease_until(shard_.number(), lease_.until(lease_members_));
}

// ---- roles

void ShardReplication::role_changed() {
  seen_ = replication_->report();
  // A database that is new has a log that is not led yet; nothing is lost by that.
  const bool leads = seen_.role == Role::kLeader || (led_ && seen_.role == Role::kCandidate);
  if (led_ && !leads) {
    wants_to_lead_ = false;
    turns_to_follow_ = true;
    lease_.give_up(shard_.node().clock().monotonic());
    step_down();
  }
  if (leads && !std::exchange(led_, true)) {
    wants_to_lead_ = true;
    node_.lease_until(shard_.number(), lease_.until(lease_members_));
    if (lease_members_ != 0) peers_->ask_for_lease();
  }
  led_ = leads;
  if (handing_over_ && !leads) handing_over_ = false;
  node_.role_changed(shard_.number(), leads);
}

// What was answered and not committed may be there or not: nobody is told either, and nobody's library tries again what
// came without an answer. What a client watches may be cut, and its offset be another record's later.
void ShardReplication::step_down() {
  acks_.clear();
  shard_.gate().give_up();
  for (const auto& [id, connection] : shard_.connections()) {
    if (connection->holds_replies() || connection->session().multi_is_used()) connection->close();
  }
}

std::string_view ShardReplication::refusal(std::uint32_t flags, int db, int partition, bool stale) const {
  const bool writes = (flags & kWrite) != 0;
  if (replication_->leads(db, partition)) {
    // What was true at the last tick may not be any more.
    if (writes) return too_few_ && !replication_->report().enough_in_sync ? kNoReplicas : std::string_view();
    return node_.has_lease() ? std::string_view() : kNoLease;
  }
  if (led_ && replication_->claimed_for(db, partition)) return kUnknownDatabase;
  if (writes) return kReadOnlyReplica;
  if (!stale) return kReadsNeedReadOnly;
  if (replication_->may_read(db, partition)) return {};
  return seen_.leader != kNobody && peers_->is_connected(seen_.leader) ? kLoadingText : kMasterDown;
}

bool ShardReplication::pauses(int db, int partition) const {
  if (!led_) return false;
  if (handing_over_) return true;
  return !replication_->leads(db, partition) &&
         replication_->claimed_for(db, partition).value_or(Millis(0)) < kClaimMax;
}

// Each looks again.
void ShardReplication::go_on() {
  for (const auto& resume : std::exchange(paused_, {})) resume();
}

void ShardReplication::watch_acks(std::uint64_t id, std::size_t most, Told told) {
  acks_.add(id, most, std::move(told), shard_.store(), *replication_);
}

void ShardReplication::forget_acks(std::uint64_t id) { acks_.forget(id); }

// ---- what an operator asks for

void ShardReplication::follow(std::optional<PeerAddress> address) {
  wants_to_lead_ = false;
  must_find_ = address.has_value();
  told_of_ = kNobody;
  peers_->seek(std::nullopt);
  peers_->seek(std::move(address));
  replication_->follow(kNobody);
}

void ShardReplication::promote(const std::vector<MemberId>& others, bool accept_loss) {
  wants_to_lead_ = true;
  if (accept_loss || !grant_.binds(kNobody, shard_.node().clock().monotonic())) {
    replication_->promote(others, accept_loss);
  } else {
    promotion_ = others;
  }
}

void ShardReplication::hand_over(MemberId to) {
  replication_->hand_over(to);
  // From here on somebody else may lead at any time. No command runs any more; what was read before may be told.
  lease_.give_up(shard_.node().clock().monotonic());
  const bool may_tell = to != kNobody && node_.has_lease();
  if (lease_members_ != 0) {
    node_.lease_until(shard_.number(), may_tell ? ReadLease().until(0) : MonotonicNanos(0));
  }
  if (to != kNobody) {
    handing_over_ = true;
  } else {
    handing_over_ = false;
  }
}

}  // namespace minod
