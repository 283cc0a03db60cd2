#include "store/topic.h"

#include <algorithm>
#include <utility>

#include "base/diag.h"
#include "log/batch.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::size_t kScanBytes = std::size_t{256} << 10;
constexpr std::size_t kTimeIndexBytesMax = std::size_t{64} << 20;

Error out_of_range(Offset offset, Offset begin, Offset end) {
  return Error{Errc::kNotFound, 0,
               "offset " + std::to_string(offset.value()) + " is out of range: the topic has " +
                   std::to_string(begin.value()) + " to " + std::to_string(end.value())};
}

}  // namespace

Result<std::unique_ptr<Topic>> Topic::open(Disk& disk, const Clock& clock, std::string directory, TopicOptions options,
                                           LogStart start, LogIndex places) {
  std::unique_ptr<Topic> topic(new Topic(disk, clock, std::move(directory), std::move(options), std::move(places)));
  LogOptions log_options;
  log_options.directory = topic->directory_;
  log_options.segment_bytes = topic->options_.segment_bytes;
  log_options.sync = topic->options_.sync;
  log_options.compress = topic->options_.compress;
  auto log = Log::open(disk, clock, std::move(log_options), std::move(start), topic->events());
  if (!log) return log.error();
  topic->log_ = std::move(*log);
  return topic;
}

Topic::~Topic() = default;

LogEvents Topic::events() {
  LogEvents events;
  events.placed = [this](const BatchHeader& batch, Offset segment, FilePosition position) {
    places_.placed(batch, segment, position);
  };
  events.released = [this] { on_moved(); };
  events.sealed = [this](Offset segment) { write_index_files(segment); };
  events.trimmed = [this](Offset first) {
    places_.drop_before(first);
    on_moved();
  };
  events.room = [this] { on_moved(); };
  events.failed = [this](const Error& error) { on_failed(error); };
  return events;
}

void Topic::start() {
  // A crash may have come between a seal and the index files.
  for (const auto& [base, segment] : log_->segments()) {
    if (segment.sealed) write_index_files(base);
  }
  log_->start();
}

// Nothing that is in flight will ever complete.
void Topic::abandon() {
  log_->abandon();
  jobs_ = 0;
}

void Topic::run(std::function<Result<void>()> job, std::function<void(Result<void>)> done) {
  ++jobs_;
  auto result = std::make_shared<Result<void>>();
  disk_.run_aside([result, job = std::move(job)] { *result = job(); },
                  [this, result, done = std::move(done)] {
                    --jobs_;
                    done(*result);
                  });
}

void Topic::write_index_files(Offset segment) {
  auto files = places_.take_files(segment);
  if (!files) return;
  run(
      [this, segment, files = std::move(*files)]() -> Result<void> {
        const auto offsets = replace_file(disk_, directory_, segment_name(segment, kIndexSuffix), files.offset_index());
        if (!offsets) return offsets;
        return replace_file(disk_, directory_, segment_name(segment, kTimeIndexSuffix), files.time_index());
      },
      [](const Result<void>& written) {
        // Without it a search by time reads the segment from its start.
        if (!written) diag::warning("an index file was not written: " + written.error().message());
      });
}

// ---- reading

void Topic::read(Offset from, std::size_t bytes_max, ReadDone done) {
  if (from < begin() || from > end()) return done(out_of_range(from, begin(), end()));
  if (from == end()) return done(TopicBatches{nullptr, {}, from});
  const auto place = places_.find(from);
  if (!place || !log_->segments().contains(place->segment)) return done(out_of_range(from, begin(), end()));
  read_at(place->segment, place->begin, from, bytes_max, std::move(done));
}

void Topic::read_at(Offset segment, FilePosition position, Offset from, std::size_t size, ReadDone done) {
  const FilePosition segment_end = log_->segment_end(segment);
  const std::int64_t wanted =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(size), kBatchHeaderSize, kBatchSizeMax);
  const FilePosition read_end = std::min(position + ByteCount(wanted), segment_end);
  if (read_end <= position) return done(out_of_range(from, begin(), end()));
  ++jobs_;
  log_->read(
      segment, position, read_end,
      [this, segment, position, from, size, segment_end,
       done = std::move(done)](const Result<std::shared_ptr<Log::Block>>& block) {
        --jobs_;
        if (!block) return done(block.error());
        const Found found = find_batches((*block)->bytes, from);
        const FilePosition here = position + ByteCount(static_cast<std::int64_t>(found.passed));
        if (!found.batches.empty()) return done(TopicBatches{*block, found.batches, found.next});
        // The batch goes on behind what was read.
        if (found.failure && found.failure->code != Errc::kTorn) return done(*found.failure);
        if (here + ByteCount(found.need) > segment_end || (found.passed == 0 && found.need == 0)) {
          return done(Error{Errc::kCorrupt, 0,
                            "the batch with offset " + std::to_string(from.value()) + " is not where the index says"});
        }
        read_at(segment, here, from, std::max(size, static_cast<std::size_t>(found.need)), done);
      });
  disk_.submit();
}

// The whole batches from the one with `from` on, up to end(). Behind end() anything may stand: it is not written yet.
Topic::Found Topic::find_batches(Bytes bytes, Offset from) const {
  Found found;
  found.next = from;
  while (found.next < end()) {
    const Bytes rest = bytes.subspan(found.passed + found.batches.size());
    const auto batch = BatchView::open(rest);
    if (!batch) {
      found.failure = batch.error();
      if (const auto header = read_batch_header(rest)) found.need = header->length;
      if (rest.size() < kBatchHeaderSize) found.need = kBatchHeaderSize;
      return found;
    }
    const std::size_t size = batch->bytes().size();
    if (batch->header().last_offset() < from) {
      found.passed += size;
      continue;
    }
    if (batch->header().next_offset() > end()) return found;
    found.batches = bytes.subspan(found.passed, found.batches.size() + size);
    found.next = batch->header().next_offset();
  }
  return found;
}

// ---- by time

void Topic::find_time(UnixMillis time, FindDone done) {
  for (const auto& [base, segment] : log_->segments()) {
    const auto next = std::next(log_->segments().find(base));
    const bool gone = next != log_->segments().end() && next->first <= begin();
    if (gone || places_.last_time(base) < time) continue;
    const Offset floor = std::max(base, begin());
    if (!segment.sealed) return scan_for_time(time, floor, std::move(done));
    // The index names batches whose timestamps ascend: none before the last that is too old has a record to find.
    auto from = std::make_shared<Offset>(floor);
    run(
        [this, from, base = base, time]() -> Result<void> {
          const auto text =
              read_file(disk_, directory_ + "/" + segment_name(base, kTimeIndexSuffix), kTimeIndexBytesMax);
          if (!text) return text.error();
          if (const auto before = last_offset_before(as_bytes(*text), base, time)) {
            *from = std::max(*from, *before + OffsetCount(1));
          }
          return {};
        },
        [this, from, time, done = std::move(done)](const Result<void>& read) {
          if (!read && read.error().code != Errc::kNotFound) return done(read.error());
          scan_for_time(time, std::max(*from, begin()), done);
        });
    return;
  }
  done(std::optional<Offset>());
}

void Topic::scan_for_time(UnixMillis time, Offset from, FindDone done) {
  read(from, kScanBytes, [this, time, from, done = std::move(done)](const Result<TopicBatches>& batches) {
    if (!batches) return done(batches.error());
    if (const auto found = first_at(time, batches->bytes)) return done(std::optional(std::max(*found, from)));
    if (batches->next >= end() || batches->next == from) return done(std::optional<Offset>());
    scan_for_time(time, batches->next, done);
  });
}

std::optional<Offset> Topic::first_at(UnixMillis time, Bytes batches) {
  std::optional<Offset> found;
  while (!batches.empty() && !found) {
    const auto batch = BatchView::open(batches);
    if (!batch) return std::nullopt;
    batches = batches.subspan(batch->bytes().size());
    if (batch->header().is_control() || batch->header().max_timestamp < time) continue;
    const auto visited = for_each_record(*batch, decompressor_, [&](const RecordView& record) {
      if (record.timestamp >= time && record.offset >= begin()) found = record.offset;
      return !found;
    });
    if (!visited) return std::nullopt;
  }
  return found;
}

// ---- retention

void Topic::apply_retention() {
  if (log_->failure() != nullptr) return;
  std::vector<RetainedSegment> segments;
  for (const auto& [base, segment] : log_->segments()) {
    const auto next = std::next(log_->segments().find(base));
    if (next != log_->segments().end() && next->first <= begin()) continue;  // on its way out
    // Of what is not known the age is not, either.
    const UnixMillis newest = places_.last_time(base);
    segments.push_back({base, segment.end.value(), newest > UnixMillis(0) ? newest : clock_.now()});
  }
  std::size_t count = count_to_drop(segments, options_.retention, clock_.now());
  while (count > 0 && !log_->segments().at(segments[count - 1].base).sealed) --count;
  if (count == 0 || log_->make_room(Log::record_bytes(0), true) != Log::Room::kYes) return;
  log_->append_log_start(clock_.now(), segments[count].base);
}

}  // namespace minod
