#include "cluster/replicated_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/diag.h"
#include "cluster/state_file.h"
#include "log/epoch_file.h"
#include "replay/recovery.h"

namespace minod {

namespace {

constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr Nanos kStoreCommittedEvery{5'000'000'000};

StoredState state_of(std::optional<StoredState> stored, std::vector<EpochLine> epochs, Offset end) {
  if (stored) return std::move(*stored);
  StoredState fresh;
  fresh.epochs = EpochHistory(std::move(epochs));
  fresh.committed = end;
  return fresh;
}

}  // namespace

ReplicatedLog::ReplicatedLog(ReplicationHost& host, Partition& partition, std::optional<StoredState> stored,
                             std::vector<EpochLine> epochs)
    : host_(host),
      partition_(partition),
      name_{static_cast<std::int16_t>(partition.db()), static_cast<std::int16_t>(partition.number())},
      replica_(host.self, host.options.group,
               state_of(std::move(stored), std::move(epochs), partition.log().marks().appended()),
               partition.log().marks().appended()),
      applied_(partition.log().marks().appended()),
      changes_(host.store, partition),
      source_(name_, host.transport),
      served_(applied_ > kFirstOffset) {
  host_.options.round->log_made();
  replica_.tick(now());  // members have been silent since now, not since the clock began
  stored_committed_ = replica_.committed();
  partition_.set_follows(true);
  log().replicate(replica_.committed(), host_.options.acks, LogReach{name_.db, name_.partition, {}},
                  host_.options.reach);
}

ReplicatedLog::~ReplicatedLog() { host_.options.round->log_gone(); }

std::string ReplicatedLog::directory() const { return host_.store.options().directory + "/" + partition_.name(); }

Millis ReplicatedLog::now() const { return Millis(host_.clock.monotonic().value() / kNanosPerMilli); }

// ---- what its owner wants

void ReplicatedLog::lead(Epoch least) {
  if (replica_.leads()) return;
  replica_.lead(remaking_ ? least : std::max(least, log().epoch()));
  carry_out();
}

void ReplicatedLog::follow(MemberId leader) {
  if (promotion_) host_.options.round->resumed(name_);
  promotion_.reset();
  claim_.reset();
  sync_end(true);
  replica_.follow(leader);
  carry_out();
}

void ReplicatedLog::promote(const std::vector<MemberId>& others, bool accept_loss) {
  JointRound& round = *host_.options.round;
  round.resumed(name_);
  lent_to_ = kNobody;
  claim_.reset();
  if (replica_.leads()) {
    // The others need its end, not its leave.
    if (!is_away()) round.stopped(LogEnd{name_.db, name_.partition, log().marks().appended(), {}});
    return;
  }
  promotion_ = Promotion{.others = others, .accept_loss = accept_loss};
}

// The logs of a node agree before one of them is led: see JointRound. True: there is more to do at once.
bool ReplicatedLog::poll_promotion() {
  if (!promotion_ || is_away()) return false;
  const ReplicaState& state = replica_.state();
  if (promotion_->asked && state.role == Role::kFollower && !state.asking) promotion_.reset();  // another one leads
  if (!promotion_ || promotion_->asked) return false;
  JointRound& round = *host_.options.round;
  const Watermarks& marks = log().marks();
  if (!promotion_->stopped) {
    const bool quiet = arrived_.empty() && marks.durable() == marks.appended() && !storing_ && !to_store_;
    if (!quiet) return false;
    promotion_->stopped = true;
    if (!promotion_->alone) round.stopped(LogEnd{name_.db, name_.partition, marks.appended(), log().open_joints()});
  }
  if (!promotion_->agreed) {
    const auto end = promotion_->alone ? std::optional(marks.safe()) : round.ended(name_);
    if (!end) return false;
    promotion_->agreed = true;
    if (*end < marks.appended()) {
      replica_.cut_tail(*end);
      carry_out();
      return true;
    }
  }
  promotion_->asked = true;
  if (promotion_->lend_term != 0) {
    replica_.stand_for(promotion_->others, promotion_->lend_term);
  } else {
    replica_.set_may_begin(host_.may_begin(*this));
    replica_.promote(promotion_->others, promotion_->accept_loss);
  }
  carry_out();
  return false;
}

void ReplicatedLog::hand_over(MemberId to) {
  sync_end(true);
  replica_.hand_over(to);
  carry_out();
}

void ReplicatedLog::start_anew() {
  replica_.start_anew();
  carry_out();
}

// ---- what happens

// Tells how far the log goes. `whole`: what comes may end this node's lead, and then no record may stand where it does
// not know of it.
void ReplicatedLog::sync_end(bool whole) {
  if (remaking_ || !replica_.leads()) return;
  if (whole) log().close_batches();
  const Offset closed = log().closed_end();
  replica_.appended(closed, closed < log().marks().appended());
}

void ReplicatedLog::receive(MemberId from, const Message& message, Bytes batches) {
  const auto* const fetch = std::get_if<Fetch>(&message);
  sync_end(fetch == nullptr || fetch->known != replica_.leadership());
  if (const auto* const wanted = std::get_if<SegmentsWanted>(&message)) {
    if (remaking_ || !leads_ || wanted->known != replica_.leadership()) return;
    Segments list = source_.list(from, log(), now());
    list.leadership = replica_.leadership();
    list.epochs = replica_.state().stored.epochs.between(kFirstOffset, list.end);
    return host_.transport.send(from, name_, Message(std::move(list)), nullptr);
  }
  if (const auto* const read = std::get_if<SegmentRead>(&message)) return source_.read(from, *read, now());
  if (const auto* const list = std::get_if<Segments>(&message)) {
    if (copy_) copy_->receive(*list);
    return;
  }
  if (const auto* const piece = std::get_if<SegmentBytes>(&message)) {
    if (copy_) copy_->receive(*piece, batches);
    return;
  }
  const auto* const answer = std::get_if<Answer>(&message);
  if (answer != nullptr && answer->next > answer->begin && !answer->divergence) {
    take_records(from, *answer, batches);
  } else {
    replica_.receive(from, message);
  }
  carry_out();
}

void ReplicatedLog::tick() {
  sync_end(false);
  tell_first();
  source_.tick(now());
  replica_.tick(now());
  tick_claim();
  tick_loan();
  if (!is_away() && !leads_) changes_.end_evicted();
  // A lower bound is enough, but where it is near, a torn tail is known from damage.
  const bool due = host_.clock.monotonic() - stored_at_ >= kStoreCommittedEvery;
  if (due && !storing_ && !to_store_ && replica_.committed() != stored_committed_) {
    to_store_ = Output::Store{wanted_store_, replica_.state().stored};
    store_next();
  }
  carry_out();
}

bool ReplicatedLog::poll() {
  if (remaking_) return false;
  if (is_away()) {
    remake();
    return false;
  }
  poll_copy();
  log().look_at_reach();
  append_arrived();
  sync_end(false);
  replica_.durable(log().marks().safe());
  carry_out();
  if (is_away()) return true;
  bool more = apply_some();
  const ReplicaState& state = replica_.state();
  if (!served_ && state.heard_at != Millis(0) && !state.stored.incomplete) served_ = applied_ >= state.told;
  if (fetch_waits_ && arrived_bytes_ + log().pending_bytes() < host_.options.backlog_max) {
    fetch_waits_ = false;
    replica_.retry();
    carry_out();
  }
  ship_those_that_wait();
  more = poll_promotion() || more;
  open_epoch();
  return more;
}

// ---- carrying out

void ReplicatedLog::carry_out() {
  Output output = replica_.take();
  if (output.cut) cut_ = output.cut;
  if (output.wipe) {
    wipe_ = true;
    cut_.reset();
    copy_.reset();
    in_place_ = false;
    served_ = false;
  }
  if (output.copy) begin_copy();
  if (output.store) want_store(std::move(*output.store));
  if (output.role) role_becomes(*output.role);
  for (Envelope& envelope : output.messages) send(std::move(envelope));
  if (output.committed && !is_away()) log().commit_to(*output.committed);
  if (output.refused) {
    const auto promotion = std::exchange(promotion_, std::nullopt);
    if (promotion && !claim_ && host_.leads_partition(name_.partition)) claim(promotion->others, false);
    if (claim_) {
      borrow();
    } else {
      if (promotion) replica_.retry();
      if (promotion && promotion->lend_term != 0) return;
      host_.refused(partition_.name() + ": " + *output.refused);
    }
  }
  if (leads_ && !is_away()) let_writers();
}

void ReplicatedLog::let_writers() {
  log().set_writers(replica_.accepts_writes() ? Log::Writers::kMay : Log::Writers::kWait);
}

void ReplicatedLog::send(Envelope envelope) {
  if (auto* const answer = std::get_if<Answer>(&envelope.message)) {
    if (answer->next > answer->begin && !answer->divergence) {
      shipping_[envelope.to].answer = std::move(*answer);
      return ship(envelope.to);
    }
  }
  if (auto* const promised = std::get_if<Promised>(&envelope.message)) promised->logs = host_.logs_of(name_.partition);
  const auto* const fetch = std::get_if<Fetch>(&envelope.message);
  if (fetch != nullptr && fetch->wants && !remaking_ &&
      arrived_bytes_ + log().pending_bytes() >= host_.options.backlog_max) {
    fetch_waits_ = true;
    return;
  }
  host_.transport.send(envelope.to, name_, std::move(envelope.message), nullptr);
}

void ReplicatedLog::want_store(Output::Store store) {
  wanted_store_ = store.number;
  to_store_ = std::move(store);
  store_next();
}

void ReplicatedLog::store_next() {
  if (storing_ || !to_store_) return;
  storing_ = true;
  stored_at_ = host_.clock.monotonic();
  const auto store = std::make_shared<Output::Store>(std::move(*to_store_));
  to_store_.reset();
  const auto result = std::make_shared<Result<void>>();
  host_.disk.run_aside(
      [disk = &host_.disk, where = directory(), store, result] { *result = write_state(*disk, where, store->state); },
      [this, alive = std::weak_ptr(alive_), store, result] {
        if (alive.expired()) return;
        storing_ = false;
        if (!*result) return host_.store.on_failed(result->error());
        stored_ = std::max(stored_, store->number);
        stored_committed_ = store->state.committed;
        sync_end(false);
        replica_.stored(store->number);
        carry_out();
        store_next();
      });
}

// ---- roles

void ReplicatedLog::role_becomes(Role role) {
  if (role == Role::kLeader) {
    if (leads_) step_down();  // it leads in a later term now
    promotion_.reset();
    claim_.reset();
    copy_.reset();
    if (!remaking_) log().set_writers(Log::Writers::kWait);
  } else {
    if (role == Role::kFollower) lent_to_ = kNobody;
    step_down();
  }
  host_.role_changed();
}

void ReplicatedLog::step_down() {
  shipping_.clear();
  source_.clear();
  opening_ = false;
  if (remaking_) return;
  if (std::exchange(leads_, false)) {
    partition_.set_follows(true);
    log().keep_recent(0);
    applied_ = log().marks().appended();
  }
  log().set_writers(claim_ ? Log::Writers::kWait : Log::Writers::kMayNot);
}

// A leader's writers are let in when its epoch is on disk, all before it is, and all of that is in the index.
void ReplicatedLog::open_epoch() {
  if (!replica_.leads() || leads_ || opening_ || is_away()) return;
  const Watermarks& marks = log().marks();
  const bool all_there = arrived_.empty() && applied_ == marks.appended() && marks.durable() == marks.appended();
  if (storing_ || to_store_ || stored_ < wanted_store_ || !all_there) return;
  opening_ = true;
  changes_.end_evicted();
  const Epoch epoch = replica_.leadership().epoch;
  std::vector<EpochStart> lines;
  for (const EpochLine& line : replica_.state().stored.epochs.lines()) {
    lines.push_back(EpochStart{line.leadership.epoch, line.start});
  }
  const auto result = std::make_shared<Result<void>>();
  ++jobs_;
  host_.disk.run_aside([disk = &host_.disk, where = directory(), lines = std::move(lines),
                        result] { *result = write_epochs(*disk, where, lines); },
                       [this, alive = std::weak_ptr(alive_), epoch, result] {
                         if (alive.expired()) return;
                         --jobs_;
                         opening_ = false;
                         if (!*result) return host_.store.on_failed(result->error());
                         if (!replica_.leads() || replica_.leadership().epoch != epoch || is_away()) return;
                         leads_ = true;
                         log().begin_epoch(epoch);
                         partition_.set_follows(false);
                         queue_.clear();
                         queue_bytes_ = 0;
                         if (keeps_recent_) log().keep_recent(host_.options.ring_bytes);
                         let_writers();
                         host_.role_changed();
                       });
}

bool ReplicatedLog::may_read() const {
  if (is_away()) return false;
  return leads_ || (!replica_.leads() && served_ && applied_ <= replica_.committed());
}

void ReplicatedLog::keep_recent(bool keep) {
  keeps_recent_ = keep;
  if (leads_) log().keep_recent(keep ? host_.options.ring_bytes : 0);
}

// A new member copies files when the log does not begin at 0 any more, or when there is much in them.
void ReplicatedLog::tell_first() {
  if (!leads_ || is_away()) return;
  const auto& segments = log().segments();
  const Offset first = segments.begin()->first;
  std::int64_t sealed = 0;
  for (const auto& [base, segment] : segments) sealed += segment.sealed ? segment.end.value() : 0;
  // After a restart the watermark may be behind what it was when segments went.
  const Offset committed = replica_.committed();
  if (first > committed) return;
  const bool much = static_cast<std::uint64_t>(sealed) >= host_.options.copy_from;
  replica_.set_first(first, much ? std::clamp(segments.rbegin()->first, first, committed) : first);
}

Offset ReplicatedLog::acknowledged(std::size_t members) const {
  std::vector<Offset> ends;
  for (const Progress& progress : replica_.state().progress) ends.push_back(progress.durable);
  if (members == 0) return replica_.state().end;
  if (ends.size() < members) return kFirstOffset;
  std::ranges::sort(ends, std::ranges::greater());
  return ends[members - 1];
}

}  // namespace minod
