// The state of a log's indexes as a file, so that a restart reads only the log behind it. Written while the indexes
// change ("fuzzy"): it holds each key as it was at some moment between two offsets, begin and end, and the records from
// begin on are applied again, each only where it is newer than what is there. That comes out right because entries are
// offsets. Two files take turns; each replaces the older one. docs/FORMAT.md, "Checkpoint". Blocking but for the
// builder; for jobs and for a restart.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "index/chunk_file.h"
#include "index/log_index.h"
#include "log/disk.h"

namespace minod {

inline constexpr std::array<std::string_view, 2> kCheckpointNames{"checkpoint.a", "checkpoint.b"};

// As the offset where a checkpoint begins: there is none.
inline constexpr Offset kNoCheckpoint{std::numeric_limits<std::int64_t>::max()};

struct CheckpointHeader {
  IndexIdentity identity;
  Offset begin;    // records from here on are applied again
  Offset segment;  // the batch with `begin` is, or will be, at this place
  FilePosition position;
  Offset log_start;  // every record below is gone
};

void put_header(ChunkBuilder& builder, const CheckpointHeader& header);
// The last chunk. `end`: all changes in the file are below; `changes`: how many there are.
void put_end(ChunkBuilder& builder, Offset end, std::uint64_t changes);

class CheckpointReader {
 public:
  // Reads the header and the end. kCorrupt and kInvalid say why the file is of no use, kNotFound that there is none.
  static Result<std::unique_ptr<CheckpointReader>> open(Disk& disk, const std::string& path,
                                                        const IndexIdentity& identity);

  const CheckpointHeader& header() const { return header_; }

  // The next window of values, in the order of their hashes. Success: there is more. kEnd: that was all, places() are
  // there, and `window` is empty. Another error: the file is of no use, nor is what was read of it.
  Result<void> next(ChangeWindow& window);

  std::vector<SegmentPlaces>& places() { return places_; }  // of the segments that had batches at `begin` or later
  Offset end() const { return end_; }                       // all changes in the file are below
  std::uint64_t changes() const { return changes_; }        // in the file

 private:
  explicit CheckpointReader(std::unique_ptr<File> file) : file_(std::move(file)), chunks_(*file_) {}

  std::unique_ptr<File> file_;
  ChunkReader chunks_;
  CheckpointHeader header_;
  std::vector<SegmentPlaces> places_;
  Offset end_;
  std::uint64_t changes_ = 0;
  std::uint64_t changes_read_ = 0;
};

}  // namespace minod
