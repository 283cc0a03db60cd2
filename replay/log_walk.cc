#include "replay/log_walk.h"

#include <cstdio>
#include <string>

#include "base/endian.h"
#include "replay/torn_tail.h"

namespace minod {

namespace {

// The reader names the position, and so does everything that is said about damage.
std::string without_position(const std::string& detail) {
  const std::size_t colon = detail.find(": ");
  return detail.starts_with("at byte ") && colon != std::string::npos ? detail.substr(colon + 2) : detail;
}

}  // namespace

Result<void> LogWalk::run(const std::vector<LogSegment>& segments, std::optional<Offset> clean_end) {
  clean_end_ = clean_end;
  bool begun = false;
  for (std::size_t i = 0; i < segments.size() && !stopped_; ++i) {
    const LogSegment& segment = segments[i];
    if (i + 1 < segments.size() && segments[i + 1].base <= range_.from) continue;
    if (segment.base >= range_.until) return {};
    if (begun && !lost_ && segment.base != expected_) {
      LogDamage gap{segment.path, FilePosition(0), expected_, "the segment should begin at this offset"};
      // The segment was only named so far; what comes before it was not written.
      gap.torn = segments[i - 1].newest && segment.base > expected_;
      if (const auto reported = report(gap); !reported || stopped_ || gap.torn) return reported;
    }
    expected_ = segment.base;
    begun = true;
    lost_ = false;
    if (visitor_.segment) visitor_.segment(segment);
    if (const auto read = read_segment(segment); !read) return read.error();
  }
  const bool at_end = !stopped_ && !lost_ && begun && segments.back().active;
  if (at_end && clean_end_ && *clean_end_ > expected_) {
    return report(
        LogDamage{segments.back().path, FilePosition(segments.back().size), expected_,
                  "the log ended at offset " + std::to_string(clean_end_->value()) + " when minod was last stopped"});
  }
  return {};
}

Result<void> LogWalk::read_segment(const LogSegment& segment) {
  auto file = disk_.open(segment.path, OpenMode::kRead);
  if (!file) return file.error();
  FilePosition position;
  for (;;) {
    SegmentReader reader(**file, position, expected_, epoch_, true);
    std::optional<Error> bad;
    while (!stopped_ && !bad) {
      const auto batch = reader.next();
      if (!batch) {
        bad = batch.error();
        break;
      }
      if (const auto shown = show(segment, position, *batch, reader.position()); !shown) return shown.error();
      if (stopped_) return {};
      position = reader.position();
      expected_ = reader.expected();
      epoch_ = reader.epoch();
    }
    if (stopped_ || bad->code == Errc::kEnd) return {};
    if (bad->code != Errc::kTorn) return *bad;
    const auto goes_on = resolve(**file, segment, position, *bad);
    if (!goes_on) return goes_on.error();
    if (!*goes_on) return {};
  }
}

// Reports the bad bytes at `position` and moves it behind them; false when the segment ends with them.
Result<bool> LogWalk::resolve(File& file, const LogSegment& segment, FilePosition& position, const Error& reason) {
  auto damage = examine_damage(file, segment.path, position, expected_, without_position(reason.detail));
  if (!damage) return damage.error();
  if (segment.newest) {
    const auto findings = search_tail(file, position, expected_);
    if (!findings) return findings.error();
    damage->torn = judge_tail(*findings, expected_, clean_end_) == TailVerdict::kTorn;
    // A running minod may have written here since: batches are durable in order, so then all of it is whole now.
    if (SegmentReader(file, position, expected_, epoch_, true).next()) return true;
  }
  if (const auto reported = report(*damage); !reported) return reported.error();
  if (damage->torn) stopped_ = true;
  lost_ = !damage->next.has_value();
  if (stopped_ || lost_) return false;
  position = damage->next->position;
  expected_ = damage->next->header.base_offset;
  epoch_ = damage->next->header.epoch;
  return true;
}

Result<void> LogWalk::show(const LogSegment& segment, FilePosition position, const BatchView& batch,
                           FilePosition behind) {
  const BatchHeader& header = batch.header();
  if (header.base_offset >= range_.until) stopped_ = true;
  if (stopped_ || header.last_offset() < range_.from) return {};
  const BatchChoice choice = visitor_.batch ? visitor_.batch(segment, position, batch) : BatchChoice::kRecords;
  if (choice == BatchChoice::kStop) stopped_ = true;
  if (choice != BatchChoice::kRecords || !visitor_.record) return {};
  const auto visited = for_each_record(batch, decompressor_, [&](const RecordView& record) {
    if (record.offset < range_.from) return true;
    stopped_ = record.offset >= range_.until || !visitor_.record(header, record);
    return !stopped_;
  });
  if (visited) return {};
  LogDamage undecodable{segment.path, position, header.base_offset, visited.error().detail};
  undecodable.skipped_bytes = (behind - position).value();
  return report(undecodable);
}

Result<void> LogWalk::report(const LogDamage& damage) {
  if (visitor_.damage) {
    if (!visitor_.damage(damage)) stopped_ = true;
    return {};
  }
  if (!damage.torn) return Error{Errc::kCorrupt, 0, damage_text(damage)};
  stopped_ = true;
  return {};
}

std::optional<Offset> log_start_of(const RecordView& control_record) {
  if (control_record.key.size() != 4 || control_record.value.size() < 10) return std::nullopt;
  if (load_big<std::int16_t>(as_bytes(control_record.key).data() + 2) != kLogStartControl) return std::nullopt;
  return Offset(load_big<std::int64_t>(as_bytes(control_record.value).data() + 2));
}

std::string damage_text(const LogDamage& damage) {
  std::string text = damage.file + " at " + std::to_string(damage.position.value()) + " (offset " +
                     std::to_string(damage.expected.value()) + "): " + damage.reason;
  if (damage.crc) {
    char crc[64];
    std::snprintf(crc, sizeof crc, ": expected %08x, computed %08x", damage.crc->expected, damage.crc->actual);
    text += crc;
  }
  if (damage.torn) {
    text += "; a write that did not finish, nothing acknowledged is lost";
    if (damage.next)
      text += "; a restart also cuts the whole batch at " + std::to_string(damage.next->position.value());
    return text;
  }
  if (damage.next) {
    text += "; next batch at " + std::to_string(damage.next->position.value()) + " (offset " +
            std::to_string(damage.next->header.base_offset.value()) + ")";
  }
  if (damage.skipped_bytes != 0) text += "; " + std::to_string(damage.skipped_bytes) + " bytes skipped";
  return text;
}

}  // namespace minod
