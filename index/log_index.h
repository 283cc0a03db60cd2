// Where each batch of a log is: the sparse offset index of every segment, and Kafka's index files for those that are
// being filled. Told by the log where batches are placed; rebuilt by recovery. Belongs to the log's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "index/offset_index.h"
#include "index/segment_index_files.h"
#include "log/batch.h"

namespace minod {

// What is known of one segment's batches, to be kept in a file.
struct SegmentPlaces {
  Offset segment;
  FilePosition end;  // behind its last batch
  // The last batch, by which it is seen whether a file still holds what is described here.
  struct Last {
    FilePosition position;
    Offset next;  // the offset behind its last record
    Epoch epoch;
    std::uint32_t crc = 0;
  };
  Last last;
  std::int64_t records = 0;
  UnixMillis last_time = kNoTimestamp;  // the greatest timestamp
  std::vector<OffsetIndex::Entry> entries;
};

class LogIndex {
 public:
  // The batch was placed in the segment with this base offset. In order.
  void placed(const BatchHeader& batch, Offset segment, FilePosition position);

  // Compaction: the segments that begin in [base, end) are now one, the only one that `rewritten` knows.
  void replace(Offset base, Offset end, LogIndex rewritten);

  // The bytes of a segment that hold the batch with `offset`; nothing when the segment is not there any more.
  struct Place {
    Offset segment;
    std::uint32_t generation;  // of the segment's contents: positions of another one mean nothing
    FilePosition begin;
    FilePosition end;
  };
  std::optional<Place> find(Offset offset) const;

  // What is known of the segments from `first` on, in order; those that have no batch are left out.
  std::vector<SegmentPlaces> places(Offset first) const;
  // Of the first segment that does not begin below `base` and has a batch.
  std::optional<SegmentPlaces> next_places(Offset base) const;
  // Puts in place what was known of a segment; its index files can't be taken any more.
  void restore(SegmentPlaces places);

  // The index files of a segment that gets no further batch; they are forgotten with this call. Nothing when the
  // segment was not filled by this process.
  std::optional<SegmentIndexFiles> take_files(Offset segment);

  // The greatest timestamp in a segment; 0 when nothing is known of it.
  UnixMillis last_time(Offset segment) const;

  // Segments whose base offset is below `base` are gone.
  void drop_before(Offset base);

  std::size_t memory_bytes() const;

 private:
  struct Entry {
    OffsetIndex offsets;
    std::optional<SegmentIndexFiles> files;
    FilePosition end;
    SegmentPlaces::Last last;
    std::int64_t records = 0;
    UnixMillis last_time = kNoTimestamp;
    std::uint32_t generation = 0;
  };
  std::map<Offset, Entry> segments_;
  std::uint32_t generations_ = 0;
};

}  // namespace minod
