#include "store/compactor.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/diag.h"
#include "base/size_text.h"

namespace minod {

namespace {

// What one job reads; what the shard's thread then judges, a fraction of a millisecond at a time.
constexpr std::int64_t kSliceBytes = std::int64_t{128} << 10;
constexpr Nanos kSpaceRetry{10'000'000'000};
constexpr int kLeaveTriesMax = 50;

}  // namespace

Compactor::Compactor(Disk& disk, const Clock& clock, const KeyHasher& hasher, std::string directory,
                     std::int64_t segment_bytes, bool compress)
    : disk_(disk),
      clock_(clock),
      hasher_(hasher),
      directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      compress_(compress),
      pace_(options_.bytes_per_second) {}

Compactor::~Compactor() { check(!job_running(), "compaction rests when its shard ends"); }

void Compactor::abandon() {
  if (run_) run_->abandon();
}

void Compactor::set_options(const CompactionOptions& options) {
  if (options.bytes_per_second != options_.bytes_per_second) pace_.set_limit(options.bytes_per_second);
  options_ = options;
}

// ---- when to do what

void Compactor::tick(Partitions partitions) {
  std::uint64_t groups = 0;
  double nanos = 0;
  for (const auto& partition : partitions) {
    if (!partition || !partition->has_log()) continue;
    groups += partition->log().counters().groups;
    nanos += partition->log().counters().commit_ns.sum();
  }
  pace_.see_commits(groups, nanos, busy());
  pace_.refill(clock_.monotonic());
  if (run_ && run_->over()) settle_run();
  if (!run_) start_run(partitions);
  step();
}

void Compactor::step() {
  if (!run_ || run_->over() || resting_ == &run_->partition()) return;
  const std::int64_t moved = run_->counts().source_bytes + run_->counts().bytes;
  pace_.spend(moved - spent_);
  spent_ = moved;
  if (run_->state() == CompactionRun::State::kSlices && !pace_.may_go()) return;
  run_->advance(kSliceBytes);
}

namespace {

// The active segment may have nothing placed yet.
bool counts_all(const std::vector<SegmentCount>& counts, const std::map<Offset, Segment>& segments) {
  auto segment = segments.begin();
  for (const SegmentCount& count : counts) {
    const auto next = std::next(segment);
    if (count.base != segment->first || (next != segments.end() && count.end != next->first)) return false;
    if (next == segments.end()) return true;
    segment = next;
  }
  return std::next(segment) == segments.end();
}

}  // namespace

CompactionRules Compactor::rules_for(Partition& partition, UnixMillis now) const {
  const Log& log = partition.log();
  CompactionRules rules;
  rules.options = options_;
  rules.now = now;
  // A member that was away has to see what was erased meanwhile.
  rules.keep_erasures = log.is_replicated();
  rules.replay_begin = partition.replay_begin();
  rules.segment_bytes = segment_bytes_;
  rules.all_counted = counts_all(partition.counts().all(), log.segments());
  rules.short_of_space = log.out_of_space();
  for (const auto& [base, segment] : log.segments()) {
    rules.usable_end = base;
    if (!segment.sealed) break;
  }
  rules.usable_end = std::min(rules.usable_end, log.marks().committed());
  const auto request = std::ranges::find(requests_, &partition, &Request::partition);
  if (request != requests_.end()) rules.asked_upto = request->upto;
  return rules;
}

void Compactor::start_run(Partitions partitions) {
  const UnixMillis now = clock_.now();
  if (clock_.monotonic() >= retry_at_) {
    for (const auto& partition : partitions) {
      if (!partition || !partition->has_log() || partition->log().failure() != nullptr) continue;
      if (partition->follows()) continue;
      partition->counts().drop_before(partition->log().segments().begin()->first);
      const CompactionRules rules = rules_for(*partition, now);
      leave_old_segments(*partition, rules);
      const auto plan = plan_compaction(partition->counts().all(), rules);
      if (plan) return start(*partition, *plan, rules);
    }
  }
  look_after_request(now);
}

// What stands in the active segment can't be compacted; max-compaction-lag and a request do not wait until it is full.
void Compactor::leave_old_segments(Partition& partition, const CompactionRules& rules) {
  const auto request = std::ranges::find(requests_, &partition, &Request::partition);
  if (request != requests_.end() && request->leave_tries > 0) {
    --request->leave_tries;
    const bool inside = partition.log().segments().rbegin()->first < request->upto;
    if (!inside || partition.log().leave_active()) request->leave_tries = 0;
  }
  const std::int64_t lag = options_.max_lag.value();
  if (!options_.enabled || lag == std::numeric_limits<std::int64_t>::max() || partition.counts().all().empty()) return;
  const SegmentCount& last = partition.counts().all().back();
  const bool active = last.base == partition.log().segments().rbegin()->first;
  if (active && last.dead > 0 && (rules.now - last.first_time).value() >= lag) partition.log().leave_active();
}

void Compactor::start(Partition& partition, const CompactionPlan& plan, const CompactionRules& rules) {
  auto may_swap_files = [this, &partition, plan] { return may_swap(partition, plan); };
  run_ = std::make_unique<CompactionRun>(disk_, clock_, hasher_, partition, directory_ + "/" + partition.name(), plan,
                                         rules, compress_, std::move(may_swap_files), [this] { step(); });
  spent_ = 0;
}

bool Compactor::compact(Partition& partition, Offset base, Offset end) {
  if (run_ && run_->over()) settle_run();
  partition.counts().drop_before(partition.log().segments().begin()->first);
  const CompactionRules rules = rules_for(partition, clock_.now());
  if (run_ || partition.follows() || end > rules.usable_end || !partition.log().segments().contains(base)) return false;
  start(partition, CompactionPlan{base, end}, rules);
  step();
  return true;
}

bool Compactor::rest(const Partition& partition) {
  std::erase_if(requests_, [&](const Request& request) { return request.partition == &partition; });
  resting_ = nullptr;
  if (!run_ || &run_->partition() != &partition) return true;
  if (run_->job_running()) {
    resting_ = &partition;
    return false;
  }
  if (run_->over()) {
    settle_run();
  } else {
    run_.reset();  // what it has written is removed by the recovery that follows
  }
  return true;
}

// ---- the end of a run

void Compactor::settle_run() {
  const RewriteCounts& counts = run_->counts();
  done_.bytes_read += static_cast<std::uint64_t>(counts.source_bytes);
  done_.bytes_written += static_cast<std::uint64_t>(counts.bytes);
  done_.pause_ns = std::max(done_.pause_ns, run_->pause_ns());
  const std::string where = run_->partition().name() + " from offset " + std::to_string(run_->plan().base.value());
  switch (run_->state()) {
    case CompactionRun::State::kDone:
      ++done_.runs;
      done_.bytes_freed += static_cast<std::uint64_t>(std::max<std::int64_t>(0, run_->source_bytes() - counts.bytes));
      done_.records_dropped += static_cast<std::uint64_t>(counts.records_dropped);
      done_.erasures_dropped += static_cast<std::uint64_t>(counts.erasures_dropped);
      on_rewritten(run_->partition(), run_->plan().base, run_->plan().end);
      diag::verbose("compacted " + where + ": " + size_text(static_cast<std::uint64_t>(run_->source_bytes())) + " to " +
                    size_text(static_cast<std::uint64_t>(counts.bytes)));
      break;
    case CompactionRun::State::kFailed:
      ++done_.failed;
      on_failed(*run_->error());
      break;
    default:
      ++done_.given_up;
      if (!run_->error()) break;
      ++done_.failed;
      done_.last_asked_ok = done_.last_asked_ok && requests_.empty();
      diag::warning("compaction of " + where + " is given up, nothing has changed: " + run_->error()->message());
      if (run_->error()->code == Errc::kNoSpace) {
        retry_at_ = clock_.monotonic() + kSpaceRetry;
      } else {
        run_->partition().counts().refuse(run_->plan().base);
      }
  }
  run_.reset();
}

// ---- requests

bool Compactor::request(Partitions partitions) {
  if (!requests_.empty()) return false;
  for (const auto& partition : partitions) {
    if (!partition || !partition->has_log() || partition->follows()) continue;
    requests_.push_back(Request{partition.get(), partition->log().marks().appended(), kLeaveTriesMax});
  }
  asked_at_ = clock_.now();
  done_.last_asked_ok = true;
  return true;
}

// Called when there is nothing to run: what is asked for is done, unless a segment is still on its way to be sealed.
void Compactor::look_after_request(UnixMillis now) {
  if (requests_.empty()) return;
  for (const Request& request : requests_) {
    const Log& log = request.partition->log();
    if (log.failure() != nullptr) continue;
    if (request.leave_tries > 0) return;
    const Offset active = log.segments().rbegin()->first;
    for (const auto& [base, segment] : log.segments()) {
      if (base < request.upto && base != active && !segment.sealed) return;
    }
  }
  requests_.clear();
  done_.last_asked_took = now - asked_at_;
}

void CompactionReport::add(const CompactionReport& other) {
  running = running || other.running;
  asked = asked || other.asked;
  runs += other.runs;
  given_up += other.given_up;
  failed += other.failed;
  bytes_read += other.bytes_read;
  bytes_written += other.bytes_written;
  bytes_freed += other.bytes_freed;
  records_dropped += other.records_dropped;
  erasures_dropped += other.erasures_dropped;
  progress_bytes += other.progress_bytes;
  total_bytes += other.total_bytes;
  rate += other.rate;
  garbage_bytes += other.garbage_bytes;
  asked_for = std::max(asked_for, other.asked_for);
  last_asked_took = std::max(last_asked_took, other.last_asked_took);
  last_asked_ok = last_asked_ok && other.last_asked_ok;
  pause_ns = std::max(pause_ns, other.pause_ns);
}

CompactionReport Compactor::report(Partitions partitions) const {
  CompactionReport report = done_;
  report.running = busy();
  report.asked = !requests_.empty();
  report.rate = pace_.rate();
  if (report.asked) report.asked_for = clock_.now() - asked_at_;
  if (run_) {
    report.progress_bytes = static_cast<std::uint64_t>(run_->counts().source_bytes);
    report.total_bytes = static_cast<std::uint64_t>(run_->source_bytes());
    report.pause_ns = std::max(report.pause_ns, run_->pause_ns());
  }
  for (const auto& partition : partitions) {
    if (!partition) continue;
    for (const SegmentCount& segment : partition->counts().all()) {
      if (segment.records > 0) {
        report.garbage_bytes += static_cast<std::uint64_t>(segment.bytes * segment.dead / segment.records);
      }
    }
  }
  return report;
}

}  // namespace minod
