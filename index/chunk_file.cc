#include "index/chunk_file.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "index/hash_index.h"

namespace minod {

namespace {

constexpr std::uint32_t kMagic = 0x6b68636d;           // "mchk"
constexpr std::size_t kHeaderSize = kChunkHeaderSize;  // magic, kind, size, CRC
constexpr std::size_t kCrcPlace = 12;
constexpr std::size_t kReadSize = std::size_t{2} << 20;

// The 48 bits of the hash's low word that a slot of the index keeps; the others of the field are flags.
constexpr std::uint64_t kLowMask = (std::uint64_t{1} << 48) - 1;
constexpr std::uint64_t kTombstone = std::uint64_t{1} << 48;
constexpr std::uint64_t kExpires = std::uint64_t{1} << 49;
constexpr std::size_t kChangeSize = 24;
constexpr std::size_t kPlaceSize = 8;
constexpr std::uint64_t kRecordsMax = std::uint64_t{1} << 31;  // of a segment: Kafka's indexes count them in 31 bits

std::uint32_t crc_of(Bytes chunk) { return crc32c(chunk.subspan(kHeaderSize), crc32c(chunk.first(kCrcPlace))); }

bool is_in_range(Offset offset) { return offset >= kFirstOffset && offset.value() < HashIndex::kOffsetLimit; }

Error refused(std::string detail) { return Error{Errc::kCorrupt, 0, std::move(detail)}; }

}  // namespace

IndexIdentity identity_of(const KeyHasher& hasher, std::string_view directory_id, std::string_view log_name) {
  std::string log = "minod log ";
  log += directory_id;
  log += '/';
  log += log_name;
  return {hasher(log), hasher("minod seed")};
}

void ChunkBuilder::begin(ChunkKind kind) {
  chunk_ = bytes_.size();
  put32(kMagic);
  put32(static_cast<std::uint32_t>(kind));
  put64(0);
}

void ChunkBuilder::put32(std::uint32_t value) {
  const std::size_t at = bytes_.size();
  bytes_.resize(at + sizeof value);
  store_little(bytes_.data() + at, value);
}

void ChunkBuilder::put64(std::uint64_t value) {
  const std::size_t at = bytes_.size();
  bytes_.resize(at + sizeof value);
  store_little(bytes_.data() + at, value);
}

void ChunkBuilder::put(KeyHash hash) {
  put64(hash.high);
  put64(hash.low);
}

void ChunkBuilder::put(const IndexIdentity& identity) {
  put(identity.log);
  put(identity.seed);
}

void ChunkBuilder::end() {
  const std::size_t size = bytes_.size() - chunk_;
  check(size <= kChunkSizeMax, "a chunk stays within kChunkSizeMax");
  store_little(bytes_.data() + chunk_ + 8, static_cast<std::uint32_t>(size));
  store_little(bytes_.data() + chunk_ + kCrcPlace, crc_of(Bytes(bytes_).subspan(chunk_)));
}

void ChunkBuilder::changes(const ChangeWindow& window) {
  begin(ChunkKind::kChanges);
  put(window.log_start.value_or(kNoOffset));
  put(window.evicted_below.value_or(kNoOffset));
  put64(static_cast<std::uint64_t>(window.records));
  put64(window.changes.size());
  std::size_t at = bytes_.size();
  bytes_.resize(at + window.changes.size() * kChangeSize);
  for (const IndexChange& change : window.changes) {
    const bool expires = change.expires_at() != kNeverExpires;
    const std::uint64_t flags = (change.has_value() ? 0 : kTombstone) | (expires ? kExpires : 0);
    std::byte* const to = bytes_.data() + at;
    store_little(to, change.hash().high);
    store_little(to + 8, (change.hash().low & kLowMask) | flags);
    store_little(to + 16, static_cast<std::uint64_t>(change.offset().value()));
    at += kChangeSize;
  }
  for (const IndexChange& change : window.changes) {
    if (change.expires_at() != kNeverExpires) put64(static_cast<std::uint64_t>(change.expires_at().value()));
  }
  end();
}

void ChunkBuilder::places(const SegmentPlaces& places) {
  begin(ChunkKind::kPlaces);
  put(places.segment);
  put64(static_cast<std::uint64_t>(places.end.value()));
  put64(static_cast<std::uint64_t>(places.last.position.value()));
  put(places.last.next);
  put32(static_cast<std::uint32_t>(places.last.epoch.value));
  put32(places.last.crc);
  put64(static_cast<std::uint64_t>(places.records));
  put64(static_cast<std::uint64_t>(places.last_time.value()));
  put64(places.entries.size());
  for (const OffsetIndex::Entry& entry : places.entries) {
    put32(entry.relative_offset);
    put32(entry.position);
  }
  end();
}

std::uint32_t ChunkView::take32() {
  if (rest_.size() < 4) {
    bad_ = true;
    return 0;
  }
  const auto value = load_little<std::uint32_t>(rest_.data());
  rest_ = rest_.subspan(4);
  return value;
}

std::uint64_t ChunkView::take64() {
  if (rest_.size() < 8) {
    bad_ = true;
    return 0;
  }
  const auto value = load_little<std::uint64_t>(rest_.data());
  rest_ = rest_.subspan(8);
  return value;
}

KeyHash ChunkView::take_hash() {
  const std::uint64_t high = take64();
  return {high, take64()};
}

IndexIdentity ChunkView::take_identity() {
  const KeyHash log = take_hash();
  return {log, take_hash()};
}

bool ChunkView::changes(ChangeWindow& window) {
  const Offset log_start = take_offset();
  const Offset evicted_below = take_offset();
  const std::uint64_t records = take64();
  const std::uint64_t count = take64();
  if (bad_ || count > rest_.size() / kChangeSize || records > kRecordsMax) return false;
  const auto is_offset = [](Offset offset) { return offset == kNoOffset || is_in_range(offset); };
  if (!is_offset(log_start) || !is_offset(evicted_below)) return false;
  if (log_start != kNoOffset) window.log_start = log_start;
  if (evicted_below != kNoOffset) window.evicted_below = evicted_below;
  window.records += static_cast<std::int64_t>(records);
  const Bytes encoded = rest_.first(static_cast<std::size_t>(count) * kChangeSize);
  rest_ = rest_.subspan(encoded.size());
  const std::size_t before = window.changes.size();
  window.changes.resize(before + static_cast<std::size_t>(count));
  IndexChange* to = window.changes.data() + before;
  for (const std::byte* at = encoded.data(); at != encoded.data() + encoded.size(); at += kChangeSize) {
    const auto low = load_little<std::uint64_t>(at + 8);
    const auto offset = load_little<std::uint64_t>(at + 16);
    if (!is_in_range(Offset(static_cast<std::int64_t>(offset)))) return false;
    const UnixMillis expires_at =
        (low & kExpires) == 0 ? kNeverExpires : UnixMillis(static_cast<std::int64_t>(take64()));
    *to++ = IndexChange(KeyHash{load_little<std::uint64_t>(at), low & kLowMask},
                        Offset(static_cast<std::int64_t>(offset)), (low & kTombstone) == 0, expires_at);
  }
  return whole();
}

bool ChunkView::places(SegmentPlaces& places) {
  places.segment = take_offset();
  places.end = FilePosition(static_cast<std::int64_t>(take64()));
  places.last.position = FilePosition(static_cast<std::int64_t>(take64()));
  places.last.next = take_offset();
  places.last.epoch = Epoch{static_cast<std::int32_t>(take32())};
  places.last.crc = take32();
  places.records = static_cast<std::int64_t>(take64());
  places.last_time = UnixMillis(static_cast<std::int64_t>(take64()));
  const std::uint64_t count = take64();
  if (bad_ || count > rest_.size() / kPlaceSize) return false;
  const bool contradictory = !is_in_range(places.segment) || !is_in_range(places.last.next) ||
                             places.last.next < places.segment || places.last.position < FilePosition(0) ||
                             places.end < places.last.position || places.records < 0 ||
                             static_cast<std::uint64_t>(places.records) > kRecordsMax;
  if (contradictory) return false;
  places.entries.clear();
  places.entries.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint32_t relative = take32();
    const std::uint32_t position = take32();
    const bool ascends =
        i == 0 || (relative > places.entries.back().relative_offset && position > places.entries.back().position);
    if (!ascends || position >= static_cast<std::uint64_t>(places.end.value())) return false;
    places.entries.push_back({relative, position});
  }
  return whole();
}

Result<bool> ChunkReader::ensure(std::size_t size) {
  while (end_ - begin_ < size) {
    const std::size_t kept = end_ - begin_;
    const std::size_t wanted = align_up(kept) + align_up(std::max(size - kept, kReadSize));
    // What is kept is moved so that it ends at a block's border: whole blocks are read behind it.
    const std::size_t border = align_up(kept);
    if (buffer_.size() < wanted) {
      AlignedBuffer larger(wanted);
      if (kept != 0) std::memcpy(larger.data() + border - kept, buffer_.data() + begin_, kept);
      buffer_ = std::move(larger);
    } else if (kept != 0) {
      std::memmove(buffer_.data() + border - kept, buffer_.data() + begin_, kept);
    }
    begin_ = border - kept;
    const MutableBytes into = buffer_.span().subspan(border, wanted - border);
    const auto count = file_.read_now(FilePosition(position_), into);
    if (!count) return count.error();
    end_ = border + *count;
    position_ += static_cast<std::int64_t>(*count);
    if (*count < into.size()) return end_ - begin_ >= size;
  }
  return true;
}

Result<ChunkView> last_chunk(File& file, MutableBytes into) {
  const auto size = file.size_now();
  if (!size) return size.error();
  if (*size < static_cast<std::int64_t>(into.size())) return refused("it is too short");
  const auto count = file.read_now(FilePosition(*size - static_cast<std::int64_t>(into.size())), into);
  if (!count) return count.error();
  const bool whole = *count == into.size() && load_little<std::uint32_t>(into.data()) == kMagic &&
                     load_little<std::uint32_t>(into.data() + 8) == into.size() &&
                     crc_of(into) == load_little<std::uint32_t>(into.data() + kCrcPlace);
  if (!whole) return refused("it does not end where it should");
  return ChunkView(static_cast<ChunkKind>(load_little<std::uint32_t>(into.data() + 4)), into.subspan(kHeaderSize));
}

Result<ChunkView> ChunkReader::next() {
  auto there = ensure(kHeaderSize);
  if (!there) return there.error();
  if (!*there) return refused("it ends without its last chunk");
  const std::byte* header = buffer_.data() + begin_;
  const auto size = std::size_t{load_little<std::uint32_t>(header + 8)};
  if (load_little<std::uint32_t>(header) != kMagic || size < kHeaderSize || size > kChunkSizeMax) {
    return refused("bytes that are no chunk");
  }
  there = ensure(size);
  if (!there) return there.error();
  if (!*there) return refused("a chunk is cut short");
  const Bytes chunk = std::as_const(buffer_).span().subspan(begin_, size);
  if (crc_of(chunk) != load_little<std::uint32_t>(chunk.data() + kCrcPlace)) return refused("a chunk's CRC is wrong");
  begin_ += size;
  return ChunkView(static_cast<ChunkKind>(load_little<std::uint32_t>(chunk.data() + 4)), chunk.subspan(kHeaderSize));
}

Result<void> ReplacedFile::append(Bytes bytes) {
  if (!file_) {
    auto file = disk_.open(temporary(), OpenMode::kCreate);
    if (!file) return file.error();
    file_ = std::move(*file);
  }
  unwritten_.insert(unwritten_.end(), bytes.begin(), bytes.end());
  const std::size_t size = align_down(unwritten_.size());
  if (size == 0) return {};
  if (auto written = file_->write_now(FilePosition(size_), Bytes(unwritten_).first(size)); !written) return written;
  size_ += static_cast<std::int64_t>(size);
  unwritten_.erase(unwritten_.begin(), unwritten_.begin() + static_cast<std::ptrdiff_t>(size));
  return {};
}

Result<void> ReplacedFile::publish() {
  check(file_ != nullptr, "a file that is published has been written");
  if (auto written = file_->write_now(FilePosition(size_), unwritten_); !written) return written;
  if (auto synced = file_->sync_now(); !synced) return synced;
  file_.reset();
  if (auto renamed = disk_.rename(temporary(), path_); !renamed) return renamed;
  return disk_.sync_directory(directory_);
}

void ReplacedFile::give_up() {
  file_.reset();
  (void)disk_.remove(temporary());  // what stays is overwritten by the next one
}

}  // namespace minod
