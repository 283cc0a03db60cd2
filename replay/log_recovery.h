// The restart of one log, in steps: read() finds what there is and where it ends; cut_at() may shorten it, for a reason
// that lies in another log; finish() is the first to change the log's files. Blocking.
//
// Of several logs, none is finished before all are read and cut: see replay/joint_cut.h.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "index/key_hash.h"
#include "log/disk.h"
#include "log/epoch_file.h"
#include "log/log.h"
#include "log/together.h"
#include "replay/change_feed.h"
#include "replay/change_source.h"
#include "replay/checkpoint_choice.h"
#include "replay/recovery.h"
#include "store/partition.h"

namespace minod {

class LogRecovery {
 public:
  // Fills `partition`. What is passed by reference stays the caller's; `report` is added to.
  LogRecovery(Disk& disk, std::string directory, const KeyHasher& hasher, Partition& partition,
              const RecoveryOptions& options, RecoveryReport& report);

  // Before read(): another node's log was followed. It ends before `end`, if that is given.
  void follow(const FollowedLog& followed) { followed_ = followed; }
  void end_at(Offset end, std::string reason) {
    cut_ = end;
    cut_reason_ = std::move(reason);
  }

  // kCorrupt: the message names the file, the position, what is lost and what to do. Of the log, nothing was changed.
  Result<void> read();

  // After read():
  const Partition& partition() const { return partition_; }
  Offset end() const { return start_.end; }
  // The joint batches that were read, but for those of which is known that they were committed, in the log's order.
  const std::vector<JointBatch>& joints() const { return joints_; }

  // The log ends at `end`, where a batch begins, for this reason; the partition is filled again up to there. Once at
  // most.
  Result<void> cut_at(Offset end, std::string reason);

  // Removes what is behind the end, takes a new epoch (unless it was followed) and says where writing goes on. Nothing
  // is read or cut any more.
  Result<LogStart> finish();

 private:
  // What a pass over the files came to: the end of the log, or that a file turned out to be of no use.
  enum class Pass : std::uint8_t { kDone, kAgain };
  Result<void> read_all();
  Result<Pass> read_log(LogStart& start);
  std::vector<ChangeFeed::Source> sources(bool from_checkpoint, std::size_t first);
  std::optional<Error> load_checkpoint(ChangeFeed& feed, LogStart& start);
  void read_source(ChangeFeed& feed, std::size_t source, std::size_t i, LogStart& start);
  std::int64_t place(const ChangePiece& piece, Offset segment, Offset next_segment);
  void start_log(Offset offset);
  void apply(const ChangePiece& piece, Offset segment, Offset next_segment, Offset from);
  void apply_changes(const std::vector<IndexChange>& changes, bool only_newer);
  void note_joints(const ChangePiece& piece);
  void report_read(std::int64_t bytes_before);
  std::optional<Error> wrong_end(std::size_t i, const LogStart& start) const;
  Result<void> judge(std::size_t i, const Error& reason, LogStart& start);
  Result<void> remove_useless();
  Result<void> read_bounds();
  Result<void> check_nothing_missing() const;
  Result<void> begin_epoch();
  Result<void> keep_epochs();

  Disk& disk_;
  const std::string directory_;
  const KeyHasher& hasher_;
  Partition& partition_;
  const RecoveryOptions& options_;
  RecoveryReport& report_;
  const IndexIdentity identity_;
  CheckpointChoice checkpoints_;
  std::set<Offset> bad_hints_;
  ChangePiece piece_;
  std::vector<FoundSegment> segments_;
  LogStart start_;                  // as far as it is known
  std::vector<EpochStart> epochs_;  // of the file beside the log
  std::optional<FollowedLog> followed_;
  std::optional<Offset> clean_end_;       // the log was committed up to there
  Offset checkpoint_end_ = kFirstOffset;  // below it, what is read may already be known
  std::int64_t checkpoint_bytes_ = 0;
  std::int64_t replayed_bytes_ = 0;
  Offset log_start_ = kFirstOffset;
  Offset evicted_below_ = kFirstOffset;  // what is below may still be in the index
  bool evicted_ = false;                 // it may: evicted_below_ is the log start
  FilePosition end_;
  std::vector<JointBatch> joints_;
  Offset committed_ = kFirstOffset;  // all below was, as far as what was read tells
  Offset cut_ = kNoOffset;           // cut_at()
  std::string cut_reason_;
};

}  // namespace minod
