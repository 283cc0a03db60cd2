#include "net/node_replication.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "net/node.h"
#include "net/shard.h"
#include "net/shard_replication.h"

namespace minod {

namespace {

// A candidate gives up by itself before.
constexpr Nanos kPromotionMax{7'000'000'000};
constexpr std::int64_t kFailoverMillisDefault = 10'000;

Error refusal(std::string text) { return Error{Errc::kInvalid, 0, std::move(text)}; }

}  // namespace

Result<std::unique_ptr<NodeReplication>> NodeReplication::open(Node& node, Disk& disk) {
  const Config config = node.config();
  const auto self = parse_member_id(node.directory().facts().id);
  check(self.has_value(), "a data directory's id is one of a member");
  auto contents = PeerBook::read(disk, config.dir);
  if (!contents) return contents.error();
  std::unique_ptr<PeerTls> tls;
  if (!config.peer_tls_cert_file.empty()) {
    auto loaded = PeerTls::load({config.peer_tls_cert_file, config.peer_tls_key_file, config.peer_tls_ca_cert_file,
                                 config.peer_tls_check_name});
    if (!loaded) return loaded.error();
    tls = std::move(*loaded);
  }
  const bool loopback = config.peer_bind == "127.0.0.1" || config.peer_bind == "::1";
  if (config.peer_port != 0 && !loopback && !tls) {
    diag::warning("peer-port is open to " + config.peer_bind +
                  " without TLS: whoever reaches it can read and replace all data; set the peer-tls options");
  }
  std::unique_ptr<NodeReplication> made(new NodeReplication(node, *self, std::move(*contents), std::move(tls)));
  // Who begins alone is the group's first member.
  if (made->beginning().leads) static_cast<void>(made->book_.join(*self) || made->book_.group() != kNobody);
  return made;
}

NodeReplication::NodeReplication(Node& node, MemberId self, PeerBook::Contents contents, std::unique_ptr<PeerTls> tls)
    : node_(node), self_(self), book_(self, std::move(contents)), tls_(std::move(tls)) {
  const int owners = std::min(node.shard_count(), node.directory().facts().partitions);
  shard_leads_.resize(static_cast<std::size_t>(owners));
  leases_ = std::vector<std::atomic<std::int64_t>>(static_cast<std::size_t>(owners));
  reach_ = std::make_shared<JointReach>(kDatabases, node.directory().facts().partitions);
  if (owners == 1) return;
  reach_->on_moved = [&node, owners] {
    for (int i = 0; i < owners; ++i) node.shard(i).ring();
  };
}

NodeReplication::~NodeReplication() = default;

ReplicationOptions NodeReplication::replication_options() const {
  const Config config = node_.config();
  ReplicationOptions options;
  options.group.nodes = config.replicas + 1;
  options.group.least = config.min_replicas_to_write + 1;
  options.group.lag_max = Millis(config.replica_lag_time_max_ms);
  options.acks = config.acks;
  options.reach = reach_;
  options.round = round_;
  options.copy_rate = std::max<std::uint64_t>(config.replica_copy_rate / shard_leads_.size(), 1);
  return options;
}

PeerEntry NodeReplication::own_entry() const {
  const Config config = node_.config();
  PeerEntry own;
  own.member = self_;
  own.client_port = config.port;
  own.address.port = config.peer_port;
  if (const auto announced = parse_peer_address(config.announce_peer)) own.address = *announced;
  return own;
}

// What an operator asked for, or what the group agreed upon, stands against the option that was there then.
NodeReplication::Beginning NodeReplication::beginning() const {
  const Config config = node_.config();
  const auto order = book_.contents().order;
  Beginning beginning;
  if (order && order->beside_flag == config.replicaof) {
    beginning.leads = order->leads;
    beginning.seeks = parse_peer_address(order->follows.empty() ? config.replicaof : order->follows);
  } else {
    beginning.leads = config.replicaof.empty();
    beginning.seeks = parse_peer_address(config.replicaof);
  }
  if (beginning.leads) beginning.seeks.reset();
  return beginning;
}

void NodeReplication::on_all(int from, const std::function<void(ShardReplication&)>& what) {
  for (std::size_t i = 0; i < shard_leads_.size(); ++i) {
    Shard& shard = node_.shard(static_cast<int>(i));
    shard.post(from, [&shard, what] { what(*shard.replication()); });
  }
}

ReplicationReport NodeReplication::report() const {
  ReplicationReport sum;
  bool first = true;
  const std::vector<ShardReport> reports = node_.reports();
  for (std::size_t i = 0; i < shard_leads_.size(); ++i) {
    const ReplicationReport& one = reports[i].replication;
    if (std::exchange(first, false)) {
      sum = one;
      continue;
    }
    if (one.role != sum.role) sum.role = one.role == Role::kLeader ? sum.role : one.role;
    if (one.leader != sum.leader) sum.leader = kNobody;
    sum.term = std::max(sum.term, one.term);
    sum.committed += one.committed;
    sum.end += one.end;
    sum.in_sync_least = std::min(sum.in_sync_least, one.in_sync_least);
    sum.enough_in_sync = sum.enough_in_sync && one.enough_in_sync;
    sum.loading = sum.loading || one.loading;
    sum.copied_bytes += one.copied_bytes;
    sum.heard_ago = std::max(sum.heard_ago, one.heard_ago);
    for (const MemberReport& member : one.members) {
      const auto at = std::ranges::find(sum.members, member.member, &MemberReport::member);
      if (at == sum.members.end()) {
        sum.members.push_back(member);
        continue;
      }
      at->connected = at->connected && member.connected;
      at->in_sync = at->in_sync && member.in_sync;
      at->offset_lag += member.offset_lag;
      at->bytes_lag += member.bytes_lag;
      at->ms_lag = std::max(at->ms_lag, member.ms_lag);
      at->acknowledged += member.acknowledged;
    }
  }
  return sum;
}

bool NodeReplication::has_lease() const {
  const std::int64_t now = node_.clock().monotonic().value();
  return std::ranges::all_of(leases_, [now](const auto& until) { return until.load(std::memory_order_acquire) > now; });
}

// ---- roles

void NodeReplication::role_changed(int shard, bool leads) {
  bool all = false;
  {
    const std::lock_guard guard(lock_);
    shard_leads_[static_cast<std::size_t>(shard)] = leads;
    all = std::ranges::all_of(shard_leads_, [](bool one) { return one; });
    // At once: this node may lead again before the next tick.
    if (!all && failover_) {
      const Nanos took = node_.clock().monotonic() - failover_->began;
      diag::notice("failover: leadership was handed over in " + std::to_string(took.value() / 1'000'000) + " ms");
      failover_.reset();
    }
  }
  const bool led = leads_.exchange(all, std::memory_order_acq_rel);
  if (led != all) {
    diag::notice(all ? "this node leads" : "this node does not lead");
    PeerOrder order{all, "", node_.config().replicaof};
    if (const auto before = book_.contents().order; before && !before->leads && !all) order.follows = before->follows;
    book_.note(order);
  }
  if (all) settle_promotion(shard, "");
}

void NodeReplication::refused(int shard, const std::string& why) {
  diag::warning(why);
  settle_promotion(shard, why);
}

void NodeReplication::settle_promotion(int thread, const std::string& error) {
  std::optional<Promotion> done;
  {
    const std::lock_guard guard(lock_);
    done = std::exchange(promotion_, std::nullopt);
  }
  if (!done) return;
  node_.shard(done->shard).post(thread, [done = std::move(done->done), error] { done(error); });
}

void NodeReplication::tick(Shard& shard0) {
  save_book(shard0);
  const MonotonicNanos now = node_.clock().monotonic();
  bool gives_up = false;
  bool too_late = false;
  {
    const std::lock_guard guard(lock_);
    gives_up = promotion_ && now >= promotion_->give_up_at;
    too_late = failover_ && failover_->give_up_at && now >= *failover_->give_up_at;
    if (too_late) failover_.reset();
  }
  if (gives_up) settle_promotion(0, "the other members did not answer in time; who leads has not changed");
  if (too_late) {
    diag::warning("failover: the replica did not take over in time; this node goes on leading");
    on_all(0, [](ShardReplication& one) { one.hand_over(kNobody); });
  }
}

void NodeReplication::save_book(Shard& shard0) {
  const std::uint64_t version = book_.version();
  if (saving_ || version == saved_version_) return;
  saving_ = true;
  auto written = std::make_shared<Result<void>>();
  shard0.disk().run_aside([this, &shard0, written] { *written = book_.write(shard0.disk(), node_.directory().path()); },
                          [this, version, written] {
                            saving_ = false;
                            saved_version_ = version;
                            if (!*written) diag::warning("the members were not noted: " + written->error().message());
                          });
}

// ---- what an operator asks for

void NodeReplication::follow(Shard& from, const PeerAddress& address) {
  book_.leave();
  book_.note(PeerOrder{false, text_of(address), node_.config().replicaof});
  on_all(from.number(), [address](ShardReplication& one) { one.follow(address); });
}

void NodeReplication::promote(Shard& from, bool accept_loss, Done done) {
  std::vector<MemberId> others;
  for (const PeerEntry& one : book_.members()) others.push_back(one.member);
  {
    const std::lock_guard guard(lock_);
    if (promotion_) {
      from.post(from.number(), [done = std::move(done)] { done("a promotion is under way already"); });
      return;
    }
    promotion_ = Promotion{from.number(), std::move(done), node_.clock().monotonic() + kPromotionMax};
  }
  if (leads()) return settle_promotion(from.number(), "");
  if (book_.group() == kNobody) static_cast<void>(book_.join(self_));
  on_all(from.number(), [others, accept_loss](ShardReplication& one) { one.promote(others, accept_loss); });
}

Result<MemberId> NodeReplication::failover_target(const std::optional<PeerAddress>& to) const {
  const ReplicationReport all = report();
  if (std::ranges::none_of(all.members, &MemberReport::connected)) {
    return refusal("ERR FAILOVER requires connected replicas.");
  }
  const MemberReport* best = nullptr;
  for (const MemberReport& member : all.members) {
    const auto entry = book_.find(member.member);
    const bool meant =
        !to ||
        (entry && (entry->address == *to || (entry->address.host == to->host && entry->client_port == to->port)));
    if (!meant || (!to && !(member.connected && member.in_sync))) continue;
    if (best == nullptr || member.acknowledged > best->acknowledged) best = &member;
  }
  if (best == nullptr && to) return refusal("ERR FAILOVER target HOST and PORT is not a replica.");
  if (best == nullptr || !best->connected || !best->in_sync) {
    return refusal("ERR FAILOVER target replica is not online.");
  }
  return best->member;
}

Result<void> NodeReplication::fail_over(Shard& from, std::optional<PeerAddress> to, std::int64_t timeout_ms) {
  const auto target = failover_target(to);
  {
    const std::lock_guard guard(lock_);
    if (failover_) return refusal("ERR FAILOVER already in progress.");
    if (!leads()) return refusal("ERR FAILOVER is not valid when server is a replica.");
    if (!target) return target.error();
    const MonotonicNanos now = node_.clock().monotonic();
    const std::int64_t millis = timeout_ms > 0 ? timeout_ms : kFailoverMillisDefault;
    failover_ = Failover{*target, now + Nanos(millis * 1'000'000), now};
  }
  diag::notice("failover: leadership goes to member " + text_of(*target));
  on_all(from.number(), [to = *target](ShardReplication& one) { one.hand_over(to); });
  return {};
}

Result<void> NodeReplication::abort_failover(Shard& from) {
  {
    const std::lock_guard guard(lock_);
    if (!failover_) return refusal("ERR No failover in progress.");
    failover_.reset();
  }
  on_all(from.number(), [](ShardReplication& one) { one.hand_over(kNobody); });
  return {};
}

FailoverState NodeReplication::failover_state() const {
  const std::lock_guard guard(lock_);
  return failover_ ? FailoverState::kWaitsForSync : FailoverState::kNone;
}

}  // namespace minod
