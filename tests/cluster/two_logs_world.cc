#include "tests/cluster/two_logs_world.h"

#include <algorithm>
#include <utility>

namespace minod {

TwoLogs::TwoLogs(const GroupOptions& options, std::uint64_t seed) : options_(options), random_(seed) {
  const std::vector<MemberId> ids{{0, 1}, {0, 2}, {0, 3}};
  for (std::size_t i = 0; i < kNodes; ++i) {
    StoredState stored;
    stored.promised = Leadership{Epoch{1}, ids[0]};
    stored.counts = true;
    stored.sets = {InSyncSet{SetVersion{Epoch{1}, 0}, ids, ids}};
    nodes_[i].id = ids[i];
    nodes_[i].logs[kFirst].emplace(ids[i], options_, stored, kFirstOffset);
  }
  for (std::size_t i = 0; i < kNodes; ++i) {
    i == 0 ? nodes_[i].logs[kFirst]->lead(Epoch{0}) : nodes_[i].logs[kFirst]->follow(ids[0]);
    settle(nodes_[i]);
  }
}

TwoLogs::Node* TwoLogs::find(MemberId id) {
  const auto at = std::ranges::find(nodes_, id, &Node::id);
  return at == nodes_.end() ? nullptr : &*at;
}

std::vector<MemberId> TwoLogs::others(std::size_t i) const {
  std::vector<MemberId> all;
  for (const Node& node : nodes_) {
    if (node.id != nodes_[i].id) all.push_back(node.id);
  }
  return all;
}

// ---- what the nodes want done

// As Replication::Parts::made() does it.
void TwoLogs::make_other(std::size_t i) {
  Node& node = nodes_[i];
  const Replica& first = *node.logs[kFirst];
  StoredState fresh;
  fresh.counts = first.state().stored.counts;
  node.logs[kOther].emplace(node.id, options_, fresh, kFirstOffset);
  const std::int32_t term = term_of(first.leadership().epoch);
  if (!first.leads()) return;
  if (term > 0 && options_.rules.elect_for_new_logs) {
    stand(i, kOther);
  } else {
    node.logs[kOther]->lead(first_of_term(term));
  }
}

void TwoLogs::stand(std::size_t i, Which log) {
  Node& node = nodes_[i];
  const bool may_begin = log == kFirst || leads(node, kFirst) || !options_.rules.begin_with_leader_of_all;
  node.logs[log]->set_may_begin(may_begin);
  node.logs[log]->promote(others(i), false);
}

void TwoLogs::settle(Node& node) {
  while (settle_log(node, kFirst) || settle_log(node, kOther)) {
  }
}

bool TwoLogs::settle_log(Node& node, Which log) {
  if (!has(node, log)) return false;
  Replica& replica = *node.logs[log];
  replica.durable(replica.state().end);
  Output output = replica.take();
  if (output.cut) replica.truncated();
  if (output.store) replica.stored(output.store->number);
  for (Envelope& one : output.messages) {
    if (auto* const promised = std::get_if<Promised>(&one.message)) {
      if (has(node, kOther)) promised->logs = {LogName{1, 0}};
    }
    network_.push_back({node.id, one.to, log, std::move(one.message)});
  }
  // Others are of its set: one of them is asked for it.
  const InSyncSet& newest = replica.state().newest;
  const bool claims = log == kOther && leads(node, kFirst) && !newest.members.empty() && !newest.holds(node.id);
  if (output.refused && claims) {
    const MemberId holder = newest.members[random_.below(newest.members.size())];
    network_.push_back({node.id, holder, kOther, Message(Lend{replica.state().newest_term + 1})});
  }
  note_acknowledged(node, log);
  return output.cut || output.store || !output.messages.empty();
}

void TwoLogs::note_acknowledged(const Node& node, Which log) {
  const Replica& replica = *node.logs[log];
  if (!replica.leads()) return;
  newest_term_[log] = std::max(newest_term_[log], term_of(replica.leadership().epoch));
  for (Offset offset; offset < replica.committed(); offset += OffsetCount(1)) {
    const Record one{offset, replica.state().stored.epochs.at_end(offset + OffsetCount(1))};
    auto& all = acknowledged_[log];
    if (std::ranges::find(all, one) == all.end()) all.push_back(one);
  }
}

// ---- what must hold

std::optional<std::string> TwoLogs::violation() const {
  for (const Which log : {kFirst, kOther}) {
    for (const Record& one : acknowledged_[log]) {
      const auto holds = [&](const Replica& replica) {
        return replica.state().end > one.offset &&
               replica.state().stored.epochs.at_end(one.offset + OffsetCount(1)) == one.leadership;
      };
      for (const Node& node : nodes_) {
        const bool newest = leads(node, log) && term_of(node.logs[log]->leadership().epoch) == newest_term_[log];
        if (newest && !holds(*node.logs[log])) return "an acknowledged record is not at the leader of its log";
        const bool of_all =
            leads(node, kFirst) && term_of(node.logs[kFirst]->leadership().epoch) == newest_term_[kFirst];
        if (of_all && !has(node, log)) return "who leads the first log takes one that has records for empty";
      }
    }
  }
  return std::nullopt;
}

// ---- what happens

std::string TwoLogs::step() {
  for (;;) {
    const std::uint64_t kind = random_.below(20);
    if (kind < 13 && !network_.empty()) {
      const auto at = network_.begin() + static_cast<std::ptrdiff_t>(random_.below(network_.size()));
      const Parcel parcel = std::move(*at);
      network_.erase(at);
      const bool lost = random_.one_in(12);
      const std::string told = "message " + std::to_string(parcel.message.index()) + " of log " +
                               std::to_string(parcel.log) + ": " + std::to_string(parcel.from.low) + " to " +
                               std::to_string(parcel.to.low);
      if (!lost) deliver(parcel);
      return told + (lost ? " is lost" : "");
    }
    const std::string done = operate(static_cast<std::size_t>(random_.below(kNodes)));
    if (!done.empty()) return done;
  }
}

std::string TwoLogs::operate(std::size_t i) {
  Node& node = nodes_[i];
  const std::string name = std::to_string(node.id.low);
  const Which log = random_.one_in(2) && has(node, kOther) ? kOther : kFirst;
  Replica& replica = *node.logs[log];
  switch (random_.below(12)) {
    case 0:
      if (promotions_ >= 3 || leads(node, kFirst)) return "";
      promote(i);
      return name + " is promoted";
    case 1:
      if (!leads(node, kFirst) || has(node, kOther)) return "";
      make_other(i);
      settle(node);
      return name + " makes the other log";
    case 2:
    case 3:
      if (!replica.accepts_writes() || replica.state().end >= Offset(2)) return "";
      replica.appended(replica.state().end + OffsetCount(1));
      settle(node);
      return name + " appends to log " + std::to_string(log);
    case 4:
      if (!leads(node, log)) return "";
      for (const MemberId other : others(i)) {
        if (!random_.one_in(3) || !replica.set()->holds(other)) continue;
        replica.drop(other);
        settle(node);
        return name + " drops " + std::to_string(other.low) + " from log " + std::to_string(log);
      }
      return "";
    case 5:
      // Told of the log by one that leads it.
      for (const Node& other : nodes_) {
        if (!leads(other, kOther) || other.id == node.id || leads(node, kOther)) continue;
        if (!has(node, kOther)) make_other(i);
        if (node.logs[kOther]->state().role != Role::kFollower) continue;
        node.logs[kOther]->follow(other.id);
        settle(node);
        return name + " hears of the other log of " + std::to_string(other.id.low);
      }
      return "";
    case 6:
      if (!leads(node, kFirst) || !has(node, kOther) || leads(node, kOther)) return "";
      if (node.logs[kOther]->state().role != Role::kFollower || !options_.rules.elect_for_new_logs) return "";
      stand(i, kOther);
      settle(node);
      return name + " claims the other log";
    case 7:
      if (!leads(node, kOther) || node.lent_to == kNobody || !node.logs[kOther]->set()->holds(node.lent_to)) return "";
      node.logs[kOther]->hand_over(node.lent_to);
      taken_over_ = true;
      settle(node);
      return name + " gives the other log back";
    case 8:
      if (replaced_ != 0 || leads(node, kFirst) || !random_.one_in(4)) return "";
      replace(i);
      return name + " gets an empty disk";
    default:
      if (replica.state().role == Role::kLeader) return "";
      replica.retry();
      settle(node);
      return name + " asks again about log " + std::to_string(log);
  }
}

void TwoLogs::promote(std::size_t i) {
  ++promotions_;
  Node& node = nodes_[i];
  node.lent_to = kNobody;
  for (const Which log : {kFirst, kOther}) {
    if (has(node, log)) stand(i, log);
  }
  settle(node);
}

// The old disk is gone; the new one hears of the group from whoever leads.
void TwoLogs::replace(std::size_t i) {
  ++replaced_;
  const MemberId leader = nodes_[i].logs[kFirst]->state().following;
  nodes_[i] = Node();
  nodes_[i].id = MemberId{0, i + 1 + kNodes};
  nodes_[i].logs[kFirst].emplace(nodes_[i].id, options_, StoredState(), kFirstOffset);
  if (leader != kNobody) nodes_[i].logs[kFirst]->follow(leader);
  settle(nodes_[i]);
}

// It is of use when the other log is there; true: it comes again.
bool TwoLogs::waits(Node& node, const Parcel& parcel) {
  if (has(node, kOther)) return false;
  const auto* const promised = std::get_if<Promised>(&parcel.message);
  const bool tells = promised != nullptr && !promised->logs.empty() && options_.rules.tell_all_logs;
  const bool asks = parcel.log == kOther && (std::holds_alternative<Inquiry>(parcel.message) ||
                                             std::holds_alternative<Promise>(parcel.message));
  if (tells || (asks && !leads(node, kFirst))) {
    make_other(static_cast<std::size_t>(&node - nodes_.data()));
    return false;
  }
  return parcel.log == kOther;
}

bool TwoLogs::is_shown_all(Node& node, const Parcel& parcel) const {
  const auto* const fetch = std::get_if<Fetch>(&parcel.message);
  const auto knows = [&](Which log) {
    const InSyncSet* const set = has(node, log) ? node.logs[log]->set() : nullptr;
    return set != nullptr && (std::ranges::binary_search(set->known, parcel.from) || set->holds(parcel.from));
  };
  if (fetch == nullptr || !leads(node, parcel.log) || !options_.rules.show_all_logs) return true;
  if (parcel.log == kOther) node.fetched.push_back(parcel.from);
  if (knows(parcel.log) || parcel.log == kOther || !has(node, kOther) || knows(kOther)) return true;
  return std::ranges::find(node.fetched, parcel.from) != node.fetched.end();
}

void TwoLogs::deliver(const Parcel& parcel) {
  Node* const to = find(parcel.to);
  if (to == nullptr || waits(*to, parcel) || !is_shown_all(*to, parcel)) return;
  Replica& replica = *to->logs[parcel.log];
  const MemberId of_all = to->logs[kFirst]->leadership().leader;
  const bool fresh = parcel.log == kOther && replica.state().stored.sets.empty() && of_all != to->id;
  const bool helps = std::holds_alternative<Answer>(parcel.message) || std::holds_alternative<Promise>(parcel.message);
  const bool fenced = options_.rules.begin_with_leader_of_all && helps;
  if (fresh && fenced && of_all != kNobody && of_all != parcel.from) return;
  if (const auto* const lend = std::get_if<Lend>(&parcel.message)) {
    if (of_all != parcel.from) return;
    to->lent_to = parcel.from;
    replica.stand_for(others(static_cast<std::size_t>(to - nodes_.data())), lend->term);
  } else {
    replica.receive(parcel.from, parcel.message);
  }
  settle(*to);
}

}  // namespace minod
