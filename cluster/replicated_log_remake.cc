// What happens to a follower's log as a whole: it is cut, wiped, or what was copied is put in its place. Each time the
// partition is forgotten and a job recovers it from the files.
#include <utility>

#include "base/diag.h"
#include "cluster/replicated_log.h"
#include "replay/log_files.h"
#include "replay/recovery.h"

namespace minod {

void ReplicatedLog::remake() {
  log().set_writers(Log::Writers::kMayNot);
  partition_.set_follows(true);
  // A wipe is for a state that is on disk: a restart must not take what is left for a log.
  if (wipe_ && (storing_ || to_store_)) return;
  if (!host_.store.rest(partition_)) return;
  remaking_ = true;
  ++life_;
  arrived_.clear();
  arrived_bytes_ = 0;
  queue_.clear();
  queue_bytes_ = 0;
  reading_back_ = false;
  host_.store.remake(partition_, recovery(), [this, alive = std::weak_ptr(alive_)](const Result<void>& result) {
    if (!alive.expired()) remade(result);
  });
}

Store::Recover ReplicatedLog::recovery() {
  Disk* const disk = &host_.disk;
  Store* const store = &host_.store;
  const std::string where = directory();
  RecoveryOptions options;
  options.directory_id = store->options().directory_id;
  const auto report = std::make_shared<RecoveryReport>();
  if (wipe_) {
    diag::warning(partition_.name() + " is given up here and fetched anew from the leader");
    return [disk, where](Partition&) -> Result<LogStart> {
      if (auto wiped = wipe_log(*disk, where); !wiped) return wiped.error();
      return LogStart{};
    };
  }
  if (cut_) {
    diag::notice(partition_.name() + " is cut at offset " + std::to_string(cut_->value()) +
                 ", where the leader's log goes on in another way");
    return [disk, store, where, options, report, end = *cut_, committed = stored_committed_](Partition& fresh) {
      return recover_up_to(*disk, where, store->hasher(), fresh, options, committed, end, *report);
    };
  }
  std::vector<Offset> bases;
  for (const SegmentEntry& entry : copy_->list().segments) bases.push_back(entry.base);
  std::vector<EpochStart> epochs;
  for (const EpochLine& line : copy_->list().epochs) epochs.push_back({line.leadership.epoch, line.start});
  return [disk, store, where, options, report, bases, epochs, end = copy_->list().end](Partition& fresh) {
    const auto placed = put_log_in_place(*disk, where, bases, kPartSuffix, epochs);
    if (!placed) return Result<LogStart>(placed.error());
    auto start = recover_up_to(*disk, where, store->hasher(), fresh, options, kFirstOffset, end, *report);
    if (start && start->end == end) return start;
    // What came is not what the leader listed: nothing of it is kept.
    fresh.clear();
    if (auto wiped = wipe_log(*disk, where); !wiped) return Result<LogStart>(wiped.error());
    return Result<LogStart>(LogStart{});
  };
}

void ReplicatedLog::remade(const Result<void>& result) {
  if (!result) return host_.store.on_failed(result.error());
  remaking_ = false;
  const Offset end = log().marks().appended();
  applied_ = end;
  const auto cut = std::exchange(cut_, std::nullopt);
  const bool wiped = std::exchange(wipe_, false);
  const bool copied = std::exchange(in_place_, false);
  if (cut && end != *cut) {
    return host_.store.on_failed(Error{Errc::kCorrupt, 0,
                                       directory() + " was to be cut at offset " + std::to_string(cut->value()) +
                                           " and ends at " + std::to_string(end.value()) +
                                           ": its files are damaged; start this node from an empty directory"});
  }
  log().replicate(wiped || copied ? kFirstOffset : replica_.committed(), host_.options.acks,
                  LogReach{name_.db, name_.partition, {}}, host_.options.reach);
  host_.store.start(partition_);
  if (wiped) {
    replica_.wiped();
  } else if (cut) {
    replica_.truncated();
  } else if (end == copy_->list().end) {
    replica_.copied(end, copy_->list().epochs);
  } else {
    replica_.copy_failed();
  }
  if (copied) {
    copied_bytes_ += copy_->copied_bytes();
    copy_.reset();
  }
  carry_out();
  host_.role_changed();
}

// ---- the copy

void ReplicatedLog::begin_copy() {
  served_ = false;
  copy_ = std::make_unique<SegmentCopy>(
      host_.disk, host_.clock, directory(), replica_.leadership(), host_.options.copy_rate, [this](Message message) {
        host_.transport.send(replica_.state().following, name_, std::move(message), nullptr);
      });
}

void ReplicatedLog::poll_copy() {
  if (!copy_) return;
  copy_->poll();
  if (copy_->state() == SegmentCopy::State::kDone) in_place_ = true;
  if (copy_->state() != SegmentCopy::State::kFailed || !copy_->idle()) return;
  if (copy_->error()) diag::warning(partition_.name() + " can't be copied: " + copy_->error()->message());
  copied_bytes_ += copy_->copied_bytes();
  copy_.reset();
  replica_.copy_failed();
  carry_out();
}

}  // namespace minod
