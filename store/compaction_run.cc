#include "store/compaction_run.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log/compaction_swap.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::size_t kJudgePiece = 256;  // records: judged between two looks at the clock

}  // namespace

struct CompactionRun::Work {
  Work(Disk& disk, const std::string& directory, std::vector<RewriteSource> sources, const CompactionPlan& plan,
       bool compress)
      : rewrite(disk, directory, std::move(sources), plan.end, compress,
                [this, base = plan.base](const BatchHeader& batch, FilePosition position) {
                  places.placed(batch, base, position);
                }) {}

  LogIndex places;
  SegmentRewrite rewrite;
  std::vector<KeyHash> hashes;  // of the slice's records
  bool judged = false;          // a slice is there to be written
  bool more = true;
  std::optional<Error> error;
  bool committed = false;      // the swap can no longer be taken back
  std::shared_ptr<File> file;  // the new segment, in place
};

CompactionRun::CompactionRun(Disk& disk, const Clock& clock, const KeyHasher& hasher, Partition& partition,
                             std::string directory, const CompactionPlan& plan, const CompactionRules& rules,
                             bool compress, std::function<bool()> may_swap, std::function<void()> on_step)
    : disk_(disk),
      clock_(clock),
      hasher_(hasher),
      partition_(partition),
      directory_(std::move(directory)),
      plan_(plan),
      rules_(rules),
      may_swap_(std::move(may_swap)),
      on_step_(std::move(on_step)),
      log_start_(partition.log().log_start()) {
  const auto& segments = partition_.log().segments();
  std::vector<RewriteSource> sources;
  for (auto at = segments.lower_bound(plan_.base); at != segments.end() && at->first < plan_.end; ++at) {
    check(at->second.sealed, "only sealed segments are compacted");
    sources.push_back(RewriteSource{at->first, at->second.file});
    source_bytes_ += at->second.end.value();
  }
  check(!sources.empty() && sources.front().base == plan_.base, "a plan names segments that are there");
  work_ = std::make_shared<Work>(disk_, directory_, std::move(sources), plan_, compress);
  erasures_end_ = std::min(erasures_end(partition_.counts().all(), plan_.base, partition_.log().marks().appended()),
                           partition_.replay_begin());
  if (!rules_.all_counted || rules_.keep_erasures) erasures_end_ = kNoOffset;
}

void CompactionRun::run_job(std::function<void()> job, std::function<void()> done) {
  job_ = true;
  disk_.run_aside(std::move(job), [this, done = std::move(done)] {
    job_ = false;
    done();
    on_step_();
  });
}

void CompactionRun::advance(std::int64_t bytes) {
  if (job_) return;
  if (state_ == State::kSlices) {
    if (overtaken()) return give_up(std::nullopt);
    next_slice(bytes);
  } else if (state_ == State::kCommit) {
    if (overtaken()) return give_up(std::nullopt);
    Log& log = partition_.log();
    if (log.marks().committed() < judged_last_) {
      log.sync();  // under everysec and no, nothing else may make it durable for long
    } else if (may_swap_()) {
      start_swap();
    }
  }
}

// The segments are gone, or soon will be: a flush has come in between, or the log has failed.
bool CompactionRun::overtaken() const {
  const Log& log = partition_.log();
  return log.failure() != nullptr || log.log_start() > std::max(log_start_, plan_.base) ||
         !log.segments().contains(plan_.base);
}

// ---- the rewrite

void CompactionRun::next_slice(std::int64_t bytes) {
  run_job(
      [work = work_, hasher = &hasher_, bytes] {
        if (std::exchange(work->judged, false)) {
          if (auto written = work->rewrite.write_slice(); !written) {
            work->error = written.error();
            return;
          }
        }
        const auto more = work->rewrite.read_slice(bytes);
        if (!more) {
          work->error = more.error();
          return;
        }
        work->more = *more;
        work->hashes.clear();
        for (const RewriteRecord& record : work->rewrite.records()) {
          work->hashes.push_back((*hasher)(record.view.key));
        }
      },
      [this] {
        counts_ = work_->rewrite.counts();
        if (work_->error) return give_up(work_->error);
        if (!work_->more) return finish();
        judged_ = 0;
        judge();
      });
}

// A slice may have very many records: they are short, or were compressed.
void CompactionRun::judge() {
  const MonotonicNanos begin = clock_.monotonic();
  judged_last_ = partition_.log().marks().appended();
  if (judged_first_ == kNoOffset) judged_first_ = judged_last_;
  const std::size_t count = work_->rewrite.records().size();
  Nanos took{0};
  while (judged_ < count && took < kJudgeTime) {
    judge_piece(std::min(count, judged_ + kJudgePiece));
    took = clock_.monotonic() - begin;
  }
  pause_ns_ = std::max(pause_ns_, took.value());
  if (judged_ < count) {
    run_job([] {}, [this] { judge(); });  // when others have had their turn
    return;
  }
  partition_.counts().watch(plan_.base, work_->rewrite.read_upto());
  work_->judged = true;
}

void CompactionRun::judge_piece(std::size_t upto) {
  auto& records = work_->rewrite.records();
  for (std::size_t i = judged_; i < upto; ++i) partition_.index().prefetch(work_->hashes[i]);
  for (; judged_ < upto; ++judged_) records[judged_].keep = is_live(records[judged_], work_->hashes[judged_]);
  // What dies from now on has been judged.
  partition_.counts().watch(plan_.base, records[upto - 1].view.offset + OffsetCount(1));
}

bool CompactionRun::is_live(const RewriteRecord& record, KeyHash hash) const {
  switch (record.kind) {
    case RewriteRecord::Kind::kValue: {
      const auto entry = partition_.index().find(hash);
      return entry && entry->offset == record.view.offset;
    }
    case RewriteRecord::Kind::kTombstone:
      // A newer value erases the same older versions when the log is replayed.
      return !partition_.index().find(hash) && !may_go(record);
    case RewriteRecord::Kind::kLogStart:
      // A restart knows by the newest one that nothing is missing before the log's first segment.
      return partition_.log().log_start() <= record.log_start && !(plan_.base == kFirstOffset && may_go(record));
    case RewriteRecord::Kind::kOther:
      break;
  }
  return true;
}

bool CompactionRun::may_go(const RewriteRecord& erasure) const {
  return erasure.view.offset < erasures_end_ && erasure.view.timestamp <= rules_.now &&
         (rules_.now - erasure.view.timestamp).value() >= rules_.options.delete_retention.value();
}

void CompactionRun::finish() {
  run_job(
      [work = work_] {
        if (auto finished = work->rewrite.finish(); !finished) work->error = finished.error();
      },
      [this] {
        counts_ = work_->rewrite.counts();
        if (work_->error) return give_up(work_->error);
        state_ = State::kCommit;
      });
}

void CompactionRun::give_up(std::optional<Error> error) {
  state_ = State::kGivenUp;
  error_ = std::move(error);
  run_job([work = work_] { static_cast<void>(work->rewrite.discard()); }, [] {});  // a start removes it, too
}

// ---- the exchange

void CompactionRun::start_swap() {
  state_ = State::kSwap;
  partition_.log().hold_segments(true);
  run_job(
      [work = work_, disk = &disk_, directory = directory_, swap = SegmentSwap{plan_.base, plan_.end}] {
        if (const auto failure = commit_swap(*disk, directory, swap)) {
          work->committed = failure->named;
          work->error = failure->error;
          return;
        }
        work->committed = true;
        if (auto completed = complete_swap(*disk, directory, swap); !completed) {
          work->error = completed.error();
          return;
        }
        auto file = disk->open(directory + "/" + segment_name(swap.base, kLogSuffix), OpenMode::kReadWrite);
        if (file) {
          work->file = std::move(*file);
        } else {
          work->error = file.error();
        }
      },
      [this] { swapped(); });
}

void CompactionRun::swapped() {
  Log& log = partition_.log();
  if (work_->error) {
    error_ = work_->error;
    if (!work_->committed) {
      log.hold_segments(false);
      return give_up(work_->error);
    }
    state_ = State::kFailed;
    return;
  }
  state_ = State::kDone;
  partition_.counts().replace(new_count());
  partition_.places().replace(plan_.base, plan_.end, std::move(work_->places));
  auto old = std::make_shared<std::vector<std::shared_ptr<File>>>(
      log.replace_segments(plan_.base, plan_.end, std::move(work_->file), counts_.bytes));
  log.hold_segments(false);
  // Closing a removed file of many megabytes takes milliseconds. The rewrite still holds its sources, too.
  run_job([old = std::move(old), work = std::exchange(work_, nullptr)] {}, [] {});
}

SegmentCount CompactionRun::new_count() const {
  SegmentCount count;
  count.base = plan_.base;
  count.end = plan_.end;
  count.bytes = counts_.bytes;
  count.records = counts_.records;
  count.erasures = counts_.erasures;
  count.dead = counts_.dead_records + partition_.counts().died_in_range();
  count.dead_kept = counts_.dead_records;
  if (partition_.log().log_start() >= plan_.end) count.dead = count.records;  // since the files were renamed
  count.first_time = counts_.first_time;
  count.last_time = counts_.last_time;
  count.clean_upto = judged_first_;
  count.cleaned_at = rules_.now;
  return count;
}

}  // namespace minod
