#include "cluster/replication.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/diag.h"
#include "cluster/replicated_log.h"
#include "cluster/replication_parts.h"
#include "cluster/state_file.h"
#include "log/epoch_file.h"
#include "replay/log_files.h"
#include "store/limits.h"

namespace minod {

Result<std::optional<FollowedLog>> followed_log(Disk& disk, const std::string& directory, MemberId self,
                                                bool fetches_again) {
  const auto stored = read_state(disk, directory);
  if (!stored) return stored.error();
  if (!*stored) return std::optional<FollowedLog>();
  const MemberId led = (*stored)->promised.leader;
  if (led == self) return std::optional<FollowedLog>();
  // It was given up, and what is there is perhaps a part of it, or of its copy.
  if ((*stored)->incomplete && fetches_again) {
    if (auto wiped = wipe_log(disk, directory); !wiped) return wiped.error();
  }
  return std::optional(FollowedLog{(*stored)->committed, fetches_again});
}

Replication::Replication(Disk& disk, const Clock& clock, Store& store, MemberId self, ReplicationOptions options,
                         Transport& transport) {
  if (!options.reach) options.reach = std::make_shared<JointReach>(kDatabases, store.options().partitions);
  if (!options.round) options.round = std::make_shared<JointRound>();
  parts_ = std::make_unique<Parts>(disk, clock, store, self, std::move(options), transport);
  parts_->host.role_changed = [this] {
    parts_->note_roles();
    on_role();
  };
  parts_->host.refused = [this](const std::string& why) {
    parts_->note_roles();
    on_refused(why);
  };
  parts_->host.leads_partition = [this](std::int16_t partition) { return parts_->leads_partition(partition); };
  parts_->host.may_begin = [this](const ReplicatedLog& log) { return parts_->may_begin(log); };
  parts_->host.logs_of = [this](std::int16_t partition) { return parts_->logs_of(partition); };
  store.on_made = [this](Partition& partition) { parts_->made(partition); };
}

Replication::~Replication() {
  parts_->host.store.on_made = [](Partition&) {};
}

// ---- the logs

namespace {

Epoch epoch_of_last_record(Partition& partition) {
  const auto& segments = partition.log().segments();
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    if (const auto places = partition.places().next_places(segment->first)) return places->last.epoch;
  }
  return Epoch{0};
}

// A leadership is stored before the first record of it is appended. A state that knows of none so new is of an earlier
// time: it would have the others cut what was acknowledged since.
bool is_older_than_log(const StoredState& stored, Partition& partition) {
  if (stored.incomplete || stored.promised.leader == kNobody) return false;
  const Epoch last = epoch_of_last_record(partition);
  return stored.promised.epoch < last && stored.epochs.at_end(partition.log().marks().appended()).epoch < last;
}

}  // namespace

Result<void> Replication::Parts::add(Partition& partition, bool was_replicated) {
  const std::string directory = host.store.options().directory + "/" + partition.name();
  auto stored = read_state(host.disk, directory);
  if (!stored) return stored.error();
  if (stored->has_value() != was_replicated) return {};
  if (*stored && is_older_than_log(**stored, partition)) return older_state(directory);
  std::vector<EpochLine> lines;
  if (!*stored) {
    const auto epochs = read_epochs(host.disk, directory);
    if (!epochs) return epochs.error();
    for (const EpochStart& epoch : *epochs) {
      lines.push_back(EpochLine{Leadership{epoch.epoch, host.self}, epoch.start});
    }
  }
  const LogName name{static_cast<std::int16_t>(partition.db()), static_cast<std::int16_t>(partition.number())};
  const Offset committed = *stored && (*stored)->promised.leader != host.self ? (*stored)->committed : kFirstOffset;
  // One that was made and came no further: see made().
  if (!*stored && partition.log().marks().appended() == kFirstOffset && counts_in(name.partition)) {
    *stored = StoredState();
    (*stored)->counts = true;
  }
  auto& log = logs[name];
  log = std::make_unique<ReplicatedLog>(host, partition, std::move(*stored), std::move(lines));
  if (partition.log().marks().appended() < committed) log->start_anew();
  return {};
}

// A log was made while the node runs: it is in the group before anybody writes to it.
void Replication::Parts::made(Partition& partition) {
  const LogName name{static_cast<std::int16_t>(partition.db()), static_cast<std::int16_t>(partition.number())};
  const bool elected = was_elected(name.partition);
  StoredState fresh;
  // What it says of a log that it never had is worth as much as what it says of the others.
  fresh.counts = counts_in(name.partition);
  auto& log = logs[name];
  log = std::make_unique<ReplicatedLog>(host, partition, std::move(fresh), std::vector<EpochLine>());
  const bool stands = std::ranges::any_of(
      logs, [&](const auto& one) { return one.first.partition == name.partition && one.second->is_promoted(); });
  // With `least` 1 all nodes have promised, and none of them begins a log without leading the first one.
  const bool others_may_begin = elected && host.options.group.least > 1;
  if (stands || (wish == Wish::kLead && others_may_begin)) {
    claim(*log);
  } else if (wish == Wish::kFollow) {
    log->follow(leader);
  } else if (wish == Wish::kLead) {
    log->lead(Epoch{0});
  }
  if (wish != Wish::kLead) return;
  log->keep_recent(!connected.empty());
  for (const MemberId member : connected) tell_logs(member);
}

Result<void> Replication::open() {
  Result<void> result;
  for (const bool was_replicated : {true, false}) {
    parts_->host.store.for_each_partition([&](Partition& partition) {
      if (auto added = parts_->add(partition, was_replicated); !added && result) result = added;
    });
  }
  return result;
}

bool Replication::Parts::leads_some() const {
  return std::ranges::any_of(logs,
                             [](const auto& one) { return one.second->replica().leads() && !one.second->is_lent(); });
}

// A promotion or a hand-over has changed what logs that are made later are to do.
void Replication::Parts::note_roles() {
  if (leads_some()) {
    wish = Wish::kLead;
    return;
  }
  for (const auto& [name, log] : logs) {
    const MemberId followed = log->replica().state().following;
    if (log->is_promoted() || log->is_claimed() || log->is_lent() || followed == kNobody) continue;
    wish = Wish::kFollow;
    leader = followed;
  }
}

ReplicatedLog* Replication::Parts::find(const LogName& name) {
  const auto found = logs.find(name);
  return found == logs.end() ? nullptr : found->second.get();
}

const ReplicatedLog* Replication::Parts::find(int db, int partition) const {
  const auto found = logs.find({static_cast<std::int16_t>(db), static_cast<std::int16_t>(partition)});
  return found == logs.end() ? nullptr : found->second.get();
}

void Replication::Parts::tell_logs(MemberId to) {
  std::map<std::int16_t, Logs> by_partition;
  for (const auto& [name, log] : logs) {
    if (log->replica().leads()) by_partition[name.partition].names.push_back(name);
  }
  for (auto& [partition, all] : by_partition) {
    host.transport.send(to, LogName{0, partition}, Message(std::move(all)), nullptr);
  }
}

// The leader's logs of one partition number: those that are missing here are made.
void Replication::Parts::learn_logs(const LogName& about, const Logs& theirs) {
  for (const LogName& name : theirs.names) {
    if (!can_be(name) || name.partition != about.partition) {
      warn_of(name);
    } else {
      told.insert(name);
    }
  }
  make_told();
}

// Again, when it failed.
void Replication::Parts::make_told() {
  if (leads_some()) return told.clear();
  for (const LogName& name : told) {
    if (find(name) == nullptr) host.store.want_database(name.db, name.partition);
  }
}

// ---- what the operator wants

void Replication::lead() {
  parts_->wish = Parts::Wish::kLead;
  for (const auto& [name, log] : parts_->logs) {
    parts_->must_claim(*log) ? parts_->claim(*log) : log->lead(Epoch{0});
  }
  if (!parts_->logs.empty() && !parts_->leads_some()) parts_->wish = Parts::Wish::kNothing;
}

void Replication::follow(MemberId leader) {
  parts_->wish = Parts::Wish::kFollow;
  parts_->leader = leader;
  for (const auto& [name, log] : parts_->logs) log->follow(leader);
}

void Replication::promote(std::vector<MemberId> others, bool accept_loss) {
  if (parts_->logs.empty() && !accept_loss) {
    return on_refused(
        "this node has no log yet, so it may miss every acknowledged write; promote another node, or accept the loss");
  }
  if (parts_->logs.empty()) parts_->wish = Parts::Wish::kLead;
  for (const auto& [name, log] : parts_->logs) log->promote(others, accept_loss);
}

bool Replication::hands_over() const {
  return std::ranges::any_of(parts_->logs, [](const auto& one) {
    const Replica& replica = one.second->replica();
    return replica.leads() && !replica.accepts_writes() && !one.second->is_lent();
  });
}

void Replication::hand_over(MemberId to) {
  for (const auto& [name, log] : parts_->logs) {
    if (!log->is_claimed()) log->hand_over(to);
  }
}

// ---- what happens

void Replication::receive(MemberId from, const LogName& name, const Message& message, Bytes batches) {
  if (!parts_->can_be(name)) return parts_->warn_of(name);
  if (const auto* const logs = std::get_if<Logs>(&message)) return parts_->learn_logs(name, *logs);
  if (parts_->waits_for_log(from, name, message)) return;
  ReplicatedLog* const log = parts_->find(name);
  if (log == nullptr || !parts_->may_follow(*log, from, message)) return;
  if (const auto* const lend = std::get_if<Lend>(&message)) {
    const ReplicatedLog* const first = parts_->first_log(name.partition);
    if (first != log && first->replica().leadership().leader == from) log->lend(from, lend->term);
    return;
  }
  const auto* const fetch = std::get_if<Fetch>(&message);
  if (fetch != nullptr && !parts_->has_seen_all(from, *log, *fetch)) return;
  log->receive(from, message, batches);
}

void Replication::connected(MemberId member) {
  parts_->connected.insert(member);
  for (const auto& [name, log] : parts_->logs) log->keep_recent(true);
  parts_->tell_logs(member);
}

void Replication::disconnected(MemberId member) {
  parts_->connected.erase(member);
  parts_->newcomers.erase(member);
  if (!parts_->connected.empty()) return;
  for (const auto& [name, log] : parts_->logs) log->keep_recent(false);
}

void Replication::tick() {
  parts_->make_told();
  parts_->make_first_logs();
  parts_->look_at_claims();
  for (const auto& [name, log] : parts_->logs) log->tick();
}

bool Replication::poll() {
  parts_->deliver_early();
  bool more = false;
  std::size_t leads = 0;
  for (const auto& [name, log] : parts_->logs) {
    more = log->poll() || more;
    leads += log->leads() ? 1 : 0;
  }
  // Whoever was connected before this node led has not been told.
  if (std::exchange(parts_->led, leads) < leads) {
    for (const MemberId member : parts_->connected) parts_->tell_logs(member);
  }
  return more;
}

bool Replication::idle() const {
  return std::ranges::all_of(parts_->logs, [](const auto& one) { return one.second->idle(); });
}

void Replication::abandon() { parts_->logs.clear(); }

// ---- what comes of it

bool Replication::leads(int db, int partition) const {
  const ReplicatedLog* const log = parts_->find(db, partition);
  // A database that nobody has written to has no log yet: who leads the others makes it.
  return log != nullptr ? log->leads() && !log->is_lent() : parts_->wish == Parts::Wish::kLead;
}

std::optional<Millis> Replication::claimed_for(int db, int partition) const {
  const ReplicatedLog* const log = parts_->find(db, partition);
  return log != nullptr && log->is_claimed() ? std::optional(log->claimed_for()) : std::nullopt;
}

bool Replication::may_read(int db, int partition) const {
  const ReplicatedLog* const log = parts_->find(db, partition);
  return log == nullptr || log->may_read();
}

Offset Replication::acknowledged(int db, int partition, std::size_t members) const {
  const ReplicatedLog* const log = parts_->find(db, partition);
  return log == nullptr ? kFirstOffset : log->acknowledged(members);
}

void Replication::Parts::report_member(const ReplicatedLog& log, const Progress& progress,
                                       ReplicationReport& report) const {
  auto at = std::ranges::find(report.members, progress.member, &MemberReport::member);
  if (at == report.members.end()) {
    at = report.members.insert(at, MemberReport());
    at->member = progress.member;
    at->in_sync = true;
    at->connected = connected.contains(progress.member);
  }
  const ReplicaState& state = log.replica().state();
  const auto lag = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (state.end - progress.durable).value()));
  const LogCounters& counters = log.partition().log().counters();
  at->in_sync = at->in_sync && log.replica().set() != nullptr && log.replica().set()->holds(progress.member);
  at->offset_lag += lag;
  at->bytes_lag += counters.records == 0 ? 0 : lag * (counters.bytes / counters.records);
  if (lag != 0) at->ms_lag = std::max(at->ms_lag, log.now() - progress.caught_up_at);
  at->acknowledged += progress.durable.value();
}

ReplicationReport Replication::report() const {
  ReplicationReport report;
  bool first = true;
  for (const auto& [name, log] : parts_->logs) {
    const Replica& replica = log->replica();
    const ReplicaState& state = replica.state();
    // Who leads the first log of a partition leads them all, or will in a moment.
    if (log->is_claimed() || log->is_lent()) continue;
    const Role role = replica.leads() && !log->leads() ? Role::kCandidate : state.role;
    report.role = first ? role : std::min(report.role, role);
    report.leader = replica.leads() ? replica.self() : state.following;
    report.term = std::max(report.term, term_of(replica.leadership().epoch));
    report.committed += replica.committed().value();
    report.end += state.end.value();
    const std::size_t in_sync = replica.set() == nullptr ? 0 : replica.set()->members.size();
    report.in_sync_least = first ? in_sync : std::min(report.in_sync_least, in_sync);
    report.enough_in_sync = (first || report.enough_in_sync) && replica.enough_in_sync();
    report.copied_bytes += log->copied_bytes();
    report.loading = report.loading || !log->may_read();
    if (!replica.leads()) report.heard_ago = std::max(report.heard_ago, log->now() - state.heard_at);
    first = false;
    if (log->loading()) continue;
    for (const Progress& progress : state.progress) parts_->report_member(*log, progress, report);
  }
  if (first) {
    report.role = parts_->wish == Parts::Wish::kLead ? Role::kLeader : Role::kFollower;
    report.leader = report.role == Role::kLeader ? parts_->host.self : parts_->leader;
    report.enough_in_sync = parts_->host.options.group.least <= 1;
  }
  return report;
}

}  // namespace minod
