#include "replay/point_in_time.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "index/segment_index_files.h"
#include "log/epoch_file.h"
#include "log/segment_name.h"
#include "replay/batch_cut.h"
#include "replay/log_bounds.h"
#include "replay/recovery.h"

namespace minod {

namespace {

constexpr std::size_t kWriteSize = std::size_t{1} << 20;

// One segment file being written.
class SegmentCopy {
 public:
  SegmentCopy(Disk& disk, std::string directory, Offset base, std::unique_ptr<File> file)
      : disk_(disk), directory_(std::move(directory)), base_(base), file_(std::move(file)), index_(base) {}

  Result<void> add(const BatchHeader& header, Bytes batch) {
    index_.add(header, FilePosition(written_ + static_cast<std::int64_t>(pending_.size())));
    pending_.insert(pending_.end(), batch.begin(), batch.end());
    return pending_.size() < kWriteSize ? Result<void>() : write(align_down(pending_.size()));
  }

  // The active segment keeps whole blocks, as minod writes them: zeros behind the last batch.
  Result<void> finish(bool active) {
    if (active) pending_.resize(align_up(pending_.size()));
    if (auto written = write(pending_.size()); !written) return written;
    if (auto synced = file_->sync_now(); !synced) return synced;
    if (active) return {};
    const auto offsets = index_.offset_index();
    if (auto kept = replace_file(disk_, directory_, segment_name(base_, kIndexSuffix), offsets); !kept) return kept;
    return replace_file(disk_, directory_, segment_name(base_, kTimeIndexSuffix), index_.time_index());
  }

 private:
  Result<void> write(std::size_t size) {
    if (auto written = file_->write_now(FilePosition(written_), Bytes(pending_).first(size)); !written) return written;
    written_ += static_cast<std::int64_t>(size);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(size));
    return {};
  }

  Disk& disk_;
  std::string directory_;
  Offset base_;
  std::unique_ptr<File> file_;
  SegmentIndexFiles index_;
  std::vector<std::byte> pending_;
  std::int64_t written_ = 0;
};

class PartitionCopy {
 public:
  PartitionCopy(Disk& disk, std::string to, const LogSurvey& survey, const std::function<void(std::int64_t)>& progress)
      : disk_(disk), to_(std::move(to)), survey_(survey), progress_(progress) {}

  Result<CopyReport> run();

 private:
  Result<void> take(const LogSegment& segment, const BatchView& batch);
  Result<void> begin_segment(Offset base);

  Disk& disk_;
  std::string to_;
  const LogSurvey& survey_;
  const std::function<void(std::int64_t)>& progress_;
  CopyReport report_;
  Decompressor decompressor_;
  std::optional<SegmentCopy> out_;
  Offset source_base_ = kNoOffset;  // of the segment that out_ copies
};

Result<void> PartitionCopy::begin_segment(Offset base) {
  if (out_) {
    if (auto finished = out_->finish(false); !finished) return finished;
  }
  auto file = disk_.open(to_ + "/" + segment_name(base, kLogSuffix), OpenMode::kCreate);
  if (!file) return file.error();
  out_.emplace(disk_, to_, base, std::move(*file));
  ++report_.segments;
  return {};
}

Result<void> PartitionCopy::take(const LogSegment& segment, const BatchView& batch) {
  BatchHeader header = batch.header();
  Bytes bytes = batch.bytes();
  std::vector<std::byte> part;
  if (header.base_offset < survey_.range.from || header.last_offset() >= survey_.range.until) {
    auto cut = cut_batch(batch, decompressor_, survey_.range);
    if (!cut) return cut.error();
    if (cut->empty()) return {};
    part = std::move(*cut);
    bytes = part;
    header = *read_batch_header(bytes);
  }
  if (source_base_ != segment.base) {
    if (auto begun = begin_segment(header.base_offset); !begun) return begun;
    source_base_ = segment.base;
  }
  if (report_.batches == 0) report_.first_time = header.base_timestamp;
  report_.last_time = std::max(report_.last_time, header.max_timestamp);
  ++report_.batches;
  report_.records += header.record_count;
  report_.bytes += header.length;
  if (progress_) progress_(report_.bytes);
  return out_->add(header, bytes);
}

Result<CopyReport> PartitionCopy::run() {
  std::optional<Error> failure;
  LogVisitor visitor;
  visitor.batch = [&](const LogSegment& segment, FilePosition, const BatchView& batch) {
    if (const auto taken = take(segment, batch); !taken) failure = taken.error();
    return failure ? BatchChoice::kStop : BatchChoice::kSkip;
  };
  LogWalk walk(disk_, survey_.range, std::move(visitor));
  const auto walked = walk.run(survey_.segments, survey_.clean_end);
  if (!walked) return walked.error();
  if (failure) return *failure;
  // An empty log that does not begin at 0 says so by the name of its segment.
  if (!out_) {
    if (auto begun = begin_segment(survey_.range.from); !begun) return begun.error();
  }
  if (auto finished = out_->finish(true); !finished) return finished.error();
  return report_;
}

}  // namespace

Result<CopyReport> copy_partition(Disk& disk, const std::string& from, const std::string& to, const LogSurvey& survey,
                                  const std::function<void(std::int64_t)>& progress) {
  if (auto made = disk.make_directory(to); !made) return made.error();
  auto report = PartitionCopy(disk, to, survey, progress).run();
  if (!report) return report;
  auto epochs = read_epochs(disk, from);
  // A damaged one is left behind: a restart goes by the epochs of the batches, with it or without.
  if (!epochs && epochs.error().code != Errc::kCorrupt) return epochs.error();
  if (epochs) {
    std::erase_if(*epochs, [&](const EpochStart& epoch) { return epoch.start >= survey.range.until; });
    begin_at(*epochs, survey.range.from);
    if (auto written = write_epochs(disk, to, *epochs); !written) return written.error();
  }
  if (auto noted = note_clean_end(disk, to, survey.range.until); !noted) return noted.error();
  if (auto synced = disk.sync_directory(to); !synced) return synced.error();
  return report;
}

}  // namespace minod
