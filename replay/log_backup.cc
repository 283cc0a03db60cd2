#include "replay/log_backup.h"

#include <algorithm>
#include <cerrno>

#include "index/checkpoint_file.h"
#include "log/segment_name.h"
#include "replay/recovery.h"

namespace minod {

namespace {

constexpr std::int64_t kPieceBytes = std::int64_t{4} << 20;
// A segment that a compaction replaced between the snapshot and the first job is not where it was: a new snapshot then.
constexpr int kAttemptsMax = 10;

// What stands beside a segment under its name: rebuilt when it is missing, worth having when it is there.
bool belongs_to(const std::string& name, Offset base) {
  const std::string stem = segment_name(base, "");
  if (!name.starts_with(stem + ".")) return false;
  const std::string suffix = name.substr(stem.size());
  return suffix != kLogSuffix && suffix.find('.', 1) == std::string::npos;  // no .index.tmp
}

Error explained(Error error) {
  const bool no_links = error.sys == EPERM || error.sys == EOPNOTSUPP || error.sys == ENOSYS || error.sys == EXDEV;
  if (!no_links) return error;
  error.code = Errc::kUnsupported;
  error.detail += "; a backup needs a file system with hard links, keep the data directory on one (ext4, xfs, btrfs)";
  return error;
}

}  // namespace

void LogBackup::start() {
  source_ = log_.directory();
  end_ = log_.written_place();
  report_.end = log_.marks().written();
  committed_ = log_.marks().committed();
  take_snapshot();
}

void LogBackup::take_snapshot() {
  ++attempts_;
  sources_.clear();
  report_ = LogBackupReport{.end = report_.end};
  for (const auto& [base, segment] : log_.segments()) {
    if (base > end_.segment) break;
    const bool last = base == end_.segment;
    const FilePosition behind = last ? end_.position : segment.end;
    sources_.push_back(Source{base, segment.sealed && !last ? nullptr : segment.file, behind.value()});
  }
  if (sources_.empty() || sources_.back().base != end_.segment) {
    return fail(Error{Errc::kBusy, 0, "a compaction replaced what was being copied; try again"});
  }
  run(&LogBackup::link_sealed, &LogBackup::linked);
}

void LogBackup::run(Result<void> (LogBackup::*job)(), void (LogBackup::*next)()) {
  auto result = std::make_shared<Result<void>>();
  disk_.run_aside([self = shared_from_this(), result, job] { *result = (self.get()->*job)(); },
                  [self = shared_from_this(), result, next] {
                    if (self->cancelled_) {
                      self->fail(Error{Errc::kStopped, 0, "the node is stopping"});
                    } else if (*result) {
                      (self.get()->*next)();
                    } else if (result->error().code == Errc::kNotFound && self->attempts_ < kAttemptsMax) {
                      self->take_snapshot();
                    } else {
                      self->fail(result->error());
                    }
                  });
}

void LogBackup::fail(Error error) {
  copy_.reset();
  done_(std::move(error));
}

Result<void> LogBackup::empty_directory() {
  if (auto made = disk_.make_directory(directory_); !made) return made;
  const auto entries = disk_.list(directory_);
  if (!entries) return entries.error();
  for (const DirectoryEntry& entry : *entries) {
    if (auto removed = disk_.remove(directory_ + "/" + entry.name); !removed) return removed;
  }
  return {};
}

Result<void> LogBackup::link_beside(const std::string& name) {
  const auto linked = disk_.link(source_ + "/" + name, directory_ + "/" + name);
  if (!linked && linked.error().code != Errc::kNotFound) return explained(linked.error());
  return {};
}

Result<void> LogBackup::link_sealed() {
  if (auto empty = empty_directory(); !empty) return empty;
  const auto entries = disk_.list(source_);
  if (!entries) return entries.error();
  for (const Source& source : sources_) {
    if (source.file != nullptr) continue;
    const std::string name = segment_name(source.base, kLogSuffix);
    if (auto linked = disk_.link(source_ + "/" + name, directory_ + "/" + name); !linked) {
      return explained(linked.error());
    }
    ++report_.segments;
    report_.linked_bytes += source.size;
    for (const DirectoryEntry& entry : *entries) {
      if (!belongs_to(entry.name, source.base)) continue;
      if (auto beside = link_beside(entry.name); !beside) return beside;
    }
  }
  // A checkpoint that is newer than the copy is ignored when the copy is started.
  for (const std::string_view name : kCheckpointNames) {
    if (auto beside = link_beside(std::string(name)); !beside) return beside;
  }
  return link_beside("leader-epoch-checkpoint");
}

void LogBackup::linked() {
  std::erase_if(sources_, [](const Source& source) { return source.file == nullptr; });
  next_ = 0;
  copied_ = 0;
  copied_piece();
}

void LogBackup::copied_piece() {
  if (next_ < sources_.size()) {
    run(&LogBackup::copy_piece, &LogBackup::copied_piece);
  } else {
    run(&LogBackup::finish, &LogBackup::finished);
  }
}

// The bytes up to the end of the last whole write never change, though the block they end in is written again.
Result<void> LogBackup::copy_piece() {
  const Source& source = sources_[next_];
  if (copy_ == nullptr) {
    auto created = disk_.open(directory_ + "/" + segment_name(source.base, kLogSuffix), OpenMode::kCreate);
    if (!created) return created.error();
    copy_ = std::move(*created);
  }
  const std::int64_t size = std::min(kPieceBytes, source.size - copied_);
  if (size > 0) {
    AlignedBuffer piece(static_cast<std::size_t>(size));
    const MutableBytes bytes = piece.span().first(static_cast<std::size_t>(size));
    const auto read = source.file->read_now(FilePosition(copied_), bytes);
    if (!read) return read.error();
    if (*read != bytes.size()) return Error{Errc::kCorrupt, 0, "a segment file ends before what was written to it"};
    if (auto written = copy_->write_now(FilePosition(copied_), bytes); !written) return written;
    copied_ += size;
    report_.copied_bytes += size;
  }
  if (copied_ < source.size) return copy_->sync_now();
  if (auto cut = copy_->truncate_now(source.size); !cut) return cut;
  if (auto synced = copy_->sync_now(); !synced) return synced;
  copy_.reset();
  ++report_.segments;
  ++next_;
  copied_ = 0;
  return {};
}

// With the end noted, a copy that is cut short later is known to be damaged, not torn. What was written but not
// committed may be a part of a transaction, which the copy's first start decides about.
Result<void> LogBackup::finish() { return note_clean_end(disk_, directory_, committed_); }

void LogBackup::finished() { done_(report_); }

}  // namespace minod
