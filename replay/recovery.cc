#include "replay/recovery.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "log/compaction_swap.h"
#include "log/epoch_file.h"
#include "log/segment_name.h"
#include "replay/change_feed.h"
#include "replay/change_source.h"
#include "replay/checkpoint_choice.h"
#include "replay/live_counts.h"
#include "replay/log_bounds.h"
#include "replay/log_recovery.h"
#include "replay/segment_list.h"
#include "replay/torn_tail.h"

namespace minod {

namespace {

constexpr std::size_t kPrefetchDistance = 12;  // changes; what a miss in the index costs, by what one that hits does

std::string hint_path(const FoundSegment& segment) {
  return segment.path.substr(0, segment.path.size() - kLogSuffix.size()) + std::string(kHintSuffix);
}

Error damage(const FoundSegment& segment, FilePosition position, Offset first_lost, const std::string& what) {
  return Error{Errc::kCorrupt, 0,
               segment.path + " is damaged at position " + std::to_string(position.value()) + ": " + what +
                   ". Records from offset " + std::to_string(first_lost.value()) +
                   " on would be lost. Restore the file from a replica or a backup, or start with --force-truncate to "
                   "accept that loss"};
}

}  // namespace

void LogRecovery::report_read(std::int64_t bytes_before) {
  report_.bytes = bytes_before + piece_.bytes;
  if (options_.progress) options_.progress(report_);
}

void LogRecovery::apply_changes(const std::vector<IndexChange>& changes, bool only_newer) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (i + kPrefetchDistance < changes.size()) partition_.index().prefetch(changes[i + kPrefetchDistance].hash());
    const IndexChange& change = changes[i];
    if (only_newer) {
      partition_.apply_if_newer(change.hash(), change.offset(), change.has_value(), change.expires_at());
    } else {
      partition_.apply(change.hash(), change.offset(), change.has_value(), change.expires_at());
    }
  }
}

// Places what comes before the changes; returns how many records there are to apply.
std::int64_t LogRecovery::place(const ChangePiece& piece, Offset segment, Offset next_segment) {
  const ChangeWindow& window = piece.window;
  SegmentCounts& counts = partition_.counts();
  const auto changes = static_cast<std::int64_t>(window.changes.size());
  if (piece.hint && (counts.all().empty() || counts.all().back().base != segment)) {
    counts.restored(SegmentCount{.base = segment, .end = next_segment});
  }
  if (piece.hint) counts.add_records(window.records - changes);  // of these, nothing is left but a log start
  std::int64_t placed = 0;
  std::int64_t to_apply = 0;
  const Offset log_start = window.log_start.value_or(kFirstOffset);
  for (const PlacedBatch& batch : window.batches) {
    if (batch.header.is_control()) continue;
    placed += batch.header.record_count;
    if (batch.header.base_offset >= log_start) to_apply += batch.header.record_count;
  }
  counts.begin_window(placed);
  for (const PlacedBatch& batch : window.batches) {
    if (window.log_start && batch.header.base_offset == log_start) start_log(log_start);
    partition_.placed(batch.header, segment, batch.position);
  }
  if (piece.hint && window.log_start) start_log(log_start);
  if (piece.hint) counts.add_records(changes);
  for (const SegmentPlaces& places : piece.places) {
    counts.describe(places.end.value(), places.last_time);
    partition_.places().restore(places);
  }
  return to_apply;
}

void LogRecovery::start_log(Offset offset) {
  partition_.apply_log_start(offset);
  log_start_ = std::max(log_start_, offset);
}

// `from`: no record of the piece is below.
void LogRecovery::apply(const ChangePiece& piece, Offset segment, Offset next_segment, Offset from) {
  const ChangeWindow& window = piece.window;
  const std::int64_t to_apply = place(piece, segment, next_segment);
  // That ends only a part of what was before; it goes in one pass, when all is read.
  if (window.evicted_below) evicted_below_ = std::max(evicted_below_, *window.evicted_below);
  partition_.index().expect(window.changes.size());
  apply_changes(window.changes, from < checkpoint_end_);
  partition_.counts().end_window(to_apply);
  report_.batches += static_cast<std::int64_t>(window.batches.size());
  report_.records += window.records;
  if (piece.hint) report_.hint_records += window.records;
}

// Values and places from the checkpoint. An error says why it is of no use.
std::optional<Error> LogRecovery::load_checkpoint(ChangeFeed& feed, LogStart& start) {
  const CheckpointHeader& header = checkpoints_.header();
  const std::int64_t bytes_before = report_.bytes;
  partition_.index().expect(checkpoints_.keys());
  LiveCounts live(segments_);
  do {
    piece_ = feed.take(0, std::move(piece_));
    partition_.load(piece_.window.changes);
    live.add(piece_.window.changes, header.begin);
    report_.records += static_cast<std::int64_t>(piece_.window.changes.size());
    report_.checkpoint_records += static_cast<std::int64_t>(piece_.window.changes.size());
    report_read(bytes_before);
  } while (!piece_.stop);
  if (piece_.stop->code != Errc::kEnd) return piece_.stop;
  checkpoint_end_ = piece_.expected;
  checkpoint_bytes_ = piece_.bytes;
  log_start_ = header.log_start;
  auto noted = restore_places(segments_, header, piece_.places, hasher_, partition_.places(), start);
  if (!noted) return noted.error();
  partition_.counts() = live.counts(partition_.places().places(kFirstOffset));
  start.end = header.begin;
  return std::nullopt;
}

// `i`: the segment with the bad bytes, from end_ on.
Result<void> LogRecovery::judge(std::size_t i, const Error& reason, LogStart& start) {
  if (start.end == cut_) {
    report_.cuts.push_back(TailCut{segments_[i].path, end_, start.end, cut_reason_});
    start.dirty_tail = true;
    return {};
  }
  // Later segments are searched too: one may be there, named or even written, before this one was durable.
  TailFindings findings;
  for (std::size_t later = i; later < segments_.size(); ++later) {
    const auto found = search_tail(*segments_[later].file, later == i ? end_ : FilePosition(0), start.end);
    if (!found) return found.error();
    findings.whole_batches += found->whole_batches;
    findings.last_offset = std::max(findings.last_offset, found->last_offset);
    findings.durable_upto = std::max(findings.durable_upto, found->durable_upto);
  }
  // What a follower's batches vouch for was durable at their leader.
  if (followed_) findings.durable_upto = kNoOffset;
  const bool damaged = judge_tail(findings, start.end, clean_end_) == TailVerdict::kDamage;
  if (damaged && !options_.force_truncate) {
    std::string what = reason.message();
    if (findings.whole_batches != 0) {
      what += "; " + std::to_string(findings.whole_batches) + " whole batches stand behind it, up to offset " +
              std::to_string(findings.last_offset.value());
    }
    return damage(segments_[i], end_, start.end, what);
  }
  report_.cuts.push_back(TailCut{segments_[i].path, end_, start.end, reason.message(), damaged});
  start.dirty_tail = true;
  return {};
}

void LogRecovery::note_joints(const ChangePiece& piece) {
  const ChangeWindow& window = piece.window;
  committed_ = std::max(committed_, window.committed);
  if (piece.hint) committed_ = std::max(committed_, piece.expected);  // a hint is written when all of it is
  joints_.insert(joints_.end(), window.joints.begin(), window.joints.end());
  std::erase_if(joints_, [this](const JointBatch& joint) { return joint.begin < committed_; });
}

void LogRecovery::read_source(ChangeFeed& feed, std::size_t source, std::size_t i, LogStart& start) {
  const FoundSegment& segment = segments_[i];
  const Offset next = i + 1 < segments_.size() ? segments_[i + 1].base : kNoOffset;
  const std::int64_t bytes_before = report_.bytes;
  do {
    piece_ = feed.take(source, std::move(piece_));
    if (!piece_.ignored.empty() && bad_hints_.insert(segment.base).second) {
      report_.ignored.push_back(hint_path(segment) + ": " + piece_.ignored);
    }
    apply(piece_, segment.base, next, start.end);
    note_joints(piece_);
    end_ = piece_.end;
    start.end = std::max(start.end, piece_.expected);
    start.epoch = std::max(start.epoch, piece_.epoch);
    report_read(bytes_before);
  } while (!piece_.stop);
}

// What is wrong with the end of segment `i`, which has been read; nothing when the log goes on behind it, or ends well.
std::optional<Error> LogRecovery::wrong_end(std::size_t i, const LogStart& start) const {
  if (piece_.stop->code != Errc::kEnd) return piece_.stop;
  const bool last = i + 1 == segments_.size();
  if (!last && segments_[i + 1].base != start.end) {
    return Error{Errc::kTorn, 0,
                 "it ends at offset " + std::to_string(start.end.value()) + ", the next segment begins at " +
                     std::to_string(segments_[i + 1].base.value())};
  }
  if (last && clean_end_ && *clean_end_ > start.end) {
    return Error{
        Errc::kCorrupt, 0,
        "the log ended at offset " + std::to_string(clean_end_->value()) + " when minod was last started or stopped"};
  }
  return std::nullopt;
}

// What is read, in this order: the checkpoint, then the segments from `first` on, by their hints where there are such.
std::vector<ChangeFeed::Source> LogRecovery::sources(bool from_checkpoint, std::size_t first) {
  std::vector<ChangeFeed::Source> sources;
  if (from_checkpoint) sources.push_back(checkpoint_source(checkpoints_.take_reader()));
  for (std::size_t i = first; i < segments_.size(); ++i) {
    const FoundSegment& segment = segments_[i];
    const bool last = i + 1 == segments_.size();
    const bool whole = cut_ == kNoOffset || (!last && segments_[i + 1].base <= cut_);
    const bool hinted = segment.has_hint && !last && whole && !bad_hints_.contains(segment.base);
    if (from_checkpoint && i == first) {
      const CheckpointHeader& header = checkpoints_.header();
      sources.push_back(scan_source(segment, header.position, header.begin, hasher_, cut_));
    } else if (hinted) {
      sources.push_back(hint_source(disk_, directory_, segment, hasher_, identity_));
    } else {
      sources.push_back(scan_source(segment, FilePosition(0), segment.base, hasher_, cut_));
    }
  }
  return sources;
}

Result<LogRecovery::Pass> LogRecovery::read_log(LogStart& start) {
  const bool from_checkpoint = checkpoints_.choose(segments_, report_.ignored);
  std::size_t first = 0;
  while (from_checkpoint && segments_[first].base != checkpoints_.header().segment) ++first;
  const std::size_t shift = from_checkpoint ? 1 : 0;
  auto feed = std::make_unique<ChangeFeed>(sources(from_checkpoint, first), options_.threads);
  if (from_checkpoint) {
    if (const auto bad = load_checkpoint(*feed, start)) {
      checkpoints_.refuse(bad->message(), report_.ignored);
      return Pass::kAgain;
    }
  }
  for (std::size_t i = first; i < segments_.size(); ++i) {
    const FoundSegment& segment = segments_[i];
    ++report_.segments;
    read_source(*feed, i - first + shift, i, start);
    const auto wrong = wrong_end(i, start);
    if (wrong && wrong->code == Errc::kIo) return *wrong;
    if (wrong && wrong->code == Errc::kUnsupported && segment.has_hint && !bad_hints_.contains(segment.base)) {
      bad_hints_.insert(segment.base);
      report_.ignored.push_back(hint_path(segment) + ": " + wrong->message());
      return Pass::kAgain;
    }
    const bool ends_here = wrong || i + 1 == segments_.size();
    if (from_checkpoint && ends_here && start.end < checkpoint_end_) {
      checkpoints_.refuse("it is newer than the log, which ends at offset " + std::to_string(start.end.value()),
                          report_.ignored);
      return Pass::kAgain;
    }
    if (wrong) {
      feed.reset();
      if (auto judged = judge(i, *wrong, start); !judged) return judged.error();
    }
    start.segments.push_back(SegmentFile{segment.base, segment.size, end_});
    if (wrong) break;
  }
  return Pass::kDone;
}

// What must not be taken for true once the log goes on: segments behind a cut, which were never durable or whose loss
// was accepted, and what was derived from bytes that are gone or that was refused.
Result<void> LogRecovery::remove_useless() {
  std::vector<std::string> paths = checkpoints_.useless(start_.dirty_tail);
  for (const Offset base : bad_hints_) paths.push_back(directory_ + "/" + segment_name(base, kHintSuffix));
  const std::size_t kept = start_.segments.size();
  for (std::size_t i = kept; i < segments_.size(); ++i) paths.push_back(segments_[i].path);
  // The segment that is active now had a hint when a cut made it so.
  for (std::size_t i = kept == 0 ? 0 : kept - 1; i < segments_.size(); ++i) {
    if (segments_[i].has_hint) paths.push_back(hint_path(segments_[i]));
  }
  for (const std::string& path : paths) {
    const auto removed = disk_.remove(path);
    if (!removed && removed.error().code != Errc::kNotFound) return removed;
  }
  return {};
}

// What the small files know of where the log begins and ends.
Result<void> LogRecovery::read_bounds() {
  const auto clean_end = read_clean_end(disk_, directory_);
  if (!clean_end) return clean_end.error();
  auto epochs = read_epochs(disk_, directory_);
  if (!epochs && epochs.error().code != Errc::kCorrupt) return epochs.error();
  if (epochs) epochs_ = std::move(*epochs);
  clean_end_ = known_end(*clean_end, epochs_);
  if (followed_) clean_end_ = followed_->fetches_again ? std::nullopt : std::optional(followed_->committed);
  return {};
}

// A segment that is not there at all: the first one, or all of them. Others are missed by the ones around them.
Result<void> LogRecovery::check_nothing_missing() const {
  const Offset begin = segments_.empty() ? kFirstOffset : segments_.front().base;
  const Offset expected = known_begin(log_start_, epochs_);
  const bool all_missing = segments_.empty() && clean_end_ && *clean_end_ > begin;
  if (options_.force_truncate || (begin <= expected && !all_missing)) return {};
  return missing_segments(directory_, segments_.empty(), begin, expected);
}

// From the beginning, as often as something turns out to be of no use.
Result<void> LogRecovery::read_all() {
  auto segments = open_segments(disk_, directory_);
  if (!segments) return segments.error();
  segments_ = std::move(*segments);
  const RecoveryReport before = report_;
  for (;;) {
    partition_.clear();
    checkpoint_end_ = log_start_ = evicted_below_ = kFirstOffset;
    checkpoint_bytes_ = 0;
    joints_.clear();
    committed_ = followed_ ? followed_->committed : clean_end_.value_or(kFirstOffset);
    start_ = LogStart();
    start_.epoch = Epoch{0};
    if (!segments_.empty()) start_.end = segments_.front().base;
    const auto pass = read_log(start_);
    if (!pass) return pass.error();
    if (*pass == Pass::kDone) break;
    const std::vector<std::string> ignored = std::exchange(report_.ignored, {});
    report_ = before;
    report_.ignored = ignored;
  }
  evicted_ = evicted_below_ > log_start_;
  log_start_ = std::max(log_start_, evicted_below_);
  replayed_bytes_ = report_.bytes - before.bytes - checkpoint_bytes_;
  piece_ = ChangePiece();
  committed_ = std::max(committed_, checkpoint_end_);
  std::erase_if(joints_, [this](const JointBatch& joint) { return joint.begin < committed_; });
  for (FoundSegment& segment : segments_) segment.file.reset();
  return {};
}

LogRecovery::LogRecovery(Disk& disk, std::string directory, const KeyHasher& hasher, Partition& partition,
                         const RecoveryOptions& options, RecoveryReport& report)
    : disk_(disk),
      directory_(std::move(directory)),
      hasher_(hasher),
      partition_(partition),
      options_(options),
      report_(report),
      identity_(identity_of(hasher, options.directory_id, partition.name())),
      checkpoints_(disk, directory_, identity_) {}

Result<void> LogRecovery::read() {
  if (auto swapped = finish_swaps(disk_, directory_); !swapped) return swapped.error();
  if (auto read = read_bounds(); !read) return read.error();
  if (auto read = read_all(); !read) return read;
  return check_nothing_missing();
}

Result<void> LogRecovery::cut_at(Offset end, std::string reason) {
  cut_ = end;
  cut_reason_ = std::move(reason);
  return read_all();
}

}  // namespace minod
