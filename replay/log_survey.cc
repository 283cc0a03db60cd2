#include "replay/log_survey.h"

#include <algorithm>

namespace minod {

namespace {

// The walk that fills a survey.
class Surveyor {
 public:
  Surveyor(LogSurvey& survey, UnixMillis until_time, const std::function<void(std::int64_t)>& progress)
      : survey_(survey), until_time_(until_time), progress_(progress) {}

  LogVisitor visitor() {
    LogVisitor visitor;
    visitor.batch = [this](const LogSegment&, FilePosition, const BatchView& batch) { return take(batch); };
    visitor.record = [this](const BatchHeader& header, const RecordView& record) { return take(header, record); };
    visitor.damage = [this](const LogDamage& damage) {
      if (damage.torn)
        survey_.torn = damage_text(damage);
      else
        failure_ = Error{Errc::kCorrupt, 0, damage_text(damage)};
      return false;
    };
    return visitor;
  }

  const std::optional<Error>& failure() const { return failure_; }
  std::optional<Offset> end_by_time() const { return end_by_time_; }

 private:
  BatchChoice take(const BatchView& batch) {
    const BatchHeader& header = batch.header();
    read_bytes_ += header.length;
    if (progress_) progress_(read_bytes_);
    if (header.last_offset() >= survey_.range.from) {
      survey_.bytes += header.length;
      survey_.records += header.record_count;
    }
    const bool needs_records = header.is_control() || header.max_timestamp >= until_time_;
    return needs_records ? BatchChoice::kRecords : BatchChoice::kSkip;
  }

  bool take(const BatchHeader& header, const RecordView& record) {
    if (record.timestamp >= until_time_) {
      end_by_time_ = record.offset;
      return false;
    }
    const auto start = header.is_control() ? log_start_of(record) : std::nullopt;
    if (start && record.offset >= survey_.range.from) {
      survey_.log_start = std::max(survey_.log_start.value_or(kFirstOffset), *start);
    }
    return true;
  }

  LogSurvey& survey_;
  UnixMillis until_time_;
  const std::function<void(std::int64_t)>& progress_;
  std::int64_t read_bytes_ = 0;
  std::optional<Offset> end_by_time_;
  std::optional<Error> failure_;
};

}  // namespace

Result<LogSurvey> survey_log(Disk& disk, const std::string& directory, const LogRange& wanted, UnixMillis until_time,
                             const std::function<void(std::int64_t)>& progress) {
  LogSurvey survey;
  auto segments = list_segments(disk, directory);
  if (!segments) return segments.error();
  const auto clean_end = read_clean_end(disk, directory);
  if (!clean_end) return clean_end.error();
  survey.segments = std::move(*segments);
  survey.clean_end = *clean_end;
  survey.range = wanted;
  if (survey.segments.empty()) {
    survey.range.until = survey.range.from;
    return survey;
  }
  survey.log_begin = survey.segments.front().base;
  survey.range.from = std::max(wanted.from, survey.log_begin);

  // Time decides where the range ends even when it ends before it begins.
  const LogRange looked_at{until_time == kNeverExpires ? survey.range.from : kFirstOffset, wanted.until};
  Surveyor surveyor(survey, until_time, progress);
  LogWalk walk(disk, looked_at, surveyor.visitor());
  const auto walked = walk.run(survey.segments, survey.clean_end);
  if (!walked) return walked.error();
  if (surveyor.failure()) return *surveyor.failure();
  survey.log_end = surveyor.end_by_time().value_or(std::min(walk.end(), wanted.until));
  survey.range.until = std::max(survey.range.from, std::min(wanted.until, survey.log_end));
  return survey;
}

}  // namespace minod
