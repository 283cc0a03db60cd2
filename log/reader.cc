#include "log/reader.h"

#include <algorithm>
#include <cstring>

namespace minod {

namespace {

// Large enough that the device's latency does not count, small enough that the CRC finds the bytes in the cache.
constexpr std::size_t kChunkSize = 2 * 1024 * 1024;

// A buffer that one great batch made this many times too large is given back.
constexpr std::size_t kBufferSlack = 4;

bool all_zero(Bytes bytes) {
  if (bytes.empty()) return true;
  return bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

std::size_t place_in_block(FilePosition position) { return static_cast<std::size_t>(position.value()) % kIoAlignment; }

}  // namespace

SegmentReader::SegmentReader(File& file, FilePosition position, Offset expected, Epoch epoch_min, bool contiguous)
    : file_(file),
      position_(position),
      expected_(expected),
      epoch_(epoch_min),
      contiguous_(contiguous),
      begin_(place_in_block(position)) {}

Result<BatchView> SegmentReader::next() {
  auto batch = BatchView::open(window());
  if (!batch && batch.error().code == Errc::kTorn) {
    if (auto filled = fill_batch(); !filled) return filled.error();
    batch = BatchView::open(window());
  }
  if (!batch) return no_batch(batch.error().detail);
  const BatchHeader& header = batch->header();
  if (header.base_offset < expected_ || (contiguous_ && header.base_offset != expected_)) {
    return torn("base offset " + std::to_string(header.base_offset.value()) + ", expected " +
                std::to_string(expected_.value()));
  }
  if (header.epoch < epoch_) {
    return torn("epoch " + std::to_string(header.epoch.value) + " after " + std::to_string(epoch_.value));
  }
  begin_ += batch->bytes().size();
  position_ += ByteCount(header.length);
  expected_ = header.next_offset();
  epoch_ = header.epoch;
  return batch;
}

// A length is believed only as far as the file goes.
Result<void> SegmentReader::fill_batch() {
  if (auto filled = fill(kBatchHeaderSize); !filled) return filled.error();
  const auto header = read_batch_header(window());
  if (!header) return {};
  const auto size = file_.size_now();
  if (!size) return size.error();
  if (header->length > *size - position_.value()) {
    return torn("batch of " + std::to_string(header->length) + " bytes passes the end of the file");
  }
  return fill(static_cast<std::size_t>(header->length));
}

Result<void> SegmentReader::fill(std::size_t size) {
  if (begin_ + size > buffer_.size()) make_room(size);
  while (window().size() < size && !at_file_end_) {
    const std::size_t wanted = align_up(std::max(size - window().size(), kChunkSize));
    const MutableBytes into = buffer_.span().subspan(end_, std::min(wanted, buffer_.size() - end_));
    const auto before = static_cast<std::int64_t>(end_) - static_cast<std::int64_t>(begin_);
    const auto count = file_.read_now(position_ + ByteCount(before), into);
    if (!count) return count.error();
    end_ += *count;
    at_file_end_ = *count < into.size();
  }
  return {};
}

// A byte stands in the buffer where it stands in its block of the file, so that whole blocks are read to aligned
// memory.
void SegmentReader::make_room(std::size_t size) {
  const Bytes kept = window();
  const std::size_t begin = place_in_block(position_);
  const std::size_t wanted = std::max(align_up(begin + size), kChunkSize);
  if (buffer_.size() < wanted || buffer_.size() / kBufferSlack > wanted) {
    AlignedBuffer other(wanted);
    if (!kept.empty()) std::memcpy(other.data() + begin, kept.data(), kept.size());
    buffer_ = std::move(other);
  } else if (!kept.empty()) {
    std::memmove(buffer_.data() + begin, kept.data(), kept.size());
  }
  begin_ = begin;
  end_ = kept.empty() ? 0 : begin + kept.size();
}

Error SegmentReader::no_batch(std::string detail) {
  if (!all_zero(window().first(std::min(window().size(), kBatchHeaderSize)))) return torn(std::move(detail));
  const auto zero = zero_to_end();
  if (!zero) return zero.error();
  if (*zero) return Error{Errc::kEnd, 0, "end of segment"};
  return torn("zeros, and after them other bytes");
}

// The scan walks the buffer through the file; afterwards position_ is read again.
Result<bool> SegmentReader::zero_to_end() {
  const FilePosition start = position_;
  Result<bool> zero = true;
  for (;;) {
    const Bytes piece = window();
    zero = all_zero(piece);
    if (!*zero || at_file_end_) break;
    position_ += ByteCount(static_cast<std::int64_t>(piece.size()));
    begin_ = end_;
    if (auto filled = fill(1); !filled) {
      zero = filled.error();
      break;
    }
  }
  position_ = start;
  begin_ = place_in_block(start);
  end_ = 0;
  at_file_end_ = false;
  return zero;
}

Bytes SegmentReader::window() const {
  if (begin_ >= end_) return {};
  return buffer_.span().subspan(begin_, end_ - begin_);
}

Error SegmentReader::torn(std::string detail) const {
  return Error{Errc::kTorn, 0, "at byte " + std::to_string(position_.value()) + ": " + std::move(detail)};
}

}  // namespace minod
