// How leadership changes hands: a candidate collects promises to accept no lower epoch, from so many nodes that any
// in-sync set in force has one of them, and leads if the newest set that they know has it.
#include <algorithm>
#include <utility>

#include "cluster/replica.h"

namespace minod {

void Replica::promote(const std::vector<MemberId>& others, bool accept_loss) {
  if (leads()) return;
  if (term_of(state_.stored.promised.epoch) == kTermMax) return refuse("there are no further terms");
  StoredState& stored = state_.stored;
  if (state_.role != Role::kCandidate) state_.led_before = stored.promised.leader;
  change_role(Role::kCandidate);
  stored.promised = Leadership{first_of_term(term_of(stored.promised.epoch) + 1), self_};
  if (options_.rules.keep_promises) must_store();
  if (accept_loss) {
    const SetVersion version{stored.promised.epoch, 0};
    return take_lead(stored.promised.epoch, {InSyncSet{version, {self_}, {self_}}}, true);
  }
  state_.asked = others;
  state_.promises.clear();
  if (stored.counts || !options_.rules.members_promise) state_.promises.push_back(self_);
  state_.newest = set() != nullptr ? *set() : InSyncSet();
  retry();
  elect();
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
  if (promised.set.version > state_.newest.version) state_.newest = promised.set;
  if (promised.counts || !options_.rules.members_promise) add_member(state_.promises, from);
  elect();
}

void Replica::elect() {
  const std::size_t needed = options_.nodes - std::min(options_.least, options_.nodes) + 1;
  if (options_.rules.ask_before_leading && state_.promises.size() < needed) return;
  if (options_.rules.elect_from_set && !state_.newest.holds(self_)) {
    change_role(Role::kFollower);
    state_.following = kNobody;
    return refuse(
        "this node is not of the in-sync set, so it may miss acknowledged writes; promote a member of it, or "
        "accept the loss");
  }
  // The one that led is most likely gone; when it is not, it joins again.
  std::vector<MemberId> members = state_.newest.members;
  const bool gave_way = std::ranges::find(state_.promises, state_.led_before) != state_.promises.end();
  if (!gave_way && state_.led_before != self_) std::erase(members, state_.led_before);
  add_member(members, self_);
  std::vector<MemberId> known = state_.newest.known;
  add_member(known, self_);
  const Epoch epoch = state_.stored.promised.epoch;
  take_lead(epoch, {InSyncSet{SetVersion{epoch, 0}, std::move(members), std::move(known)}}, false);
}

}  // namespace minod
