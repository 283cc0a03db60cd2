// Reads a segment file for what the indexes need of it: key hashes, offsets, expiries, places. Each batch is checked as
// SegmentReader checks it. Blocking; used by a restart, by the jobs that write hint files and by compaction.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "index/change_window.h"
#include "index/key_hash.h"
#include "log/compression.h"
#include "log/disk.h"
#include "log/reader.h"

namespace minod {

class SegmentScan {
 public:
  // Of the segment that begins at `base`. Reads from `position`, where a batch with base offset `expected` starts, or
  // from the file's end. `file` and `hasher` stay the caller's. `contiguous`: the segment was never compacted.
  SegmentScan(File& file, Offset base, FilePosition position, Offset expected, const KeyHasher& hasher,
              bool contiguous = true)
      : base_(base),
        reader_(file, position, expected, Epoch{0}, contiguous),
        hasher_(hasher),
        end_(position),
        expected_(expected) {}

  // The file is taken to end before the first batch that reaches `until`: next() says kTorn there.
  void stop_at(Offset until) { until_ = until; }

  // Fills `window`, which is empty, with `changes_max` or a few more, and sorts it. Success: there may be more.
  // Otherwise why there is no more, as SegmentReader::next() says, and kCorrupt when a record does not decode; `window`
  // has what came before.
  Result<void> next(ChangeWindow& window, std::size_t changes_max = ChangeWindow::kChangesMax);

  FilePosition end() const { return end_; }      // behind the last batch that is in a window
  Offset expected() const { return expected_; }  // the next one's base offset
  Epoch epoch() const { return epoch_; }         // the greatest of them
  std::int64_t bytes() const { return bytes_; }  // of all of them

 private:
  Result<void> fill(ChangeWindow& window, std::size_t changes_max);
  Result<void> add(const BatchView& batch, ChangeWindow& window);
  bool fits(const BatchHeader& batch) const;
  static void note_joint(const BatchHeader& batch, const RecordView& record, ChangeWindow& window);

  Offset base_;
  SegmentReader reader_;
  const KeyHasher& hasher_;
  Decompressor decompressor_;
  std::vector<IndexChange> scratch_;
  FilePosition end_;
  Offset expected_;
  Epoch epoch_;
  std::int64_t bytes_ = 0;
  Offset until_ = kNoOffset;
};

}  // namespace minod
