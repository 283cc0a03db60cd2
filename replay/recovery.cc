#include "replay/recovery.h"

#include <algorithm>

#include "base/endian.h"
#include "log/compaction_swap.h"
#include "log/epoch_file.h"
#include "log/reader.h"
#include "log/segment_name.h"
#include "replay/segment_list.h"
#include "replay/torn_tail.h"

namespace minod {

namespace {

constexpr const char* kCleanEndName = "clean-end-offset";
constexpr std::int64_t kProgressBytes = std::int64_t{8} << 20;

struct FoundSegment {
  Offset base;
  std::string path;
  std::unique_ptr<File> file;
  std::int64_t size = 0;
};

// Opens what is there and makes it durable before the first byte is read: after a kill, bytes that were never
// acknowledged may sit in the device's volatile cache, be served, and vanish at the next power loss.
Result<std::vector<FoundSegment>> open_segments(Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return entries.error();
  std::vector<FoundSegment> segments;
  for (const DirectoryEntry& entry : *entries) {
    const auto base = parse_segment_name(entry.name, kLogSuffix);
    if (!base) continue;
    FoundSegment segment{*base, directory + "/" + entry.name, nullptr, 0};
    auto file = disk.open(segment.path, OpenMode::kReadWrite);
    if (!file) return file.error();
    segment.file = std::move(*file);
    if (auto synced = segment.file->sync_now(); !synced) return synced.error();
    const auto size = segment.file->size_now();
    if (!size) return size.error();
    segment.size = *size;
    segments.push_back(std::move(segment));
  }
  if (auto synced = disk.sync_directory(directory); !synced) return synced.error();
  std::ranges::sort(segments, {}, &FoundSegment::base);
  return segments;
}

Error damage(const FoundSegment& segment, FilePosition position, Offset first_lost, const std::string& what) {
  return Error{Errc::kCorrupt, 0,
               segment.path + " is damaged at position " + std::to_string(position.value()) + ": " + what +
                   ". Records from offset " + std::to_string(first_lost.value()) +
                   " on would be lost. Restore the file from a replica or a backup, or start with --force-truncate to "
                   "accept that loss"};
}

class Recovery {
 public:
  Recovery(Disk& disk, const KeyHasher& hasher, Partition& partition, const RecoveryOptions& options,
           RecoveryReport& report)
      : disk_(disk), hasher_(hasher), partition_(partition), options_(options), report_(report) {}

  Result<LogStart> run(const std::string& directory);

 private:
  struct Change {
    KeyHash hash;
    Offset offset;
    bool has_value;
    UnixMillis expires_at;
  };

  Result<void> read_segment(std::vector<FoundSegment>& segments, std::size_t i, LogStart& start);
  Result<void> apply(const BatchView& batch);
  Result<void> judge(std::vector<FoundSegment>& segments, std::size_t i, const Error& reason, LogStart& start);

  Disk& disk_;
  const KeyHasher& hasher_;
  Partition& partition_;
  const RecoveryOptions& options_;
  RecoveryReport& report_;
  Decompressor decompressor_;
  std::vector<Change> changes_;
  std::optional<Offset> clean_end_;
  Offset log_start_ = kFirstOffset;
  FilePosition end_;
  std::int64_t reported_ = 0;
};

Result<void> Recovery::apply(const BatchView& batch) {
  const Offset base = batch.header().base_offset;
  if (batch.header().is_control()) {
    // The one control batch minod writes; others (of Kafka's transactions) concern no key.
    return for_each_record(batch, decompressor_, [&](const RecordView& record) {
      const bool log_start =
          record.key.size() == 4 && load_big<std::int16_t>(as_bytes(record.key).data() + 2) == kLogStartControl;
      if (log_start) {
        partition_.apply_log_start(base);
        log_start_ = base;
      }
      return true;
    });
  }
  changes_.clear();
  auto visited = for_each_record(batch, decompressor_, [&](const RecordView& record) {
    if (!record.has_key) return true;
    const KeyHash hash = hasher_(record.key);
    partition_.index().prefetch(hash);
    changes_.push_back(Change{hash, record.offset, record.has_value, record.expires_at});
    return true;
  });
  if (!visited) return visited;
  for (const Change& change : changes_) {
    partition_.apply(change.hash, change.offset, change.has_value, change.expires_at);
  }
  report_.records += static_cast<std::int64_t>(changes_.size());
  return {};
}

// `i`: the segment with the bad bytes, from end_ on.
Result<void> Recovery::judge(std::vector<FoundSegment>& segments, std::size_t i, const Error& reason, LogStart& start) {
  // Later segments are searched too: one may be there, named or even written, before this one was durable.
  TailFindings findings;
  for (std::size_t later = i; later < segments.size(); ++later) {
    const auto found = search_tail(*segments[later].file, later == i ? end_ : FilePosition(0), start.end);
    if (!found) return found.error();
    findings.whole_batches += found->whole_batches;
    findings.last_offset = std::max(findings.last_offset, found->last_offset);
    findings.durable_upto = std::max(findings.durable_upto, found->durable_upto);
  }
  const bool damaged = judge_tail(findings, start.end, clean_end_) == TailVerdict::kDamage;
  if (damaged && !options_.force_truncate) {
    std::string what = reason.message();
    if (findings.whole_batches != 0) {
      what += "; " + std::to_string(findings.whole_batches) + " whole batches stand behind it, up to offset " +
              std::to_string(findings.last_offset.value());
    }
    return damage(segments[i], end_, start.end, what);
  }
  report_.cuts.push_back(TailCut{segments[i].path, end_, start.end, reason.message(), damaged});
  start.dirty_tail = true;
  return {};
}

Result<void> Recovery::read_segment(std::vector<FoundSegment>& segments, std::size_t i, LogStart& start) {
  FoundSegment& segment = segments[i];
  SegmentReader reader(*segment.file, FilePosition(0), start.end, Epoch{0}, true);
  end_ = FilePosition(0);
  for (;;) {
    const auto batch = reader.next();
    if (!batch) {
      if (batch.error().code == Errc::kIo) return batch.error();
      if (batch.error().code != Errc::kEnd) return judge(segments, i, batch.error(), start);
      break;
    }
    if (auto applied = apply(*batch); !applied) return judge(segments, i, applied.error(), start);
    partition_.placed(batch->header(), segment.base, end_);
    end_ = reader.position();
    start.end = reader.expected();
    start.epoch = std::max(start.epoch, reader.epoch());
    ++report_.batches;
    report_.bytes += batch->header().length;
    if (options_.progress && report_.bytes - reported_ >= kProgressBytes) {
      reported_ = report_.bytes;
      options_.progress(report_);
    }
  }
  const bool last = i + 1 == segments.size();
  if (!last && segments[i + 1].base != start.end) {
    return judge(segments, i,
                 Error{Errc::kTorn, 0,
                       "it ends at offset " + std::to_string(start.end.value()) + ", the next segment begins at " +
                           std::to_string(segments[i + 1].base.value())},
                 start);
  }
  if (last && clean_end_ && *clean_end_ > start.end) {
    return judge(
        segments, i,
        Error{Errc::kCorrupt, 0,
              "the log ended at offset " + std::to_string(clean_end_->value()) + " when minod was last stopped"},
        start);
  }
  return {};
}

Result<LogStart> Recovery::run(const std::string& directory) {
  if (auto swapped = finish_swaps(disk_, directory); !swapped) return swapped.error();
  auto segments = open_segments(disk_, directory);
  if (!segments) return segments.error();
  auto clean_end = read_clean_end(disk_, directory);
  if (!clean_end) return clean_end.error();
  clean_end_ = *clean_end;

  LogStart start;
  start.epoch = Epoch{0};
  if (!segments->empty()) start.end = segments->front().base;
  for (std::size_t i = 0; i < segments->size(); ++i) {
    FoundSegment& segment = (*segments)[i];
    if (!start.dirty_tail) {
      ++report_.segments;
      if (auto read = read_segment(*segments, i, start); !read) return read.error();
      start.segments.push_back(SegmentFile{segment.base, segment.size, end_});
      continue;
    }
    // Behind the cut: never durable, or its loss was accepted.
    segment.file.reset();
    if (auto removed = disk_.remove(segment.path); !removed) return removed.error();
  }
  const auto epochs_read = read_epochs(disk_, directory);
  if (!epochs_read && epochs_read.error().code != Errc::kCorrupt) return epochs_read.error();
  std::vector<EpochStart> epochs = epochs_read ? *epochs_read : std::vector<EpochStart>();
  if (!epochs.empty()) start.epoch = std::max(start.epoch, epochs.back().epoch);
  ++start.epoch.value;
  while (!epochs.empty() && epochs.back().start >= start.end) epochs.pop_back();
  epochs.push_back(EpochStart{start.epoch, start.end});
  if (auto written = write_epochs(disk_, directory, epochs); !written) return written.error();
  // From here on the log grows: an older note would take the next torn tail for damage.
  const auto removed = disk_.remove(directory + "/" + kCleanEndName);
  if (!removed && removed.error().code != Errc::kNotFound) return removed.error();
  if (auto synced = disk_.sync_directory(directory); !synced) return synced.error();
  start.log_start = log_start_;
  return start;
}

}  // namespace

Result<std::int64_t> log_bytes(Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return entries.error();
  std::int64_t bytes = 0;
  for (const DirectoryEntry& entry : *entries) {
    if (!parse_segment_name(entry.name, kLogSuffix)) continue;
    auto file = disk.open(directory + "/" + entry.name, OpenMode::kRead);
    if (!file) return file.error();
    const auto size = (*file)->size_now();
    if (!size) return size.error();
    bytes += *size;
  }
  return bytes;
}

Result<LogStart> recover(Disk& disk, const std::string& directory, const KeyHasher& hasher, Partition& partition,
                         const RecoveryOptions& options, RecoveryReport& report) {
  return Recovery(disk, hasher, partition, options, report).run(directory);
}

Result<void> note_clean_end(Disk& disk, const std::string& directory, Offset end) {
  return replace_file(disk, directory, kCleanEndName, as_bytes(std::to_string(end.value()) + "\n"));
}

}  // namespace minod
