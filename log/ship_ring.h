// The newest batches of a log, whole and as they go to the disk, for members that are nearly up to date. Bounded; what
// is not here any more is read from the disk. Belongs to the log's thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/shared_bytes.h"

namespace minod {

class ShipRing {
 public:
  explicit ShipRing(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // The batch of [base, next); next to the one before, or what was kept goes.
  void add(Offset base, Offset next, Bytes batch);

  // Whole batches from the one that begins at `from`: one at least, more while they are within `bytes_max` together.
  // Nothing when none begins there.
  struct Run {
    SharedBytes bytes;
    Offset next;  // behind the last
  };
  std::optional<Run> from(Offset from, std::size_t bytes_max);

  std::size_t memory_bytes() const { return bytes_; }

 private:
  struct Entry {
    Offset base;
    Offset next;
    SharedBytes bytes;
  };

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::deque<Entry> entries_;
  std::optional<Offset> joined_from_;  // several followers ask for the same
  std::size_t joined_max_ = 0;
  Run joined_;
};

}  // namespace minod
