// Where each batch of a log is: the sparse offset index of every segment, and Kafka's index files for those that are
// being filled. Told by the log where batches are placed; rebuilt by recovery. Belongs to the log's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/ids.h"
#include "index/offset_index.h"
#include "index/segment_index_files.h"
#include "log/batch.h"

namespace minod {

class LogIndex {
 public:
  // The batch was placed in the segment with this base offset. In order.
  void placed(const BatchHeader& batch, Offset segment, FilePosition position);

  // Compaction: the segments that begin in [offsets.base(), end) are now one, whose batches `offsets` and `files` know
  // and whose last batch ends at `file_end`.
  void replace(Offset end, OffsetIndex offsets, SegmentIndexFiles files, FilePosition file_end);

  // The bytes of a segment that hold the batch with `offset`; nothing when the segment is not there any more.
  struct Place {
    Offset segment;
    std::uint32_t generation;  // of the segment's contents: positions of another one mean nothing
    FilePosition begin;
    FilePosition end;
  };
  std::optional<Place> find(Offset offset) const;

  // The index files of a segment that gets no further batch; they are forgotten with this call. Nothing when the
  // segment was not filled by this process.
  std::optional<SegmentIndexFiles> take_files(Offset segment);

  // Segments whose base offset is below `base` are gone.
  void drop_before(Offset base);

  std::size_t memory_bytes() const;

 private:
  struct Entry {
    OffsetIndex offsets;
    std::optional<SegmentIndexFiles> files;
    FilePosition end;
    std::uint32_t generation = 0;
  };
  std::map<Offset, Entry> segments_;
  std::uint32_t generations_ = 0;
};

}  // namespace minod
