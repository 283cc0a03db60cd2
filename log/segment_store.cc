#include "log/segment_store.h"

#include <algorithm>

#include "base/check.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::string_view kNextName = "next.prepared";
constexpr Nanos kSpaceRetry{1'000'000'000};

}  // namespace

SegmentStore::SegmentStore(Disk& disk, const Clock& clock, std::string directory, std::int64_t segment_bytes)
    : disk_(disk), clock_(clock), directory_(std::move(directory)), segment_bytes_(segment_bytes) {}

std::string SegmentStore::path_of(Offset base, std::string_view suffix) const {
  return directory_ + "/" + segment_name(base, suffix);
}

Segment* SegmentStore::find(Offset base) {
  const auto found = all_.find(base);
  return found == all_.end() ? nullptr : &found->second;
}

Result<void> SegmentStore::open(const std::vector<SegmentFile>& found, Offset end) {
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
  preparing_ = true;
  if (active_empty && active().prepared < bytes) {
    const std::int64_t from = active().prepared;
    const auto to = static_cast<std::int64_t>(align_up(static_cast<std::size_t>(bytes)));
    run([file = active().file, from, to] { return file->prepare_now(from, to); },
        [this, to](const Result<void>& result) {
          if (result) active().prepared = to;
          prepared(0, result);
        });
    return;
  }
  const std::int64_t size = std::max(next_size(), static_cast<std::int64_t>(align_up(static_cast<std::size_t>(bytes))));
  const std::int64_t from = next_file_ ? next_prepared_ : 0;
  // While a job makes the next segment larger nothing rolls to it: it would come back as the next one a second time.
  auto file = std::make_shared<std::shared_ptr<File>>(std::move(next_file_));
  next_file_ = nullptr;
  run(
      [this, file, from, size, path = directory_ + "/" + std::string(kNextName)]() -> Result<void> {
        if (!*file) {
          auto created = disk_.open(path, OpenMode::kCreate);
          if (!created) return created.error();
          *file = std::move(*created);
        }
        return (*file)->prepare_now(from, size);
      },
      [this, file, from, size](const Result<void>& result) {
        next_file_ = *file;
        if (!result) next_prepared_ = from;
        prepared(size, result);
      });
}

void SegmentStore::prepared(std::int64_t size, const Result<void>& result) {
  preparing_ = false;
  out_of_space_ = !result;
  if (result) {
    if (size != 0) next_prepared_ = size;
  } else {
    space_error_ = result.error();
    retry_at_ = clock_.monotonic() + kSpaceRetry;
  }
  on_changed();
}

void SegmentStore::roll(Offset base) {
  check(next_file_ != nullptr, "roll() only to a prepared segment");
  check(active().base < base, "a segment that is left has records");
  active().full = true;
  all_[base] = Segment{base, std::move(next_file_), next_prepared_, FilePosition(0), false, false, false, false};
  next_file_ = nullptr;
  next_prepared_ = 0;
  run(
      [this, from = directory_ + "/" + std::string(kNextName), to = path_of(base, kLogSuffix)]() -> Result<void> {
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

void SegmentStore::remove(Offset base) {
  auto file = find(base)->file;
  all_.erase(base);
  std::vector<std::string> paths;
  for (const std::string_view suffix : {kIndexSuffix, kTimeIndexSuffix, kLogSuffix}) {
    paths.push_back(path_of(base, suffix));
  }
  run(
      [this, file, paths = std::move(paths)]() -> Result<void> {
        for (const std::string& path : paths) {
          const auto removed = disk_.remove(path);
          if (!removed && removed.error().code != Errc::kNotFound) return removed.error();
        }
        return disk_.sync_directory(directory_);
      },
      [this](const Result<void>& result) {
        if (!result) on_failed(result.error());
      });
}

}  // namespace minod
