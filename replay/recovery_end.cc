// The end of a restart: what it changes on disk, once all is read and the log's end is known.
#include <algorithm>
#include <limits>
#include <utility>

#include "log/epoch_file.h"
#include "replay/log_bounds.h"
#include "replay/log_recovery.h"

namespace minod {

namespace {

constexpr const char* kCleanEndName = "clean-end-offset";

}  // namespace

// A leader made them; those that began behind the end did not begin.
Result<void> LogRecovery::keep_epochs() {
  for (const EpochStart& epoch : epochs_) start_.epoch = std::max(start_.epoch, epoch.epoch);
  const std::size_t before = epochs_.size();
  while (!epochs_.empty() && epochs_.back().start > start_.end) epochs_.pop_back();
  return epochs_.size() == before ? Result<void>() : write_epochs(disk_, directory_, epochs_);
}

Result<void> LogRecovery::begin_epoch() {
  if (followed_) return keep_epochs();
  begin_at(epochs_, segments_.empty() ? start_.end : segments_.front().base);
  if (!epochs_.empty()) start_.epoch = std::max(start_.epoch, epochs_.back().epoch);
  if (start_.epoch.value == std::numeric_limits<std::int32_t>::max()) {
    return Error{Errc::kCorrupt, 0, directory_ + ": the epoch of its last batch is damaged: no greater one is left"};
  }
  ++start_.epoch.value;
  while (!epochs_.empty() && epochs_.back().start >= start_.end) epochs_.pop_back();
  epochs_.push_back(EpochStart{start_.epoch, start_.end});
  return write_epochs(disk_, directory_, epochs_);
}

Result<LogStart> LogRecovery::finish() {
  if (auto removed = remove_useless(); !removed) return removed.error();
  if (auto begun = begin_epoch(); !begun) return begun.error();
  // From here on the log grows: an older note would take the next torn tail for damage.
  const auto removed = disk_.remove(directory_ + "/" + kCleanEndName);
  if (!removed && removed.error().code != Errc::kNotFound) return removed.error();
  if (auto synced = disk_.sync_directory(directory_); !synced) return synced.error();
  start_.log_start = log_start_;
  if (evicted_) partition_.apply_eviction_below(log_start_, log_start_);
  partition_.index().settle();
  if (checkpoint_end_ > kFirstOffset) partition_.set_newest_checkpoint(checkpoints_.header());
  partition_.set_replay_begin(checkpoints_.replay_begin(start_.dirty_tail));
  partition_.set_replayed_bytes(replayed_bytes_);
  return std::move(start_);
}

Result<LogStart> recover(Disk& disk, const std::string& directory, const KeyHasher& hasher, Partition& partition,
                         const RecoveryOptions& options, RecoveryReport& report) {
  LogRecovery recovery(disk, directory, hasher, partition, options, report);
  if (auto read = recovery.read(); !read) return read.error();
  return recovery.finish();
}

Result<LogStart> recover_up_to(Disk& disk, const std::string& directory, const KeyHasher& hasher, Partition& partition,
                               const RecoveryOptions& options, Offset committed, Offset end, RecoveryReport& report) {
  LogRecovery recovery(disk, directory, hasher, partition, options, report);
  recovery.follow(FollowedLog{committed});
  recovery.end_at(end, "the log that is followed does not go on like this one");
  if (auto read = recovery.read(); !read) return read.error();
  return recovery.finish();
}

Result<void> note_clean_end(Disk& disk, const std::string& directory, Offset end) {
  return replace_file(disk, directory, kCleanEndName, as_bytes(std::to_string(end.value()) + "\n"));
}

}  // namespace minod
