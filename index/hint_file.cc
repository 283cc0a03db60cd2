#include "index/hint_file.h"

#include "log/reader.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::uint32_t kFormat = 3;

std::string path_of(const std::string& directory, Offset base, std::string_view suffix) {
  return directory + "/" + segment_name(base, suffix);
}

Error useless(Errc code, std::string why) { return Error{code, 0, std::move(why)}; }

}  // namespace

HintWriter::HintWriter(Disk& disk, const std::string& directory, Offset base, const KeyHasher& hasher,
                       const IndexIdentity& identity, bool contiguous)
    : disk_(disk),
      log_path_(path_of(directory, base, kLogSuffix)),
      base_(base),
      hasher_(hasher),
      identity_(identity),
      contiguous_(contiguous),
      file_(disk, directory, segment_name(base, kHintSuffix)),
      files_(base) {}

Result<bool> HintWriter::step() {
  auto done = work();
  if (!done) file_.give_up();
  return done;
}

Result<void> HintWriter::begin() {
  auto log = disk_.open(log_path_, OpenMode::kRead);
  if (!log) return log.error();
  log_ = std::move(*log);
  const auto size = log_->size_now();
  if (!size) return size.error();
  log_size_ = *size;
  scan_ = std::make_unique<SegmentScan>(*log_, base_, FilePosition(0), base_, hasher_, contiguous_);
  builder_.begin(ChunkKind::kHint);
  builder_.put32(kFormat);
  builder_.put(identity_);
  builder_.put(base_);
  builder_.put64(static_cast<std::uint64_t>(log_size_));
  builder_.end();
  return {};
}

Result<bool> HintWriter::work() {
  if (!scan_) {
    if (auto begun = begin(); !begun) return begun.error();
  }
  window_.clear();
  const auto more = scan_->next(window_, kStepChanges);
  if (!more && more.error().code != Errc::kEnd) return more.error();
  for (const PlacedBatch& batch : window_.batches) {
    places_.placed(batch.header, base_, batch.position);
    files_.add(batch.header, batch.position);
  }
  if (window_.log_start || window_.evicted_below || !window_.changes.empty()) builder_.changes(window_);
  if (!more) return finish(more.error());
  if (auto written = file_.append(builder_.take()); !written) return written.error();
  return false;
}

Result<bool> HintWriter::finish(const Error& stop) {
  if (scan_->end().value() != log_size_) {
    return useless(Errc::kCorrupt, log_path_ + " does not end with its last batch: " + stop.detail);
  }
  for (const SegmentPlaces& places : places_.places(base_)) builder_.places(places);
  builder_.begin(ChunkKind::kEnd);
  builder_.end();
  if (auto written = file_.append(builder_.take()); !written) return written.error();
  if (auto published = file_.publish(); !published) return published.error();
  return true;
}

Result<void> write_hint(Disk& disk, const std::string& directory, Offset base, const KeyHasher& hasher,
                        const IndexIdentity& identity, bool contiguous) {
  HintWriter writer(disk, directory, base, hasher, identity, contiguous);
  for (;;) {
    const auto done = writer.step();
    if (!done) return done.error();
    if (*done) return {};
  }
}

Result<bool> ends_as_noted(File& log, const SegmentPlaces& places) {
  SegmentReader reader(log, places.last.position, kFirstOffset, Epoch{0}, false);
  const auto batch = reader.next();
  if (!batch && batch.error().code == Errc::kIo) return batch.error();
  return batch && reader.position() == places.end && batch->header().next_offset() == places.last.next &&
         batch->header().epoch == places.last.epoch && batch->header().crc == places.last.crc;
}

Result<std::unique_ptr<HintReader>> HintReader::open(Disk& disk, const std::string& directory, Offset base, File& log,
                                                     std::int64_t log_size, const IndexIdentity& identity) {
  auto file = disk.open(path_of(directory, base, kHintSuffix), OpenMode::kRead);
  if (!file) return file.error();
  std::unique_ptr<HintReader> reader(new HintReader(std::move(*file), base, log, log_size));
  auto header = reader->chunks_.next();
  if (!header) return header.error();
  if (header->kind() != ChunkKind::kHint || header->take32() != kFormat) {
    return useless(Errc::kInvalid, "it is of another format");
  }
  if (header->take_identity() != identity) return useless(Errc::kInvalid, "it is of another log or hash seed");
  const Offset described = header->take_offset();
  const std::uint64_t size = header->take64();
  if (!header->whole()) return useless(Errc::kInvalid, "it is of another format");
  if (described != base || size != static_cast<std::uint64_t>(log_size)) {
    return useless(Errc::kInvalid, "its segment has changed");
  }
  return reader;
}

Result<void> HintReader::next(ChangeWindow& window) {
  window.clear();
  auto chunk = chunks_.next();
  if (!chunk) return chunk.error();
  if (chunk->kind() == ChunkKind::kChanges) {
    if (!chunk->changes(window)) return useless(Errc::kCorrupt, "its changes contradict themselves");
    for (const IndexChange& change : window.changes) {
      if (change.offset() < base_) return useless(Errc::kCorrupt, "an offset below its segment");
    }
    return {};
  }
  if (chunk->kind() != ChunkKind::kPlaces || !chunk->places(places_) || places_.segment != base_ ||
      places_.end.value() != log_size_) {
    return useless(Errc::kCorrupt, "its places contradict themselves");
  }
  const auto end = chunks_.next();
  if (!end) return end.error();
  if (end->kind() != ChunkKind::kEnd) return useless(Errc::kCorrupt, "it does not end where it should");
  const auto same = ends_as_noted(log_, places_);
  if (!same) return same.error();
  if (!*same) return useless(Errc::kInvalid, "its segment has changed");
  return useless(Errc::kEnd, "all is read");
}

}  // namespace minod
