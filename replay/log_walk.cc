#include "replay/log_walk.h"

#include <algorithm>
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

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Result<void> LogWalk::run(const std::vector<LogSegment>& segments, std::optional<Offset> clean_end) {
  clean_end_ = clean_end;
  for (std::size_t i = 0; i < segments.size() && !stopped_; ++i) {
    const LogSegment& segment = segments[i];
    if (i + 1 < segments.size() && segments[i + 1].base <= range_.from) continue;
    // Compacted by a running minod since it was listed: the one before holds its records now.
    if (i > 0 && segment.base < expected_ && ends_at_a_later_one(segments, i)) continue;
    if (segment.base >= range_.until) return {};
    expected_ = segment.base;
    lost_ = false;
    if (visitor_.segment) visitor_.segment(segment);
    if (const auto read = read_segment(segments, i); !read) return read.error();
  }
  const bool at_end = !stopped_ && !lost_ && !segments.empty() && segments.back().active;
  if (at_end && clean_end_ && *clean_end_ > expected_) {
    return report(
        LogDamage{segments.back().path, FilePosition(segments.back().size), expected_,
                  "the log ended at offset " + std::to_string(clean_end_->value()) + " when minod was last stopped"});
  }
  return {};
}

Result<void> LogWalk::read_segment(const std::vector<LogSegment>& segments, std::size_t i) {
  const bool last = i + 1 == segments.size();
  auto file = disk_.open(segments[i].path, OpenMode::kRead);
  if (!file && file.error().code == Errc::kNotFound) {
    // A running minod has dropped it since it was listed, with everything before it; or has compacted it.
    const auto now = list_segments(disk_, directory_of(segments[i].path));
    if (!now) return now.error();
    if (!now->empty() && now->front().base <= segments[i].base) {
      return Error{Errc::kBusy, 0,
                   segments[i].path + " was compacted by the running node while the log was read; run this again"};
    }
    lost_ = true;
    return {};
  }
  if (!file) return file.error();
  FilePosition position;
  for (;;) {
    SegmentReader reader(**file, position, expected_, epoch_, true);
    std::optional<Error> bad;
    while (!bad) {
      // What lies behind the range is not looked at: damage there is of no concern.
      stopped_ = expected_ >= range_.until;
      if (stopped_) return {};
      const auto batch = reader.next();
      if (!batch) {
        bad = batch.error();
        break;
      }
      if (const auto shown = show(segments[i], position, *batch, reader.position()); !shown) return shown.error();
      if (stopped_) return {};
      position = reader.position();
      expected_ = reader.expected();
      epoch_ = reader.epoch();
    }
    if (bad->code == Errc::kEnd && (last || segments[i + 1].base == expected_ || ends_at_a_later_one(segments, i))) {
      return {};
    }
    if (bad->code == Errc::kEnd) {
      bad =
          Error{Errc::kTorn, 0,
                "the segment ends here, and the next begins at offset " + std::to_string(segments[i + 1].base.value())};
    }
    if (bad->code != Errc::kTorn) return *bad;
    const auto goes_on = resolve(**file, segments, i, position, *bad);
    if (!goes_on) return goes_on.error();
    if (!*goes_on) return {};
  }
}

// What was listed as several segments may be one by now.
bool LogWalk::ends_at_a_later_one(const std::vector<LogSegment>& segments, std::size_t i) const {
  return std::any_of(segments.begin() + static_cast<std::ptrdiff_t>(i) + 1, segments.end(),
                     [this](const LogSegment& later) { return later.base == expected_; });
}

// Reports the bad bytes at `position` and moves it behind them; false when the segment ends with them.
Result<bool> LogWalk::resolve(File& file, const std::vector<LogSegment>& segments, std::size_t i,
                              FilePosition& position, const Error& reason) {
  auto damage = examine_damage(file, segments[i].path, position, expected_, without_position(reason.detail));
  if (!damage) return damage.error();
  const auto torn = is_torn(segments, i, position);
  if (!torn) return torn.error();
  damage->torn = *torn;
  const auto same = disk_.open(segments[i].path, OpenMode::kRead);
  if (!same && same.error().code == Errc::kNotFound) {
    lost_ = true;  // a running minod has dropped the segment since, and may have used its file again
    return false;
  }
  // A running minod may have written here since: batches become durable in order, so what was judged is old then.
  if (SegmentReader(file, position, expected_, epoch_, true).next()) return true;
  if (const auto reported = report(*damage); !reported) return reported.error();
  if (damage->torn) stopped_ = true;
  lost_ = !damage->next.has_value();
  if (stopped_ || lost_) return false;
  position = damage->next->position;
  expected_ = damage->next->header.base_offset;
  epoch_ = damage->next->header.epoch;
  return true;
}

// As a restart judges: by what the batches behind vouch for, in later segments too. Where those are not at hand, it is
// damage.
Result<bool> LogWalk::is_torn(const std::vector<LogSegment>& segments, std::size_t i, FilePosition position) {
  if (!segments.back().active) return false;
  for (std::size_t later = i; later < segments.size(); ++later) {
    const auto file = disk_.open(segments[later].path, OpenMode::kRead);
    if (!file) return file.error();
    const auto found = search_tail(**file, later == i ? position : FilePosition(0), expected_);
    if (!found) return found.error();
    if (judge_tail(*found, expected_, clean_end_) == TailVerdict::kDamage) return false;
  }
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
