// BASE.hint of a sealed segment: what a restart needs of it, in a fifth of its size. Written behind the seal, read back
// from the segment, so that nothing is kept for it in RAM. Never needed: a hint that is missing, damaged, of another
// log, of another hash seed or of another segment file is ignored, and the segment is scanned. docs/FORMAT.md, "Hint
// file". Blocking; for jobs and for a restart.
#pragma once

#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "index/chunk_file.h"
#include "index/segment_index_files.h"
#include "index/segment_scan.h"
#include "log/disk.h"

namespace minod {

// Writes a hint in steps of a few milliseconds each, so that a thread that has other things to do can do them between.
class HintWriter {
 public:
  // `base`: of a sealed segment in `directory`, whose file nobody changes meanwhile. `contiguous`: it was never
  // compacted.
  HintWriter(Disk& disk, const std::string& directory, Offset base, const KeyHasher& hasher,
             const IndexIdentity& identity, bool contiguous = true);

  // Reads and writes a piece. True: the hint is durable under its name; then what step() has read of the segment is in
  // index_files(). After an error nothing is left but perhaps a temporary file, and the writer is of no more use.
  Result<bool> step();

  // Kafka's index files for the segment, as they are when it is filled.
  const SegmentIndexFiles& index_files() const { return files_; }

 private:
  Result<bool> work();
  Result<void> begin();
  Result<bool> finish(const Error& stop);

  static constexpr std::size_t kStepChanges = std::size_t{1} << 15;

  Disk& disk_;
  std::string log_path_;
  Offset base_;
  const KeyHasher& hasher_;
  IndexIdentity identity_;
  bool contiguous_;
  ReplacedFile file_;
  std::unique_ptr<File> log_;
  std::int64_t log_size_ = 0;
  std::unique_ptr<SegmentScan> scan_;
  ChunkBuilder builder_;
  ChangeWindow window_;
  LogIndex places_;
  SegmentIndexFiles files_;
};

// All steps at once.
Result<void> write_hint(Disk& disk, const std::string& directory, Offset base, const KeyHasher& hasher,
                        const IndexIdentity& identity, bool contiguous = true);

class HintReader {
 public:
  // Opens the hint of the segment `log` of `log_size` bytes, which stays the caller's. kCorrupt and kInvalid say why
  // the hint is of no use, kNotFound that there is none.
  static Result<std::unique_ptr<HintReader>> open(Disk& disk, const std::string& directory, Offset base, File& log,
                                                  std::int64_t log_size, const IndexIdentity& identity);

  // The next window. Success: there is more. kEnd: that was all, places() are there, and the segment ends with the
  // batch that the hint knows; `window` is empty then. Another error: the hint is of no use, nor is what was read of
  // it.
  Result<void> next(ChangeWindow& window);

  const SegmentPlaces& places() const { return places_; }

 private:
  HintReader(std::unique_ptr<File> file, Offset base, File& log, std::int64_t log_size)
      : file_(std::move(file)), chunks_(*file_), base_(base), log_(log), log_size_(log_size) {}

  std::unique_ptr<File> file_;
  ChunkReader chunks_;
  Offset base_;
  File& log_;
  std::int64_t log_size_;
  SegmentPlaces places_;
};

// Whether the file still ends, at `places.end`, with the batch that it ended with when this was noted.
Result<bool> ends_as_noted(File& log, const SegmentPlaces& places);

}  // namespace minod
