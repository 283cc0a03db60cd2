#include "cluster/replica.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace minod {

Replica::Replica(MemberId self, GroupOptions options, StoredState stored, Offset end)
    : self_(self), options_(std::move(options)) {
  state_.stored = std::move(stored);
  state_.end = state_.durable = end;
  state_.stored.committed = std::min(state_.stored.committed, end);
  if (!options_.rules.truncate_by_epoch && state_.stored.committed < end) {
    state_.end = state_.durable = state_.stored.committed;
    output_.cut = state_.end;
  }
  const auto& lines = state_.stored.epochs.lines();
  led_ = !lines.empty() && lines.back().leadership == state_.stored.promised;
  // A line that starts at the end has no record; of a follower it would be a guess.
  state_.stored.epochs.truncate(state_.end);
  if (const InSyncSet* const known = set()) state_.own_stored = known->version;
}

// ---- messages and what they wait for

void Replica::send(MemberId to, Message message) {
  held_.push_back(Held{store_number_, Envelope{to, std::move(message)}});
}

bool Replica::receive(MemberId from, const Message& message) {
  if (const auto* const answer = std::get_if<Answer>(&message)) return receive_answer(from, *answer);
  if (const auto* const fetch = std::get_if<Fetch>(&message)) receive_fetch(from, *fetch);
  if (const auto* const promise = std::get_if<Promise>(&message)) receive_promise(from, *promise);
  if (const auto* const promised = std::get_if<Promised>(&message)) receive_promised(from, *promised);
  if (const auto* const refusal = std::get_if<Refusal>(&message)) {
    if (supersedes(refusal->known, state_.stored.promised)) hear(refusal->known);
  }
  if (std::holds_alternative<Inquiry>(message)) {
    send(from,
         Message(Standing{state_.stored.promised, state_.stored.counts, set() != nullptr ? *set() : InSyncSet()}));
  }
  if (const auto* const standing = std::get_if<Standing>(&message)) receive_standing(from, *standing);
  if (const auto* const hand_over = std::get_if<HandOver>(&message)) receive_hand_over(from, *hand_over);
  return false;
}

void Replica::stored(std::uint64_t number) {
  stored_number_ = std::max(stored_number_, number);
  if (rebuild_after_ && stored_number_ >= *rebuild_after_) {
    rebuild_after_.reset();
    (state_.wiping ? output_.wipe : output_.copy) = true;
  }
  if (number != store_number_) return;
  state_.own_stored = std::max(state_.own_stored, storing_);
  if (leads()) advance();
}

Output Replica::take() {
  if (dirty_) {
    dirty_ = false;
    output_.store = Output::Store{++store_number_, state_.stored};
    storing_ = set() != nullptr ? set()->version : SetVersion();
    // What was decided together with the change tells of it, and waits for it.
    for (Held& held : held_) held.after = store_number_;
  }
  auto first_held = held_.begin();
  while (first_held != held_.end() && first_held->after <= stored_number_) {
    output_.messages.push_back(std::move(first_held->envelope));
    ++first_held;
  }
  held_.erase(held_.begin(), first_held);
  return std::exchange(output_, Output());
}

// ---- what all roles share

void Replica::change_role(Role role) {
  if (state_.role == role) return;
  state_.role = role;
  output_.role = role;
  state_.progress.clear();
  state_.promises.clear();
  state_.newest = InSyncSet();
  state_.waits_for_answer = false;
  state_.handing_to = kNobody;
  state_.greeting.clear();
  state_.asking = state_.more_comes = false;
}

void Replica::commit(Offset to) {
  if (to <= state_.stored.committed) return;
  state_.stored.committed = to;
  output_.committed = to;
}

void Replica::refuse(std::string why) { output_.refused = std::move(why); }

// Somebody leads, or wants to, in a later epoch.
void Replica::hear(Leadership newer) {
  change_role(Role::kFollower);
  state_.stored.promised = newer;
  state_.following = newer.leader;
  state_.waits_for_answer = state_.asking = state_.stuck = false;
  state_.sent_at = now_;
  if (options_.rules.keep_promises) must_store();
}

void Replica::follow(MemberId leader) {
  change_role(Role::kFollower);
  state_.following = leader;
  state_.stuck = state_.asking = false;
  retry();
}

void Replica::appended(Offset end, bool more) {
  check(leads() && end >= state_.end, "only a leader has records of its own");
  state_.end = end;
  state_.more_comes = more;
  answer_those_that_wait();
}

void Replica::durable(Offset end) {
  if (end <= state_.durable || rebuilding()) return;
  check(end <= state_.end, "what is durable was appended");
  state_.durable = end;
  if (leads()) {
    advance();
  } else if (state_.role == Role::kFollower) {
    learn_committed();
    fetch(false);
  }
}

bool Replica::accepts_writes() const {
  return leads() && (state_.handing_to == kNobody || !options_.rules.hand_over_in_quiet);
}

bool Replica::enough_in_sync() const {
  const auto& sets = state_.stored.sets;
  return leads() && state_.stored.in_force && sets.front().members.size() >= options_.least;
}

void Replica::tick(Millis now) {
  now_ = now;
  if (leads()) {
    tick_leader(now);
  } else if (now_ - state_.sent_at >= options_.retry) {
    retry();
  }
  if (state_.asking) tick_asking();
}

}  // namespace minod
