// A follower's log that can't be continued: given up, copied from the leader's files, and taken for a member's again
// only when the leader says so.
#include <algorithm>

#include "base/check.h"
#include "cluster/replica.h"

namespace minod {

void Replica::set_first(Offset first, Offset of_empty) {
  state_.first = first;
  state_.first_of_empty = std::max(first, of_empty);
}

void Replica::start_anew() {
  if (leads()) return refuse("a leader's log has nobody to copy it from; promote another node first");
  change_role(Role::kFollower);
  StoredState& stored = state_.stored;
  stored.incomplete = true;
  ++stored.generation;
  stored.committed = kFirstOffset;
  stored.epochs = EpochHistory();
  state_.wiping = true;
  state_.cutting = state_.copying = state_.asking = state_.waits_for_answer = false;
  state_.end = state_.durable = state_.told = kFirstOffset;
  output_.cut.reset();
  output_.copy = false;
  must_store();
  rebuild_after_ = store_number_ + 1;
}

void Replica::wiped() {
  state_.wiping = false;
  fetch(true);
}

// What is copied is no log before it is all there: a restart meanwhile must not take it for one.
void Replica::begin_copy() {
  state_.copying = true;
  if (state_.stored.incomplete) {
    output_.copy = true;
    return;
  }
  state_.stored.incomplete = true;
  must_store();
  rebuild_after_ = store_number_ + 1;
}

void Replica::copied(Offset end, std::vector<EpochLine> epochs) {
  if (!state_.copying) return;
  state_.copying = false;
  state_.end = state_.durable = end;
  state_.stored.epochs = EpochHistory(std::move(epochs));
  state_.stored.epochs.truncate(end);
  must_store();
  retry();
}

void Replica::copy_failed() {
  if (!state_.copying) return;
  state_.copying = false;
  state_.sent_at = now_;
}

// In a set in force, with all that is committed: nothing more is committed without it.
void Replica::learn_complete(const Answer& answer) {
  const Rules& rules = options_.rules;
  const bool said = rules.complete_by_leader ? answer.complete : answer.in_force && answer.set.holds(self_);
  if (!state_.stored.incomplete || !said) return;
  state_.stored.incomplete = false;
  must_store();
}

}  // namespace minod
