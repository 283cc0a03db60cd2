// How leadership changes hands: a candidate collects promises to accept no lower epoch, from so many nodes that any
// in-sync set in force has one of them, and leads if the newest set that they know has it.
#include <algorithm>
#include <utility>

#include "cluster/replica.h"

namespace minod {

namespace {

constexpr const char* kOutsider =
    "this node is not of the in-sync set, so it may miss acknowledged writes; promote a member of it, or accept the "
    "loss";

}  // namespace

// ---- before anything is promised

void Replica::promote(const std::vector<MemberId>& others, bool accept_loss) {
  if (leads()) return;
  if (rebuilding()) return refuse("this node's log is being rebuilt; promote it when it is there");
  if (state_.stored.incomplete && options_.rules.lead_when_complete && !accept_loss) {
    return refuse(
        "this node's log was started anew and may miss acknowledged writes; promote another node, or accept the loss");
  }
  change_role(Role::kFollower);
  state_.asked = others;
  state_.newest_term = term_of(state_.stored.promised.epoch);
  if (accept_loss) {
    stand();
    if (state_.role != Role::kCandidate) return;
    const Epoch epoch = state_.stored.promised.epoch;
    take_lead(epoch, {InSyncSet{SetVersion{epoch, 0}, {self_}, {self_}}}, true);
    return greet();
  }
  if (!options_.rules.inquire_first) {
    stand();
    return elect();
  }
  begin_asking();
}

void Replica::begin_asking() {
  state_.asking = true;
  state_.asking_since = now_;
  state_.promises.clear();
  if (state_.stored.counts || !options_.rules.members_promise) state_.promises.push_back(self_);
  state_.newest = set() != nullptr ? *set() : InSyncSet();
  ask();
  consider();
}

// Another member stood for the term in which this one leads, or a later one. It and those that promised it are nobody's
// followers, and can promise nothing to this one but in a later term.
void Replica::lead_after(Leadership other) {
  if (state_.asking) return;
  state_.asked = set()->known;
  add_members(state_.asked, set()->members);
  std::erase(state_.asked, self_);
  state_.newest_term = std::max(term_of(state_.stored.promised.epoch), term_of(other.epoch));
  begin_asking();
}

void Replica::ask() {
  state_.asked_at = now_;
  for (const MemberId other : state_.asked) send(other, Message(Inquiry()));
}

void Replica::tick_asking() {
  if (now_ - state_.asking_since < options_.ask_max) {
    if (now_ - state_.asked_at >= options_.retry) ask();
    return;
  }
  state_.asking = false;
  refuse("only " + std::to_string(state_.promises.size()) + " of the " + std::to_string(promises_needed()) +
         " nodes that have to agree could be asked; start the others, or accept the loss");
}

// Who has heard that a set is in force knows more of the same version.
void Replica::hear_of(const InSyncSet& other) {
  if (other.version > state_.newest.version) state_.newest = other;
  if (other.version == state_.newest.version) add_members(state_.newest.known, other.known);
}

void Replica::receive_standing(MemberId from, const Standing& standing) {
  if (!state_.asking) return;
  state_.newest_term = std::max(state_.newest_term, term_of(standing.promised.epoch));
  hear_of(standing.set);
  if (standing.counts || !options_.rules.members_promise) add_member(state_.promises, from);
  consider();
}

// Of a log that nobody had yet no set is known to anybody.
bool Replica::may_be_elected() const {
  const bool begins = state_.newest.members.empty() && may_begin_;
  return begins || state_.newest.holds(self_) || !options_.rules.elect_from_set;
}

// As elect() will, from what it would hear.
void Replica::consider() {
  if (options_.rules.ask_before_leading && state_.promises.size() < promises_needed()) return;
  state_.asking = false;
  if (!may_be_elected()) return refuse(kOutsider);
  stand();
  elect();
}

void Replica::receive_hand_over(MemberId from, const HandOver& hand_over) {
  const Leadership promised = state_.stored.promised;
  if (state_.role != Role::kFollower || hand_over.leadership != promised || promised.leader != from) return;
  if (rebuilding() || state_.stored.incomplete || set() == nullptr || !set()->holds(self_)) return;
  if (hand_over.end != state_.durable && options_.rules.hand_over_when_committed) return;
  // A leader hands over to a member of its set in force. That member may not have been told yet, and would have no
  // vote.
  if (!std::exchange(state_.stored.counts, true)) must_store();
  state_.asked = set()->known;
  add_members(state_.asked, set()->members);
  std::erase(state_.asked, self_);
  state_.newest_term = term_of(promised.epoch);
  stand();
  elect();
}

void Replica::stand_for(const std::vector<MemberId>& others, std::int32_t term) {
  if (leads() || rebuilding() || state_.stored.incomplete || set() == nullptr || !set()->holds(self_)) return;
  if (term <= term_of(state_.stored.promised.epoch)) return;
  state_.asked = others;
  state_.newest_term = term - 1;
  stand();
  elect();
}

// ---- the election

std::size_t Replica::promises_needed() const { return options_.nodes - std::min(options_.least, options_.nodes) + 1; }

void Replica::stand() {
  if (state_.newest_term == kTermMax) return refuse("there are no further terms");
  StoredState& stored = state_.stored;
  if (stored.promised.leader != self_) state_.led_before = stored.promised.leader;
  change_role(Role::kCandidate);
  state_.following = kNobody;
  stored.promised = Leadership{first_of_term(state_.newest_term + 1), self_};
  if (options_.rules.keep_promises) must_store();
  if (stored.counts || !options_.rules.members_promise) state_.promises.push_back(self_);
  state_.newest = set() != nullptr ? *set() : InSyncSet();
  retry();
}

void Replica::receive_promise(MemberId from, const Promise& promise) {
  const Leadership promised = state_.stored.promised;
  if (supersedes(promise.wanted, promised)) {
    hear(promise.wanted);
  } else if (promise.wanted != promised) {
    send(from, Message(Refusal{promised}));
    return;
  }
  Promised answer;
  answer.wanted = promise.wanted;
  answer.counts = state_.stored.counts;
  if (set() != nullptr) answer.set = *set();
  send(from, Message(std::move(answer)));
}

void Replica::receive_promised(MemberId from, const Promised& promised) {
  if (state_.role != Role::kCandidate || promised.wanted != state_.stored.promised) return;
  hear_of(promised.set);
  if (promised.counts || !options_.rules.members_promise) add_member(state_.promises, from);
  elect();
}

void Replica::elect() {
  if (state_.role != Role::kCandidate) return;
  if (options_.rules.ask_before_leading && state_.promises.size() < promises_needed()) return;
  if (!may_be_elected()) {
    change_role(Role::kFollower);
    state_.following = kNobody;
    return refuse(kOutsider);
  }
  // The one that led is most likely gone; when it is not, it joins again.
  std::vector<MemberId> members = state_.newest.members;
  const bool gave_way = std::ranges::find(state_.promises, state_.led_before) != state_.promises.end();
  if (!gave_way && state_.led_before != self_) std::erase(members, state_.led_before);
  add_member(members, self_);
  std::vector<MemberId> known = state_.newest.known;
  add_members(known, state_.promises);  // who was there before the log was made, and has it not yet
  const Epoch epoch = state_.stored.promised.epoch;
  take_lead(epoch, {InSyncSet{SetVersion{epoch, 0}, std::move(members), std::move(known)}}, false);
  greet();
}

// Those that promised learn that they have a leader, and fetch: nobody waits for a timer.
void Replica::greet() {
  state_.greeting = state_.asked;
  greet_again();
}

void Replica::greet_again() {
  state_.greeted_at = now_;
  Answer answer;
  answer.leadership = state_.stored.promised;
  answer.set = *set();
  for (const MemberId other : state_.greeting) send(other, Message(answer));
}

}  // namespace minod
