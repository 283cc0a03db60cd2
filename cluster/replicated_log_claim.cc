// Logs that the leader of a partition's first log does not lead, or lacks: docs/REPLICATION.md, "Who leads the first
// log leads them all".
#include <algorithm>
#include <utility>

#include "cluster/replicated_log.h"

namespace minod {

namespace {

// Who fetches a log from one that leads it for this node is not to be disturbed.
constexpr Millis kSilenceMax{5000};

}  // namespace

void ReplicatedLog::claim(std::vector<MemberId> others, bool accept_loss) {
  if (claim_ || replica_.leads()) return;
  claim_ = Claim{.others = std::move(others), .accept_loss = accept_loss, .since = now(), .tried_at = {}};
  if (!is_away()) log().set_writers(Log::Writers::kWait);
}

void ReplicatedLog::give_up_claim() {
  claim_.reset();
  if (!is_away() && !replica_.leads()) log().set_writers(Log::Writers::kMayNot);
}

// Stands for it, alone: the node's other logs go on. What is cut off its end was never acknowledged.
void ReplicatedLog::tick_claim() {
  if (!claim_ || is_away()) return;
  if (claimed_for() >= kClaimMax) log().set_writers(Log::Writers::kMayNot);
  if (promotion_) return;
  const ReplicaState& state = replica_.state();
  if (state.role != Role::kFollower || state.asking || state.copying) return;
  const Leadership promised = replica_.leadership();
  const bool comes = state.following != kNobody && state.following == promised.leader && !state.stored.sets.empty();
  if (comes && now() - state.heard_at < kSilenceMax) return;
  if (claim_->tried_at && now() - *claim_->tried_at < host_.options.group.retry) return;
  claim_->tried_at = now();
  promotion_ = Promotion{.others = claim_->others, .accept_loss = claim_->accept_loss, .alone = true};
}

// Others are of its set: one of them leads it for a moment. Each is asked in turn, for one may be gone.
void ReplicatedLog::borrow() {
  const ReplicaState& state = replica_.state();
  std::vector<MemberId> holders = state.newest.members;
  std::erase(holders, replica_.self());
  if (state.newest.holds(replica_.self()) || holders.empty() || state.newest_term >= kTermMax) return;
  const MemberId holder = holders[claim_->asked++ % holders.size()];
  host_.transport.send(holder, name_, Message(Lend{state.newest_term + 1}), nullptr);
}

std::vector<MemberId> ReplicatedLog::other_members() const {
  std::vector<MemberId> all;
  for (const InSyncSet& set : replica_.state().stored.sets) {
    add_members(all, set.known);
    add_members(all, set.members);
  }
  std::erase(all, replica_.self());
  return all;
}

void ReplicatedLog::lend(MemberId to, std::int32_t term) {
  if (is_away() || promotion_ || claim_) return;
  lent_to_ = to;
  if (replica_.leads() || term <= term_of(replica_.leadership().epoch)) return;
  std::vector<MemberId> others = other_members();
  add_member(others, to);
  promotion_ = Promotion{.others = std::move(others), .alone = true, .lend_term = term};
}

void ReplicatedLog::tick_loan() {
  if (lent_to_ == kNobody || !replica_.leads()) return;
  const ReplicaState& state = replica_.state();
  const bool joined = replica_.set()->holds(lent_to_) && replica_.enough_in_sync() && state.stored.sets.size() == 1;
  if (joined && state.handing_to != lent_to_) replica_.hand_over(lent_to_);
}

}  // namespace minod
