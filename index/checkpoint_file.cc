#include "index/checkpoint_file.h"

namespace minod {

namespace {

constexpr std::uint32_t kFormat = 3;
constexpr std::size_t kEndSize = kChunkHeaderSize + 2 * sizeof(std::uint64_t);

Error useless(Errc code, std::string why) { return Error{code, 0, std::move(why)}; }

}  // namespace

void put_header(ChunkBuilder& builder, const CheckpointHeader& header) {
  builder.begin(ChunkKind::kCheckpoint);
  builder.put32(kFormat);
  builder.put(header.identity);
  builder.put(header.begin);
  builder.put(header.segment);
  builder.put64(static_cast<std::uint64_t>(header.position.value()));
  builder.put(header.log_start);
  builder.end();
}

void put_end(ChunkBuilder& builder, Offset end, std::uint64_t changes) {
  builder.begin(ChunkKind::kEnd);
  builder.put(end);
  builder.put64(changes);
  builder.end();
}

Result<std::unique_ptr<CheckpointReader>> CheckpointReader::open(Disk& disk, const std::string& path,
                                                                 const IndexIdentity& identity) {
  auto file = disk.open(path, OpenMode::kRead);
  if (!file) return file.error();
  std::unique_ptr<CheckpointReader> reader(new CheckpointReader(std::move(*file)));
  auto chunk = reader->chunks_.next();
  if (!chunk) return chunk.error();
  if (chunk->kind() != ChunkKind::kCheckpoint || chunk->take32() != kFormat) {
    return useless(Errc::kInvalid, "it is of another format");
  }
  CheckpointHeader& header = reader->header_;
  header.identity = chunk->take_identity();
  header.begin = chunk->take_offset();
  header.segment = chunk->take_offset();
  header.position = FilePosition(static_cast<std::int64_t>(chunk->take64()));
  header.log_start = chunk->take_offset();
  if (!chunk->whole()) return useless(Errc::kInvalid, "it is of another format");
  if (header.identity != identity) return useless(Errc::kInvalid, "it is of another log or hash seed");
  std::array<std::byte, kEndSize> tail;
  auto last = last_chunk(*reader->file_, tail);
  if (!last) return last.error();
  reader->end_ = last->take_offset();
  reader->changes_ = last->take64();
  const auto size = reader->file_->size_now();
  if (!size) return size.error();
  if (last->kind() != ChunkKind::kEnd || !last->whole() || reader->end_ < header.begin ||
      reader->changes_ > static_cast<std::uint64_t>(*size) || header.segment < kFirstOffset ||
      header.begin < header.segment || header.log_start < kFirstOffset || header.log_start > header.begin ||
      header.position < FilePosition(0)) {
    return useless(Errc::kCorrupt, "its header and its end contradict each other");
  }
  return reader;
}

Result<void> CheckpointReader::next(ChangeWindow& window) {
  window.clear();
  for (;;) {
    auto chunk = chunks_.next();
    if (!chunk) return chunk.error();
    if (chunk->kind() == ChunkKind::kChanges) {
      if (!chunk->changes(window) || window.log_start || window.evicted_below) {
        return useless(Errc::kCorrupt, "its changes contradict themselves");
      }
      changes_read_ += window.changes.size();
      return {};
    }
    if (chunk->kind() == ChunkKind::kPlaces) {
      SegmentPlaces places;
      if (!chunk->places(places)) {
        return useless(Errc::kCorrupt, "its places contradict themselves");
      }
      places_.push_back(std::move(places));
      continue;
    }
    if (chunk->kind() != ChunkKind::kEnd || changes_read_ != changes_) {
      return useless(Errc::kCorrupt, "it does not end where it should");
    }
    return useless(Errc::kEnd, "all is read");
  }
}

}  // namespace minod
