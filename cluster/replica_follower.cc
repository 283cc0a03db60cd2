// What a follower does: fetches, and takes over what its leader says.
#include <algorithm>

#include "base/check.h"
#include "cluster/replica.h"

namespace minod {

void Replica::fetch(bool wants) {
  if (state_.following == kNobody || rebuilding() || state_.stuck) return;
  if (wants && state_.waits_for_answer) return;
  if (wants) {
    state_.waits_for_answer = true;
    state_.sent_at = now_;
  }
  Fetch fetch;
  fetch.known = state_.stored.promised;
  fetch.last = state_.stored.epochs.at_end(state_.end);
  fetch.end = state_.end;
  fetch.durable = options_.rules.acknowledge_durable ? state_.durable : state_.end;
  fetch.told = state_.told;
  fetch.wants = wants;
  fetch.generation = state_.stored.generation;
  fetch.incomplete = state_.stored.incomplete;
  // Not before the set is stored: take() holds the message back.
  if (set() != nullptr) fetch.set = set()->version;
  send(state_.following, Message(fetch));
}

void Replica::retry() {
  state_.sent_at = now_;
  if (state_.role == Role::kCandidate) {
    for (const MemberId other : state_.asked) send(other, Message(Promise{state_.stored.promised}));
    return;
  }
  if (state_.role != Role::kFollower) return;
  state_.waits_for_answer = false;
  fetch(true);
}

bool Replica::receive_answer(MemberId from, const Answer& answer) {
  const Leadership promised = state_.stored.promised;
  if (answer.leadership != promised) {
    if (supersedes(answer.leadership, promised)) {
      hear(answer.leadership);
      fetch(true);
      return false;
    }
    if (options_.rules.fence_epochs) {
      if (supersedes(promised, answer.leadership)) send(from, Message(Refusal{promised}));
      return false;
    }
  }
  if (state_.role != Role::kFollower || rebuilding() || state_.stuck) return false;
  state_.heard_at = now_;
  state_.following = from;
  state_.waits_for_answer = false;
  if (answer.generation != state_.stored.generation && options_.rules.answer_generation) {
    fetch(true);
    return false;
  }
  if (answer.divergence) {
    cut_after(answer);
    if (!state_.cutting) fetch(true);
    return false;
  }
  if (answer.first > state_.end && answer.begin == state_.end) {
    state_.end == kFirstOffset ? begin_copy() : start_anew();
    return false;
  }
  learn_set(answer.set, answer.in_force);
  learn_complete(answer);
  const bool fits = answer.begin == state_.end && answer.next > state_.end;
  if (fits) {
    for (const EpochLine& line : answer.epochs) {
      const Offset start = std::max(line.start, state_.end);
      if (start >= answer.next || state_.stored.epochs.at_end(start + OffsetCount(1)) == line.leadership) continue;
      state_.stored.epochs.begin(line.leadership, start);
      must_store();
    }
    state_.end = answer.next;
  }
  state_.told = answer.committed;
  learn_committed();
  // Behind records come others, until what was fetched is acknowledged. One that comes again or late says nothing of
  // those behind it, either.
  state_.waits_for_answer = fits || answer.begin < state_.end;
  if (fits) state_.sent_at = now_;
  fetch(true);
  return fits;
}

// A set that is only requested gives no vote: a leader that was replaced may have requested it.
void Replica::learn_set(const InSyncSet& newer, bool in_force) {
  const bool gives_vote = in_force || !options_.rules.vote_when_in_force;
  if (gives_vote && newer.holds(self_) && !state_.stored.counts) {
    state_.stored.counts = true;
    must_store();
  }
  const bool known_now = in_force && set() != nullptr && newer.version == set()->version && newer != *set();
  if (set() != nullptr && newer.version <= set()->version && !known_now) return;
  state_.stored.sets = {newer};
  state_.stored.in_force = false;
  must_store();
}

void Replica::learn_committed() { commit(std::min(state_.told, state_.durable)); }

void Replica::cut_after(const Answer& answer) {
  // An answer that comes late, or again, is about what this log was.
  const bool about_this = answer.begin == state_.end && answer.last == state_.stored.epochs.at_end(state_.end);
  if (!about_this && options_.rules.cut_what_was_compared) return;
  const Offset target = state_.stored.epochs.cut_for(*answer.divergence, state_.end);
  if (target >= state_.end) return;
  if (target < state_.stored.committed) {
    state_.stuck = true;
    return refuse("the leader's log parts from this one at offset " + std::to_string(target.value()) +
                  ", but all below " + std::to_string(state_.stored.committed.value()) +
                  " was committed: one of the two nodes has lost data or leads by mistake. Nothing is changed here; "
                  "find out which, then start the other one from an empty directory");
  }
  state_.cutting = true;
  state_.end = state_.durable = target;
  output_.cut = target;
}

void Replica::cut_tail(Offset end) {
  check(!leads() && !rebuilding() && end >= state_.durable, "only what was not acknowledged is given up");
  if (end >= state_.end) return;
  state_.cutting = true;
  state_.end = end;
  output_.cut = end;
}

void Replica::truncated() {
  state_.cutting = false;
  state_.stored.epochs.truncate(state_.end);
  must_store();
  fetch(true);
}

}  // namespace minod
