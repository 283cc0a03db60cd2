// One compaction: neighbouring sealed segments of a partition's log become one, without the records that the index no
// longer names. Reading, writing and renaming are jobs; judging a slice of records, and the exchange of the segments in
// memory, are short steps on the shard's thread. docs/adr/0012-compaction.md has the reasons.
//
// The index speaks of the newest state, which a crash may take back. So the old segments stay in force until everything
// that a judgement could have seen is committed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "index/key_hash.h"
#include "log/compaction_rewrite.h"
#include "log/disk.h"
#include "store/compaction_plan.h"
#include "store/partition.h"

namespace minod {

class CompactionRun {
 public:
  enum class State : std::uint8_t {
    kSlices,  // reads, judges and writes
    kCommit,  // written; waits until what it was judged by is committed, and may_swap
    kSwap,    // a job puts it in place
    kDone,
    kGivenUp,  // nothing has changed; error() says why, if it is a failure
    kFailed,   // on disk the swap may be half done, which a restart completes: the log must stop
  };

  // `rules`: those the plan was made with. `may_swap`: asked each time before files are exchanged; false: other jobs
  // are at work on them. `on_step`: a job has ended; it may call advance().
  CompactionRun(Disk& disk, const Clock& clock, const KeyHasher& hasher, Partition& partition, std::string directory,
                const CompactionPlan& plan, const CompactionRules& rules, bool compress, std::function<bool()> may_swap,
                std::function<void()> on_step);

  // Starts the next job, if none is running and one can be. `bytes`: about how much it may read.
  void advance(std::int64_t bytes);

  State state() const { return state_; }
  bool over() const { return state_ >= State::kDone && !job_; }
  bool job_running() const { return job_; }
  void abandon() { job_ = false; }
  const std::optional<Error>& error() const { return error_; }
  Partition& partition() { return partition_; }
  const CompactionPlan& plan() const { return plan_; }
  std::int64_t source_bytes() const { return source_bytes_; }  // all that there is to read

  // The longest that the shard was held up by judging: it looks at the clock between pieces of a slice's records, and
  // goes on later when kJudgeTime has passed.
  std::int64_t pause_ns() const { return pause_ns_; }
  static constexpr Nanos kJudgeTime{200'000};

  // As of the last job that ended.
  const RewriteCounts& counts() const { return counts_; }

 private:
  // What jobs work on; nobody else while one runs.
  struct Work;

  void run_job(std::function<void()> job, std::function<void()> done);
  void next_slice(std::int64_t bytes);
  void finish();
  void judge();
  void judge_piece(std::size_t upto);
  bool is_live(const RewriteRecord& record, KeyHash hash) const;
  bool may_go(const RewriteRecord& erasure) const;
  bool overtaken() const;
  void give_up(std::optional<Error> error);
  void start_swap();
  void swapped();
  SegmentCount new_count() const;

  Disk& disk_;
  const Clock& clock_;
  const KeyHasher& hasher_;
  Partition& partition_;
  std::string directory_;
  CompactionPlan plan_;
  CompactionRules rules_;
  std::function<bool()> may_swap_;
  std::function<void()> on_step_;
  std::shared_ptr<Work> work_;
  State state_ = State::kSlices;
  bool job_ = false;
  std::optional<Error> error_;
  RewriteCounts counts_;
  std::int64_t source_bytes_ = 0;
  std::size_t judged_ = 0;  // records of the slice
  std::int64_t pause_ns_ = 0;
  Offset erasures_end_;
  Offset log_start_;                 // when it began
  Offset judged_first_ = kNoOffset;  // the log's end at the first judgement
  Offset judged_last_ = kNoOffset;   // and at the last
};

}  // namespace minod
