#include "tools/dump_run.h"

#include <algorithm>
#include <optional>

#include "tools/dump_json.h"
#include "tools/dump_row.h"
#include "tools/dump_source.h"
#include "tools/dump_text.h"
#include "tools/dump_verify.h"

namespace minod::dump {

namespace {

constexpr std::size_t kValueMax = 64;

class Dump {
 public:
  Dump(Disk& disk, const Options& options, const std::function<bool(const std::string&)>& write)
      : disk_(disk), options_(options), write_(write) {}

  Result<void> walk(const Source& source);
  bool finished() const { return finished_; }
  int exit_code() const;
  void summarise();

 private:
  LogVisitor visitor();
  void begin_segment(const LogSegment& segment);
  Result<void> end_segment();
  BatchChoice take(const LogSegment& segment, FilePosition position, const BatchView& batch);
  bool take(const BatchHeader& header, const RecordView& record);
  void take(const LogDamage& damage);
  void print_record(const BatchHeader& header, const RecordRow& row);
  void line(const std::string& text);
  void counted_line(const std::string& text);
  bool in_time(UnixMillis time) const { return time >= options_.start_time && time < options_.end_time; }
  bool shows_records() const { return options_.mode == Mode::kRecords || options_.mode == Mode::kKeys; }

  Disk& disk_;
  const Options& options_;
  const std::function<bool(const std::string&)>& write_;
  std::optional<SegmentRow> row_;
  std::vector<PlacedBatch> placed_;  // of the segment, for its index files
  FilePosition position_;            // of the batch whose records come
  bool batch_printed_ = false;
  bool heading_printed_ = false;
  bool finished_ = false;
  std::int64_t printed_ = 0;
  std::int64_t segments_ = 0;
  std::int64_t batches_ = 0;
  std::int64_t records_ = 0;
  std::int64_t damages_ = 0;
  std::int64_t torn_ = 0;
};

void Dump::line(const std::string& text) {
  if (!finished_ && !write_(text)) finished_ = true;
}

void Dump::counted_line(const std::string& text) {
  line(text);
  if (options_.limit && ++printed_ >= *options_.limit) finished_ = true;
}

LogVisitor Dump::visitor() {
  LogVisitor visitor;
  visitor.batch = [this](const LogSegment& segment, FilePosition position, const BatchView& batch) {
    return take(segment, position, batch);
  };
  visitor.record = [this](const BatchHeader& header, const RecordView& record) { return take(header, record); };
  visitor.damage = [this](const LogDamage& damage) {
    take(damage);
    return !finished_;
  };
  return visitor;
}

Result<void> Dump::walk(const Source& source) {
  std::optional<Error> failure;
  LogVisitor visitor = this->visitor();
  visitor.segment = [&](const LogSegment& segment) {
    if (const auto ended = end_segment(); !ended && !failure) failure = ended.error();
    begin_segment(segment);
  };
  LogWalk walk(disk_, options_.range, std::move(visitor));
  const auto walked = walk.run(source.segments, source.clean_end);
  const auto ended = end_segment();
  if (failure) return *failure;
  return walked ? ended : walked;
}

void Dump::begin_segment(const LogSegment& segment) {
  row_.emplace();
  row_->segment = segment;
  placed_.clear();
  ++segments_;
}

Result<void> Dump::end_segment() {
  if (!row_ || finished_) return {};
  const bool whole = options_.range.from <= row_->segment.base && row_->damages == 0;
  const bool complete = whole && options_.range.until > row_->last;
  if (options_.mode == Mode::kVerify && complete) {
    const auto damages = check_index_files(disk_, row_->segment, placed_);
    if (!damages) return damages.error();
    for (const LogDamage& damage : *damages) take(damage);
  }
  if (options_.mode == Mode::kSegments) {
    if (!options_.json && !heading_printed_) line(segment_heading());
    heading_printed_ = true;
    counted_line(options_.json ? segment_json(*row_) : segment_line(*row_));
  }
  row_.reset();
  return {};
}

BatchChoice Dump::take(const LogSegment& segment, FilePosition position, const BatchView& batch) {
  if (finished_) return BatchChoice::kStop;
  const BatchHeader& header = batch.header();
  position_ = position;
  batch_printed_ = false;
  ++batches_;
  if (row_->batches++ == 0) row_->first_time = header.base_timestamp;
  row_->last = header.last_offset();
  row_->last_time = std::max(row_->last_time, header.max_timestamp);
  row_->batch_bytes += header.length;
  row_->records += header.record_count;
  if (header.codec() == kCodecNone) ++row_->plain_batches;
  if (options_.mode == Mode::kVerify) placed_.push_back(PlacedBatch{header, position});
  if (options_.mode == Mode::kBatches && header.max_timestamp >= options_.start_time &&
      header.base_timestamp < options_.end_time) {
    const BatchRow row{segment, position, header};
    counted_line(options_.json ? batch_json(row) : batch_line(row));
    if (finished_) return BatchChoice::kStop;
  }
  const bool too_old = header.max_timestamp < options_.start_time;
  const bool wanted = options_.mode == Mode::kVerify || (shows_records() && !too_old);
  return wanted ? BatchChoice::kRecords : BatchChoice::kSkip;
}

bool Dump::take(const BatchHeader& header, const RecordView& record) {
  ++records_;
  if (!shows_records() || !in_time(record.timestamp)) return !finished_;
  auto operation = record.has_value ? Operation::kSet : Operation::kDelete;
  if (header.is_control()) operation = log_start_of(record) ? Operation::kFlush : Operation::kControl;
  const bool has_key = record.has_key && !header.is_control();
  const bool taken = has_key ? options_.keys.takes(record.key) : options_.keys.all();
  if (taken && (has_key || options_.mode == Mode::kRecords)) {
    print_record(header, RecordRow{row_->segment, position_, operation, record});
  }
  return !finished_;
}

void Dump::print_record(const BatchHeader& header, const RecordRow& row) {
  if (options_.mode == Mode::kKeys) {
    counted_line(options_.json ? key_json(row) : quoted(row.record.key) + "\n");
    return;
  }
  if (options_.json) {
    counted_line(record_json(row, options_.value_max));
    return;
  }
  if (!heading_printed_) line(record_heading());
  heading_printed_ = true;
  if (!batch_printed_) line(batch_line(BatchRow{row.segment, row.position, header}));
  batch_printed_ = true;
  counted_line(record_line(row, options_.value_max.value_or(kValueMax)));
}

void Dump::take(const LogDamage& damage) {
  ++(damage.torn ? torn_ : damages_);
  if (row_) {
    if (damage.torn)
      row_->torn = true;
    else
      ++row_->damages;
  }
  line(options_.json ? damage_json(damage) : damage_line(damage));
}

int Dump::exit_code() const {
  if (damages_ != 0) return kExitDamage;
  return torn_ != 0 ? kExitTorn : kExitClean;
}

void Dump::summarise() {
  if (options_.mode != Mode::kVerify || options_.quiet || options_.json) return;
  line(std::to_string(segments_) + " segments, " + std::to_string(batches_) + " batches, " + std::to_string(records_) +
       " records: " +
       (damages_ != 0 ? std::to_string(damages_) + " damaged places"
        : torn_ != 0  ? std::string("no damage, a torn end")
                      : std::string("ok")) +
       "\n");
}

}  // namespace

Result<int> run(Disk& disk, const Options& options, const std::function<bool(const std::string&)>& write) {
  Dump dump(disk, options, write);
  for (const std::string& path : options.paths) {
    const auto sources = find_sources(disk, path, options.db);
    if (!sources) return sources.error();
    for (const Source& source : *sources) {
      if (dump.finished()) break;
      if (const auto walked = dump.walk(source); !walked) return walked.error();
    }
  }
  dump.summarise();
  return dump.exit_code();
}

}  // namespace minod::dump
