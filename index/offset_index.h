// Sparse, in RAM: where the batches of one segment start. One entry per batch, or per kIndexIntervalBytes of smaller
// batches. Rebuilt from the log at a restart, appended to as batches are placed. Belongs to one thread.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace minod {

class OffsetIndex {
 public:
  explicit OffsetIndex(Offset base) : base_(base) {}

  // A batch that starts with `first` stands at `position`. Offsets and positions ascend from call to call.
  void add(Offset first, FilePosition position);

  // The bytes [begin, end) of the file hold the batch with `offset`, perhaps with whole batches around it.
  // `segment_end`: where the segment's last batch ends. `offset` is not below the segment's base.
  struct Span {
    FilePosition begin;
    FilePosition end;
  };
  Span find(Offset offset, FilePosition segment_end) const;

  struct Entry {
    std::uint32_t relative_offset;
    std::uint32_t position;
  };
  const std::vector<Entry>& entries() const { return entries_; }
  // What entries() of this segment's index said, in place of what is here.
  void restore(std::vector<Entry> entries) { entries_ = std::move(entries); }

  Offset base() const { return base_; }
  bool empty() const { return entries_.empty(); }
  std::size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry); }

 private:
  Offset base_;
  std::vector<Entry> entries_;
};

}  // namespace minod
