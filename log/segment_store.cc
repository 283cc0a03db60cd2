#include "log/segment_store.h"

#include <algorithm>

#include "base/check.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::string_view kPreparedSuffix = ".prepared";
constexpr Nanos kSpaceRetry{1'000'000'000};

}  // namespace

// A next segment on its way. It is made larger from `from` to `to`; a recycled one, from 0 to `to`, or no larger than
// it is when the disk has no more and that is at least `least`.
struct SegmentStore::Preparation {
  Ready next;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t least = 0;
  bool is_new = false;
  bool is_recycled = false;

  Result<std::int64_t> growth() const;
  bool stays_small();
  Result<void> run(Disk& disk);
  Result<void> zero_recycled();
};

Result<void> SegmentStore::Preparation::zero_recycled() {
  const auto size = next.file->size_now();
  if (!size) return size.error();
  if (*size > to) {
    if (auto cut = next.file->truncate_now(to); !cut) return cut;
  }
  auto zeroed = next.file->prepare_now(0, to);
  const auto whole = static_cast<std::int64_t>(align_down(static_cast<std::size_t>(std::min(*size, to))));
  if (zeroed || zeroed.error().code != Errc::kNoSpace || whole < std::max<std::int64_t>(least, 1)) return zeroed;
  to = whole;
  return next.file->prepare_now(0, to);
}

// Bytes that it takes beyond what its file has.
Result<std::int64_t> SegmentStore::Preparation::growth() const {
  if (!is_recycled) return to - from;
  const auto size = next.file->size_now();
  if (!size) return size.error();
  return to - *size;
}

// A recycled one may do without growing.
bool SegmentStore::Preparation::stays_small() {
  if (!is_recycled) return false;
  const auto size = next.file->size_now();
  if (!size) return false;
  const auto whole = static_cast<std::int64_t>(align_down(static_cast<std::size_t>(*size)));
  if (whole < std::max<std::int64_t>(least, 1)) return false;
  to = std::min(to, whole);
  return true;
}

Result<void> SegmentStore::Preparation::run(Disk& disk) {
  if (is_recycled) return zero_recycled();
  if (is_new) {
    auto created = disk.open(next.path, OpenMode::kCreate);
    if (!created) return created.error();
    next.file = std::move(*created);
  }
  auto prepared = next.file->prepare_now(from, to);
  if (!prepared && is_new) {
    next.file.reset();
    (void)disk.remove(next.path);  // what stays is removed at the next start; the first error is the one to tell
  }
  return prepared;
}

SegmentStore::SegmentStore(Disk& disk, const Clock& clock, std::string directory, std::int64_t segment_bytes,
                           SegmentSpace space)
    : disk_(disk),
      clock_(clock),
      directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      space_(space),
      pool_(space.recycled) {}

std::string SegmentStore::path_of(Offset base, std::string_view suffix) const {
  return directory_ + "/" + segment_name(base, suffix);
}

Segment* SegmentStore::find(Offset base) {
  const auto found = all_.find(base);
  return found == all_.end() ? nullptr : &found->second;
}

std::string SegmentStore::new_path() {
  return directory_ + "/" + std::to_string(path_count_++) + std::string(kPreparedSuffix);
}

Result<void> SegmentStore::remove_leftovers() {
  const auto entries = disk_.list(directory_);
  if (!entries) return entries.error();
  for (const DirectoryEntry& entry : *entries) {
    if (!entry.name.ends_with(kPreparedSuffix)) continue;
    if (auto removed = disk_.remove(directory_ + "/" + entry.name); !removed) return removed;
  }
  return {};
}

Result<void> SegmentStore::open(const std::vector<SegmentFile>& found, Offset end) {
  if (auto removed = remove_leftovers(); !removed) return removed;
  for (const SegmentFile& segment : found) {
    auto file = disk_.open(path_of(segment.base, kLogSuffix), OpenMode::kReadWrite);
    if (!file) return file.error();
    const bool is_active = &segment == &found.back();
    all_[segment.base] =
        Segment{segment.base, std::move(*file), segment.size, segment.end,
                true,         !is_active,       false,        !is_active && segment.size == segment.end.value()};
  }
  if (all_.empty()) {
    const std::int64_t size = std::min(kFirstSegmentBytes, segment_bytes_);
    auto file = disk_.open(path_of(end, kLogSuffix), OpenMode::kCreate);
    if (!file) return file.error();
    if (const auto prepared = (*file)->prepare_now(0, size); !prepared) return prepared.error();
    if (const auto synced = disk_.sync_directory(directory_); !synced) return synced.error();
    all_[end] = Segment{end, std::move(*file), size, FilePosition(0), true, false, false, false};
  }
  return {};
}

std::int64_t SegmentStore::next_size() const {
  std::int64_t total = 0;
  for (const auto& [base, segment] : all_) total += segment.prepared;
  return std::clamp(total, std::min(kFirstSegmentBytes, segment_bytes_), segment_bytes_);
}

std::int64_t SegmentStore::disk_bytes() const {
  // What is being made ready counts as large as it will be; a spare, as what it becomes.
  const std::size_t missing = space_.ready - std::min(space_.ready, ready_.size());
  std::int64_t total = static_cast<std::int64_t>(missing + pool_.count()) * next_size();
  for (const auto& [base, segment] : all_) total += segment.prepared;
  for (const Ready& ready : ready_) total += ready.prepared;
  return total;
}

void SegmentStore::run(std::function<Result<void>()> work, std::function<void(Result<void>)> done) {
  ++jobs_;
  auto result = std::make_shared<Result<void>>();
  disk_.run_aside([result, work = std::move(work)] { *result = work(); },
                  [this, result, done = std::move(done)] {
                    --jobs_;
                    done(std::move(*result));
                  });
}

void SegmentStore::prepare(std::int64_t bytes, bool active_empty) {
  if (preparing_ || (out_of_space_ && clock_.monotonic() < retry_at_)) return;
  const auto need = static_cast<std::int64_t>(align_up(static_cast<std::size_t>(bytes)));
  if (active_empty && active().prepared < bytes) return enlarge_active(need);
  if (ready_.size() >= space_.ready && ready_.front().prepared >= need) return;
  preparing_ = true;
  auto plan = std::make_shared<Preparation>(plan_next(need));
  run(
      [this, plan, reserve = reserve()]() -> Result<void> {
        const auto grows = plan->growth();
        if (!grows) return grows.error();
        auto left = leave_reserve(*grows, reserve);
        if (!left && (left.error().code != Errc::kNoSpace || !plan->stays_small())) return left;
        return plan->run(disk_);
      },
      [this, plan](const Result<void>& result) { prepared_next(*plan, result); });
}

void SegmentStore::enlarge_active(std::int64_t to) {
  preparing_ = true;
  run(
      [this, file = active().file, from = active().prepared, to, reserve = reserve()]() -> Result<void> {
        if (auto left = leave_reserve(to - from, reserve); !left) return left;
        return file->prepare_now(from, to);
      },
      [this, to](const Result<void>& result) {
        if (result) active().prepared = to;
        // The zeros of a file that is in use may be lost now, and a sync is never tried again.
        if (!result && result.error().code != Errc::kNoSpace) on_failed(result.error());
        preparation_ended(result);
      });
}

// While a job makes the next segment larger nothing rolls to it: it would come back as the next one a second time.
SegmentStore::Preparation SegmentStore::plan_next(std::int64_t bytes) {
  Preparation plan;
  plan.least = bytes;
  plan.to = std::max(next_size(), bytes);
  if (!ready_.empty() && ready_.front().prepared < bytes) {
    plan.next = std::move(ready_.front());
    ready_.pop_front();
    plan.from = plan.next.prepared;
  } else if (auto spare = pool_.take()) {
    plan.next = Ready{std::move(spare->file), std::move(spare->path)};
    plan.is_recycled = true;
  } else {
    plan.next.path = new_path();
    plan.is_new = true;
  }
  return plan;
}

void SegmentStore::prepared_next(const Preparation& made, const Result<void>& result) {
  Ready next = made.next;
  if (result) {
    next.prepared = made.to;
    counters_.created += made.is_new ? 1 : 0;
    counters_.recycled += made.is_recycled ? 1 : 0;
    // One that was made larger was the next one before.
    ready_.insert(made.is_new || made.is_recycled ? ready_.end() : ready_.begin(), std::move(next));
  } else if (!made.is_new && result.error().code == Errc::kNoSpace) {
    // As large as it was; a recycled one is not zeroed, so it is no next segment yet.
    if (made.is_recycled) {
      pool_.expect();
      pool_.arrived(RecyclePool::Spare{std::move(next.file), std::move(next.path)});
    } else {
      ready_.push_front(std::move(next));
    }
  } else if (!made.is_new) {
    // A file with an error in it is not used again.
    remove_files({next.path});
  }
  preparation_ended(result);
}

void SegmentStore::preparation_ended(const Result<void>& result) {
  preparing_ = false;
  out_of_space_ = !result;
  if (!result) {
    space_error_ = result.error();
    retry_at_ = clock_.monotonic() + kSpaceRetry;
    discard_spares();
  }
  on_changed();
  if (result) prepare(0, false);
}

void SegmentStore::forget() {
  all_.clear();
  ready_.clear();
  (void)pool_.take_all();
}

// What was kept for reuse is of no use while something larger finds no room.
void SegmentStore::discard_spares() {
  std::vector<std::string> paths;
  for (const RecyclePool::Spare& spare : pool_.take_all()) paths.push_back(spare.path);
  if (!paths.empty()) remove_files(std::move(paths));
}

// Files that are no segments. A failure is not the log's: they are removed at the next start.
void SegmentStore::remove_files(std::vector<std::string> paths) {
  run(
      [this, paths = std::move(paths)]() -> Result<void> {
        for (const std::string& path : paths) (void)disk_.remove(path);
        return {};
      },
      [](const Result<void>&) {});
}

std::int64_t SegmentStore::reserve() const {
  std::int64_t largest = 0;
  for (const auto& [base, segment] : all_) {
    if (segment.sealed) largest = std::max(largest, segment.prepared);
  }
  return largest;
}

// Whether `bytes` more can be taken. Runs in a job.
Result<void> SegmentStore::leave_reserve(std::int64_t bytes, std::int64_t reserve) {
  if (bytes <= 0) return {};
  const auto free = disk_.free_bytes(directory_);
  if (!free) return free.error();
  if (*free >= static_cast<std::uint64_t>(bytes + reserve)) return {};
  return Error{Errc::kNoSpace, 0,
               "preparing " + std::to_string(bytes) + " bytes: " + std::to_string(*free) + " are free, of which " +
                   std::to_string(reserve) + " are kept for compaction"};
}

void SegmentStore::roll(Offset base) {
  check(!ready_.empty(), "roll() only to a prepared segment");
  check(active().base < base, "a segment that is left has records");
  active().full = true;
  const Ready next = std::move(ready_.front());
  ready_.pop_front();
  all_[base] = Segment{base, next.file, next.prepared, FilePosition(0), false, false, false, false};
  run(
      [this, from = next.path, to = path_of(base, kLogSuffix)]() -> Result<void> {
        if (auto renamed = disk_.rename(from, to); !renamed) return renamed.error();
        return disk_.sync_directory(directory_);
      },
      [this, base](const Result<void>& result) {
        if (!result) {
          on_failed(result.error());
          return;
        }
        find(base)->named = true;
        on_changed();
      });
}

void SegmentStore::seal(Offset base) {
  Segment& segment = *find(base);
  if (segment.sealing || segment.sealed) return;
  segment.sealing = true;
  run(
      [file = segment.file, end = segment.end.value()]() -> Result<void> {
        if (auto trimmed = file->truncate_now(end); !trimmed) return trimmed.error();
        return file->sync_now();
      },
      [this, base](const Result<void>& result) {
        if (!result) {
          on_failed(result.error());
          return;
        }
        Segment* sealed = find(base);
        sealed->sealed = true;
        sealed->prepared = sealed->end.value();
        on_sealed(base);
      });
}

std::vector<std::shared_ptr<File>> SegmentStore::replace(Offset base, Offset end, std::shared_ptr<File> file,
                                                         std::int64_t size) {
  std::vector<std::shared_ptr<File>> replaced;
  const auto last = all_.lower_bound(end);
  for (auto at = all_.lower_bound(base); at != last; at = all_.erase(at)) {
    check(at->second.sealed, "only sealed segments are compacted");
    replaced.push_back(std::move(at->second.file));
  }
  check(!replaced.empty(), "a compacted segment takes the place of others");
  all_[base] = Segment{base, std::move(file), size, FilePosition(size), true, true, true, true};
  return replaced;
}

void SegmentStore::remove(Offset base) {
  const std::shared_ptr<File> file = find(base)->file;
  all_.erase(base);
  std::vector<std::string> paths;
  for (const std::string_view suffix : {kHintSuffix, kIndexSuffix, kTimeIndexSuffix}) {
    paths.push_back(path_of(base, suffix));
  }
  const bool keeps = pool_.has_place();
  if (keeps) pool_.expect();
  const std::string spare_path = keeps ? new_path() : std::string();
  auto kept = std::make_shared<bool>(false);
  run(
      [this, file, kept, spare_path, log = path_of(base, kLogSuffix), paths = std::move(paths)]() -> Result<void> {
        for (const std::string& path : paths) {
          const auto removed = disk_.remove(path);
          if (!removed && removed.error().code != Errc::kNotFound) return removed.error();
        }
        if (!spare_path.empty()) {
          const auto retired = retire_file(disk_, directory_, *file, log, spare_path);
          if (!retired) return retired.error();
          *kept = *retired;
          return {};
        }
        if (auto removed = disk_.remove(log); !removed) return removed.error();
        return disk_.sync_directory(directory_);
      },
      [this, file, kept, spare_path](const Result<void>& result) {
        if (!spare_path.empty()) {
          pool_.arrived(result && *kept ? std::optional(RecyclePool::Spare{file, spare_path}) : std::nullopt);
        }
        if (!result) on_failed(result.error());
      });
}

}  // namespace minod
