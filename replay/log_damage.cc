#include "replay/log_damage.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/crc32c.h"

namespace minod {

namespace {

constexpr std::size_t kWindow = std::size_t{4} << 20;

// Offsets of a following batch are not this far away: segments hold fewer bytes.
constexpr OffsetCount kOffsetsMax{std::int64_t{1} << 31};

bool may_follow(const BatchHeader& header, Offset expected) {
  return header.base_offset >= expected && header.base_offset < expected + kOffsetsMax;
}

Result<std::vector<std::byte>> read_at(File& file, FilePosition position, std::size_t size) {
  std::vector<std::byte> bytes(size);
  const auto read = file.read_now(position, bytes);
  if (!read) return read.error();
  bytes.resize(*read);
  return bytes;
}

// Nothing when it is malformed or passes the end of the file, so that no length is believed further than that.
Result<std::optional<BatchHeader>> header_at(File& file, FilePosition position) {
  const auto bytes = read_at(file, position, kBatchHeaderSize);
  if (!bytes) return bytes.error();
  const auto header = read_batch_header(*bytes);
  if (!header) return std::optional<BatchHeader>();
  const auto size = file.size_now();
  if (!size) return size.error();
  if (header->length > *size - position.value()) return std::optional<BatchHeader>();
  return std::optional<BatchHeader>(*header);
}

// The first whole batch at or behind `from`.
Result<std::optional<FoundBatch>> search(File& file, FilePosition from, Offset expected) {
  const auto size = file.size_now();
  if (!size) return size.error();
  while (*size - from.value() >= static_cast<std::int64_t>(kBatchHeaderSize)) {
    const auto window = read_at(file, from, std::min(kWindow, static_cast<std::size_t>(*size - from.value())));
    if (!window) return window.error();
    if (window->size() < kBatchHeaderSize) break;
    const std::size_t count = window->size() - kBatchHeaderSize + 1;
    for (std::size_t i = 0; i < count; ++i) {
      if ((*window)[i + batch_field::kMagic] != std::byte{kBatchMagic}) continue;
      const auto header = read_batch_header(Bytes(*window).subspan(i));
      if (!header || !may_follow(*header, expected)) continue;
      const FilePosition here = from + ByteCount(static_cast<std::int64_t>(i));
      const auto whole = whole_batch_at(file, here);
      if (!whole) return whole.error();
      if (*whole) return std::optional(FoundBatch{here, **whole});
    }
    from += ByteCount(static_cast<std::int64_t>(count));
  }
  return std::optional<FoundBatch>();
}

}  // namespace

Result<std::optional<BatchHeader>> whole_batch_at(File& file, FilePosition position) {
  auto header = header_at(file, position);
  if (!header || !*header) return header;
  const auto bytes = read_at(file, position, static_cast<std::size_t>((*header)->length));
  if (!bytes) return bytes.error();
  if (!BatchView::open(*bytes)) return std::optional<BatchHeader>();
  return header;
}

Result<LogDamage> examine_damage(File& file, std::string path, FilePosition position, Offset expected,
                                 std::string reason) {
  LogDamage damage{std::move(path), position, expected, std::move(reason)};
  const auto header = header_at(file, position);
  if (!header) return header.error();
  if (*header) {
    const auto bytes = read_at(file, position, static_cast<std::size_t>((*header)->length));
    if (!bytes) return bytes.error();
    const std::uint32_t actual = crc32c(Bytes(*bytes).subspan(batch_field::kAttributes));
    if (actual != (*header)->crc) damage.crc = CrcMismatch{(*header)->crc, actual};
    const FilePosition behind = position + ByteCount((*header)->length);
    const auto next = whole_batch_at(file, behind);
    if (!next) return next.error();
    if (*next && may_follow(**next, expected)) damage.next = FoundBatch{behind, **next};
  }
  if (!damage.next) {
    const auto found = search(file, position + ByteCount(1), expected);
    if (!found) return found.error();
    damage.next = *found;
  }
  const auto size = file.size_now();
  if (!size) return size.error();
  damage.skipped_bytes = (damage.next ? damage.next->position.value() : *size) - position.value();
  return damage;
}

}  // namespace minod
