// The logs of one partition belong together: docs/REPLICATION.md, "Who leads the first log leads them all".
#include <algorithm>
#include <string>
#include <utility>

#include "base/diag.h"
#include "cluster/replication_parts.h"
#include "store/limits.h"

namespace minod {

namespace {

// A hand-over takes the logs one by one; what is not there by then is asked for.
constexpr Millis kClaimAfter{1000};
// Messages that wait for a log to be made; they are sent again.
constexpr std::size_t kEarlyMax = 1024;
constexpr Nanos kEarlyFor{2'000'000'000};

bool is_of(const std::pair<const LogName, std::unique_ptr<ReplicatedLog>>& one, int partition) {
  return one.first.partition == partition;
}

}  // namespace

// That of the lowest database: 0, but for directories that are older than this rule.
const ReplicatedLog* Replication::Parts::first_log(int partition) const {
  const auto found = std::ranges::find_if(logs, [&](const auto& one) { return is_of(one, partition); });
  return found == logs.end() ? nullptr : found->second.get();
}

bool Replication::Parts::leads_partition(int partition) const {
  const ReplicatedLog* const first = first_log(partition);
  return first != nullptr && !first->is_lent() && (first->replica().leads() || first->is_promoted());
}

bool Replication::Parts::may_begin(const ReplicatedLog& log) const {
  const ReplicatedLog* const first = first_log(log.name().partition);
  return first == &log || first->replica().leads() || !host.options.group.rules.begin_with_leader_of_all;
}

bool Replication::Parts::counts_in(int partition) const {
  return std::ranges::any_of(
      logs, [&](const auto& one) { return is_of(one, partition) && one.second->replica().state().stored.counts; });
}

// By an election, so others may have led logs that this node lacks.
bool Replication::Parts::was_elected(int partition) const {
  if (!host.options.group.rules.elect_for_new_logs) return false;
  const bool none = first_log(partition) == nullptr;
  return std::ranges::any_of(logs, [&](const auto& one) {
    return (none || is_of(one, partition)) && term_of(one.second->replica().leadership().epoch) > 0;
  });
}

std::vector<LogName> Replication::Parts::logs_of(int partition) const {
  std::vector<LogName> names;
  for (const auto& [name, log] : logs) {
    if (name.partition == partition) names.push_back(name);
  }
  return names;
}

bool Replication::Parts::can_be(const LogName& name) const {
  const auto& own = host.options.own;
  const bool elsewhere = !own.empty() && std::ranges::find(own, name.partition) == own.end();
  return name.db >= 0 && name.db < kDatabases && name.partition >= 0 &&
         name.partition < host.store.options().partitions && !elsewhere;
}

void Replication::Parts::warn_of(const LogName& name) {
  diag::warning("another node speaks of a log that there can't be here: db" + std::to_string(name.db) + "-" +
                std::to_string(name.partition) + "; both must have the same number of partitions");
}

// ---- leading them all

// After a restart. Who was elected for the first log knows nothing of one that it has only made; and who led one for
// this node gives it back.
bool Replication::Parts::must_claim(const ReplicatedLog& log) const {
  const MemberId last = log.replica().leadership().leader;
  const ReplicatedLog* const first = first_log(log.name().partition);
  if (last == host.self) return false;
  if (first != &log) return (first->replica().leads() || first->is_claimed()) && was_elected(log.name().partition);
  return last == kNobody && std::ranges::any_of(logs, [](const auto& one) {
           return term_of(one.second->replica().leadership().epoch) > 0;
         });
}

void Replication::Parts::claim(ReplicatedLog& log) {
  const ReplicatedLog* const first = first_log(log.name().partition);
  std::vector<MemberId> others;
  for (const auto& [name, one] : logs) add_members(others, one->other_members());
  // Who leads though a loss was accepted has nobody to ask.
  const InSyncSet* const set = first->replica().set();
  const bool alone = first->replica().leads() && set != nullptr && set->known.size() == 1 && set->holds(host.self);
  log.claim(std::move(others), alone);
}

void Replication::Parts::look_at_claims() {
  for (const auto& [name, log] : logs) {
    const ReplicatedLog* const first = first_log(name.partition);
    if (first == log.get()) continue;
    const bool leads_first = first->leads() && !first->is_lent();
    if (leads_first) log->end_loan();
    if (log->is_claimed() && !leads_partition(name.partition) && !first->is_claimed()) {
      log->give_up_claim();
      if (wish == Wish::kFollow) log->follow(leader);
    }
    const bool done = !leads_first || log->replica().leads() || log->is_claimed() || log->is_promoted();
    if (done) {
      not_led_since.erase(name);
      continue;
    }
    const auto since = not_led_since.emplace(name, log->now()).first;
    if (log->now() - since->second >= kClaimAfter) claim(*log);
  }
}

// Each partition has a log from the beginning on, so that whoever counts in the group counts in each of them.
void Replication::Parts::make_first_logs() {
  if (wish != Wish::kLead || (!logs.empty() && !leads_some())) return;
  for (const int partition : host.options.own) {
    if (first_log(partition) == nullptr) host.store.want_database(0, partition);
  }
}

// ---- what comes for logs that are not there yet

// A candidate is elected when it has all logs that those have who promise.
bool Replication::Parts::has_all_told(const Promised& promised) const {
  return std::ranges::all_of(
      promised.logs, [&](const LogName& name) { return !can_be(name) || find(name.db, name.partition) != nullptr; });
}

bool Replication::Parts::comes_early(const LogName& name, const Message& message) const {
  const bool here = find(name.db, name.partition) != nullptr;
  const auto* const promised = std::get_if<Promised>(&message);
  if (promised != nullptr) return here && host.options.group.rules.tell_all_logs && !has_all_told(*promised);
  const bool asks = std::holds_alternative<Inquiry>(message) || std::holds_alternative<Promise>(message);
  return asks && !here && !leads_partition(name.partition);
}

// It is looked at when the logs are there that it speaks of.
bool Replication::Parts::waits_for_log(MemberId from, const LogName& name, const Message& message) {
  if (!comes_early(name, message)) return false;
  if (find(name) == nullptr) host.store.want_database(name.db, name.partition);
  if (const auto* const promised = std::get_if<Promised>(&message)) {
    for (const LogName& one : promised->logs) {
      if (can_be(one) && find(one) == nullptr) host.store.want_database(one.db, one.partition);
    }
  }
  if (early.size() < kEarlyMax) early.push_back({from, name, message, host.clock.monotonic()});
  return true;
}

void Replication::Parts::deliver_early() {
  for (Early& one : std::exchange(early, {})) {
    if (comes_early(one.log, one.message)) {
      if (host.clock.monotonic() - one.came_at < kEarlyFor) early.push_back(std::move(one));
    } else if (ReplicatedLog* const log = find(one.log); log != nullptr && may_follow(*log, one.from, one.message)) {
      log->receive(one.from, one.message, {});
    }
  }
}

// ---- fences

// Whoever has promised another the first log helps nobody to begin one that is new.
bool Replication::Parts::may_follow(const ReplicatedLog& log, MemberId from, const Message& message) const {
  const bool helps = std::holds_alternative<Answer>(message) || std::holds_alternative<Promise>(message);
  if (!helps || !host.options.group.rules.begin_with_leader_of_all) return true;
  if (!log.replica().state().stored.sets.empty() || log.is_claimed()) return true;
  const ReplicatedLog* const first = first_log(log.name().partition);
  if (first == &log) return true;
  const MemberId of_all = first->replica().leadership().leader;
  return of_all == kNobody || of_all == from;
}

// A newcomer joins no set before it has heard of all logs: those that it hears of when it has joined one, it takes for
// newer than itself.
bool Replication::Parts::has_seen_all(MemberId from, const ReplicatedLog& log, const Fetch& fetch) {
  const auto known_by = [&](const ReplicatedLog& one) {
    const InSyncSet* const set = one.replica().set();
    return set != nullptr && (std::ranges::binary_search(set->known, from) || set->holds(from));
  };
  if (known_by(log) || !host.options.group.rules.show_all_logs) return true;
  auto& fetched = newcomers[from];
  const int partition = log.name().partition;
  const bool was_all = fetched.contains(log.name());
  fetched[log.name()] = fetch;
  if (!log.replica().leads()) return true;
  const bool all = std::ranges::all_of(logs, [&](const auto& one) {
    return !is_of(one, partition) || fetched.contains(one.first) || known_by(*one.second);
  });
  if (!all || was_all) return all;
  // The others waited for this one.
  for (const auto& [name, waiting] : fetched) {
    if (name != log.name() && name.partition == partition) find(name)->receive(from, Message(waiting), {});
  }
  return true;
}

}  // namespace minod
