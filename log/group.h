// Batches that go to the disk in one write: a group commit. Starts on a block border of its segment, with the bytes
// that stand before the first batch in that block, so that rewriting the block changes nothing that was acknowledged.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/buffer.h"
#include "base/ids.h"

namespace minod {

class Group {
 public:
  // Starts at the block that holds `position`; `before` are the bytes of that block up to there. Keeps the memory of an
  // earlier use. `segment` is the base offset of the segment it belongs to.
  void start(Offset segment, FilePosition position, Bytes before) {
    segment_ = segment;
    begin_ = position - ByteCount(static_cast<std::int64_t>(before.size()));
    size_ = 0;
    added_ = 0;
    std::ranges::copy(before, room(before.size()));
    size_ = before.size();
  }

  // Room for `size` bytes behind the others; write there, then call grew().
  std::byte* room(std::size_t size) {
    if (memory_.size() < size_ + size) {
      AlignedBuffer larger(std::max({size_ + size, memory_.size() * 2, kSizeMin}));
      if (size_ != 0) std::memcpy(larger.data(), memory_.data(), size_);
      memory_ = std::move(larger);
    }
    return memory_.data() + size_;
  }
  void grew(std::size_t size) {
    size_ += size;
    added_ += size;
  }

  // What to write: whole blocks, zeros behind the last batch.
  Bytes blocks() {
    const std::size_t padded = align_up(size_);
    std::memset(memory_.data() + size_, 0, padded - size_);
    return memory_.span().first(padded);
  }

  // The bytes of the last, partly filled block: the next group starts with them.
  Bytes unfinished_block() const {
    const std::size_t whole = align_down(size_);
    return memory_.span().subspan(whole, size_ - whole);
  }

  Offset segment() const { return segment_; }
  FilePosition begin() const { return begin_; }
  FilePosition end() const { return begin_ + ByteCount(static_cast<std::int64_t>(size_)); }
  std::size_t added() const { return added_; }  // bytes of batches, without what stood before
  std::size_t memory_bytes() const { return memory_.size(); }

  Offset end_offset;  // of the last batch

 private:
  static constexpr std::size_t kSizeMin = std::size_t{64} << 10;

  Offset segment_;
  FilePosition begin_;
  std::size_t size_ = 0;
  std::size_t added_ = 0;
  AlignedBuffer memory_;
};

}  // namespace minod
