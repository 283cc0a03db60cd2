// What a leader does: counts what its followers have, keeps the in-sync set, moves the high watermark, answers fetches.
#include <algorithm>
#include <utility>

#include "cluster/high_watermark.h"
#include "cluster/replica.h"

namespace minod {

namespace {

bool without_loss(const std::vector<MemberId>& smaller, const std::vector<MemberId>& larger) {
  return std::ranges::includes(larger, smaller);
}

}  // namespace

void Replica::lead(Epoch least) {
  if (state_.stored.incomplete && options_.rules.lead_when_complete) {
    return refuse("this node's log was started anew and is not complete: it can only follow");
  }
  const MemberId led = state_.stored.promised.leader;
  if (led != kNobody && led != self_) {
    return refuse("this node followed another leader, " + text_of(led) + "; promote it to make it lead");
  }
  if (led == self_ && !led_ && !leads() && options_.rules.lead_when_led) {
    return refuse("this node stood for the lead and was not elected before it stopped; promote it, or let it follow");
  }
  const Epoch epoch = std::max(Epoch{state_.stored.promised.epoch.value + 1}, least);
  if (led == self_ && term_of(epoch) != term_of(state_.stored.promised.epoch)) {
    return refuse("this leader has started too often in its term; promote it, which begins another");
  }
  std::vector<InSyncSet> sets = state_.stored.sets;
  bool in_force = state_.stored.in_force;
  if (sets.empty()) {
    sets.push_back(InSyncSet{SetVersion{epoch, 0}, {self_}, {self_}});
    in_force = true;
  }
  take_lead(epoch, std::move(sets), in_force);
  // One that led before the last election, and was not there when it was told so, leads as well, and does not ask.
  state_.asked = set()->known;
  add_members(state_.asked, set()->members);
  std::erase(state_.asked, self_);
  greet();
}

void Replica::take_lead(Epoch epoch, std::vector<InSyncSet> sets, bool in_force) {
  change_role(Role::kLeader);
  StoredState& stored = state_.stored;
  stored.promised = Leadership{epoch, self_};
  stored.epochs.begin(stored.promised, state_.end);
  stored.sets = std::move(sets);
  stored.in_force = in_force;
  stored.counts = true;
  stored.incomplete = false;
  state_.epoch_start = state_.end;
  state_.following = kNobody;
  for (const MemberId member : counted()) {
    if (member != self_) progress_of(member).caught_up_at = now_;
  }
  must_store();
  advance();
}

// ---- fetches

void Replica::receive_fetch(MemberId from, const Fetch& fetch) {
  if (!in_this_epoch(from, fetch) || !of_this_log(from, fetch)) return;
  const auto divergence = state_.stored.epochs.compare(fetch.last, fetch.end, state_.end);
  if (divergence) {
    // Nothing of it counts: what the follower has is not what this log has.
    Answer answer = short_answer(fetch);
    answer.divergence = divergence;
    answer.last = fetch.last;
    send(from, Message(std::move(answer)));
    return;
  }
  note_progress(from, fetch);
  std::erase(state_.greeting, from);
  settle_set();
  count();
  // A member that has lost what it had must not hold up the others.
  if (fetch.incomplete && fetch.durable < state_.stored.committed) drop(from);
  let_join(from);
  answer_those_that_wait();
  pass_on();
}

// Without records, and without anything about them.
Answer Replica::short_answer(const Fetch& fetch) const {
  Answer answer;
  answer.leadership = state_.stored.promised;
  answer.begin = answer.next = fetch.end;
  answer.generation = fetch.generation;
  answer.set = *set();
  return answer;
}

// A log that was started anew has nothing of what the one before it acknowledged.
bool Replica::of_this_log(MemberId from, const Fetch& fetch) {
  Progress& progress = progress_of(from);
  if (!options_.rules.forget_generations) progress.generation = fetch.generation;
  if (progress.generation && fetch.generation < *progress.generation) return false;
  if (progress.generation && fetch.generation > *progress.generation) {
    Progress anew;
    anew.member = from;
    anew.stored = progress.stored;
    anew.caught_up_at = progress.caught_up_at;
    progress = anew;
  }
  progress.generation = fetch.generation;
  return true;
}

bool Replica::in_this_epoch(MemberId from, const Fetch& fetch) {
  const Leadership& promised = state_.stored.promised;
  // Who fetches does not lead: it stood for that term and lost.
  if (leads() && supersedes(fetch.known, promised) && fetch.known.leader == from) {
    lead_after(fetch.known);
    return false;
  }
  if (supersedes(fetch.known, promised)) hear(fetch.known);
  if (!leads()) {
    send(from, Message(Refusal{promised}));
    return false;
  }
  if (fetch.known == promised || !options_.rules.fence_epochs) return true;
  if (!supersedes(promised, fetch.known)) {
    send(from, Message(Refusal{promised}));
    lead_after(fetch.known);
    return false;
  }
  // It learns of this epoch first, stores it, and fetches again.
  send(from, Message(short_answer(fetch)));
  return false;
}

Progress& Replica::progress_of(MemberId member) {
  const auto at = std::ranges::lower_bound(state_.progress, member, {}, &Progress::member);
  if (at != state_.progress.end() && at->member == member) return *at;
  Progress made;
  made.member = member;
  return *state_.progress.insert(at, made);
}

void Replica::note_progress(MemberId from, const Fetch& fetch) {
  Progress& progress = progress_of(from);
  progress.durable = std::max(progress.durable, std::min(fetch.durable, fetch.end));
  // When it acknowledged, more may have been on its way; when it fetches, it expects nothing.
  const auto arrived = [&](Offset end) { return fetch.wants || end <= fetch.durable; };
  const bool fewer = std::erase_if(progress.sent, arrived) != 0;
  progress.end = fetch.wants ? fetch.end : std::max(progress.end, fetch.end);
  progress.told = fetch.wants ? fetch.told : std::max(progress.told, fetch.told);
  progress.stored = std::max(progress.stored, fetch.set);
  progress.told_set = fetch.set;
  if (fetch.durable >= state_.end) {
    progress.caught_up_at = now_;
  } else if (fetch.durable >= progress.leader_end) {
    progress.caught_up_at = std::max(progress.caught_up_at, progress.fetched_at);
  }
  progress.leader_end = state_.end;
  progress.fetched_at = now_;
  if (fetch.wants || fewer) {
    progress.wants = true;
    progress.wants_since = now_;
  }
}

// To wait for a fetch would cost a round trip for each answer.
void Replica::shipped(MemberId to, Offset begin, Offset next) {
  if (!leads()) return;
  Progress& progress = progress_of(to);
  if (begin != progress.end || next <= begin) return;
  progress.end = next;
  progress.told = state_.stored.committed;
  progress.sent.push_back(next);
  progress.wants = progress.sent.size() < options_.answers_ahead;
  progress.wants_since = now_;
}

// Below this nothing is sent to a log that ends at `end`: it is not there any more, or it is too much.
Offset Replica::first_for(Offset end) const { return end == kFirstOffset ? state_.first_of_empty : state_.first; }

void Replica::answer(Progress& progress) {
  Answer answer;
  answer.leadership = state_.stored.promised;
  answer.begin = progress.end;
  answer.first = first_for(progress.end);
  answer.next = progress.end < answer.first ? answer.begin : state_.end;
  answer.epochs = state_.stored.epochs.between(answer.begin, answer.next);
  answer.committed = state_.stored.committed;
  answer.set = *set();
  answer.in_force = state_.stored.sets.size() == 1 && state_.stored.in_force;
  answer.generation = progress.generation.value_or(0);
  answer.complete = answer.in_force && answer.set.holds(progress.member) &&
                    progress.durable >= state_.stored.committed && progress.durable >= state_.epoch_start;
  progress.wants = false;
  progress.told_in_force = answer.in_force;
  send(progress.member, Message(std::move(answer)));
}

void Replica::answer_those_that_wait() {
  const bool in_force = state_.stored.sets.size() == 1 && state_.stored.in_force;
  for (Progress& progress : state_.progress) {
    const bool records = state_.end > progress.end || first_for(progress.end) > progress.end;
    const bool set_news = set()->version > progress.told_set || (in_force && !progress.told_in_force);
    const bool commits_news = state_.stored.committed > progress.told && !state_.more_comes;
    if (progress.wants && (records || set_news || commits_news)) answer(progress);
  }
}

// ---- the in-sync set

// Members whose disks an acknowledgement waits for: those of the set in force and of all that were requested since.
std::vector<MemberId> Replica::counted() const {
  const auto& sets = state_.stored.sets;
  const bool shrinks = without_loss(sets.back().members, sets.front().members);
  if (!options_.rules.shrink_when_stored && shrinks) return sets.back().members;
  if (!options_.rules.count_requested_sets && !shrinks) return sets.front().members;
  std::vector<MemberId> all;
  for (const InSyncSet& one : sets) {
    for (const MemberId member : one.members) add_member(all, member);
  }
  return all;
}

bool Replica::has_stored(MemberId member, SetVersion version) const {
  if (member == self_) return state_.own_stored >= version;
  if (!options_.rules.store_sets_everywhere) return true;
  const auto at = std::ranges::lower_bound(state_.progress, member, {}, &Progress::member);
  return at != state_.progress.end() && at->member == member && at->stored >= version;
}

// A disk that was lost may have been one of those that promised a later term, and the empty one in its place knows
// nothing of it. So a leader that lets it in asks those that were there before whether it still leads: they store the
// new set in its epoch, or they don't. That many of them can't all have missed a term in which anything was committed.
bool Replica::others_know(const InSyncSet& newer) const {
  const std::vector<MemberId>& known = newer.known;
  if (without_loss(newer.members, known) || options_.least < 2 || !options_.rules.admit_with_others) return true;
  const auto told = std::ranges::count_if(known, [&](MemberId member) { return has_stored(member, newer.version); });
  const std::size_t needed = std::min(promises_needed(), known.size());
  return static_cast<std::size_t>(told) >= needed;
}

void Replica::request_set(std::vector<MemberId> members) {
  const Epoch epoch = state_.stored.promised.epoch;
  const SetVersion newest = set()->version;
  for (Progress& progress : state_.progress) progress.told_in_force = false;
  const std::int32_t number = newest.epoch == epoch ? newest.number + 1 : 0;
  std::vector<MemberId> known = state_.stored.sets.front().known;
  state_.stored.sets.push_back(InSyncSet{SetVersion{epoch, number}, std::move(members), std::move(known)});
  must_store();
}

void Replica::drop(MemberId member) {
  if (!leads() || member == self_ || !set()->holds(member)) return;
  std::vector<MemberId> left = set()->members;
  std::erase(left, member);
  request_set(std::move(left));
  advance();
}

// After what it says has been counted: a member that lags is dropped so that the watermark can pass it, and then it has
// to come back up to that.
void Replica::let_join(MemberId member) {
  const StoredState& stored = state_.stored;
  if (set()->holds(member) || stored.sets.size() != 1 || !stored.in_force) return;
  if (set()->members.size() >= options_.nodes) return;
  const Offset durable = progress_of(member).durable;
  if (options_.rules.join_at_high_watermark && durable < stored.committed) return;
  if (options_.rules.join_at_epoch_start && durable < state_.epoch_start) return;
  std::vector<MemberId> members = set()->members;
  add_member(members, member);
  request_set(std::move(members));
}

void Replica::settle_set() {
  StoredState& stored = state_.stored;
  if (stored.sets.size() == 1 && stored.in_force) return;
  const InSyncSet& newest = stored.sets.back();
  const bool everywhere =
      std::ranges::all_of(newest.members, [&](MemberId member) { return has_stored(member, newest.version); });
  if (!everywhere || !others_know(newest)) return;
  stored.sets.erase(stored.sets.begin(), stored.sets.end() - 1);
  stored.in_force = true;
  add_members(stored.sets.front().known, stored.sets.front().members);
  must_store();
}

// What the counted members have, all of them, is committed.
void Replica::count() {
  if (!state_.stored.in_force && options_.rules.begin_with_own_set) return;
  std::vector<Offset> ends;
  for (const MemberId member : counted()) {
    const Offset own = options_.rules.leader_is_durable ? state_.durable : state_.end;
    ends.push_back(member == self_ ? own : progress_of(member).durable);
  }
  const std::size_t least = options_.rules.enough_in_sync ? options_.least : 0;
  commit(high_watermark(ends, state_.stored.sets.front().members.size(), least, state_.stored.committed));
}

void Replica::advance() {
  settle_set();
  count();
  answer_those_that_wait();
  pass_on();
}

// ---- handing over

void Replica::hand_over(MemberId to) {
  state_.handing_to = kNobody;
  state_.handed_at.reset();
  if (to == kNobody) return;
  if (!leads()) return refuse("only a leader hands over");
  if (to == self_ || !set()->holds(to)) {
    return refuse("the node that is to lead is not in the in-sync set; it has to catch up first");
  }
  state_.handing_to = to;
  pass_on();
}

// The rest is an election like any other; all that can't be told from it is that nothing is lost by it.
void Replica::pass_on() {
  const MemberId to = state_.handing_to;
  if (to == kNobody || state_.handed_at) return;
  if (!set()->holds(to)) {
    state_.handing_to = kNobody;
    return refuse("the node that was to lead has left the in-sync set; this one leads on");
  }
  const StoredState& stored = state_.stored;
  const bool settled = stored.sets.size() == 1 && stored.in_force && stored.committed == state_.end;
  if (!settled && options_.rules.hand_over_when_committed) return;
  state_.handed_at = now_;
  send(to, Message(HandOver{stored.promised, state_.end}));
}

void Replica::tick_leader(Millis now) {
  const std::vector<MemberId> members = set()->members;
  for (const MemberId member : members) {
    if (member != self_ && now - progress_of(member).caught_up_at > options_.lag_max) drop(member);
  }
  for (Progress& progress : state_.progress) {
    if (progress.wants && now - progress.wants_since >= options_.idle_answer) answer(progress);
  }
  if (!state_.greeting.empty() && now - state_.greeted_at >= options_.retry) greet_again();
  if (state_.handed_at && now - *state_.handed_at >= options_.retry) state_.handed_at.reset();
  pass_on();
}

}  // namespace minod
