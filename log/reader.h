// Reads the batches of one segment file in order, checking each. Blocking; used at start-up, by jobs and by tools.
#pragma once

#include <cstdint>
#include <string>

#include "base/buffer.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/batch.h"
#include "log/disk.h"

namespace minod {

class SegmentReader {
 public:
  // Reads `file` from `position`, where a batch starts; `file` stays the caller's. The first batch must have a base
  // offset of at least `expected` (exactly it when `contiguous`: segments that were never compacted), each next one at
  // least where the one before ended.
  SegmentReader(File& file, FilePosition position, Offset expected, Epoch epoch_min, bool contiguous);

  // The next batch, valid until the next call. Otherwise why there is none, and the reader stays where it is:
  //   kEnd      the file ends here, or all bytes from here to its end are zero (prepared space)
  //   kTorn     the bytes here are no whole batch; whether that is a torn write or damage is not for this class to say
  //             (replay/torn_tail.h); the detail says what is wrong with them
  //   kIo       the file could not be read
  Result<BatchView> next();

  FilePosition position() const { return position_; }  // where the next batch starts
  Offset expected() const { return expected_; }        // the offset the next batch may start with
  Epoch epoch() const { return epoch_; }               // the greatest seen

 private:
  Result<void> fill_batch();            // the batch at position_ whole, if the file has it
  Result<void> fill(std::size_t size);  // as many bytes as the file has, up to `size`, from position_ on
  void make_room(std::size_t size);
  Error no_batch(std::string detail);
  Result<bool> zero_to_end();
  Bytes window() const;
  Error torn(std::string detail) const;

  File& file_;
  FilePosition position_;
  Offset expected_;
  Epoch epoch_;
  bool contiguous_;
  AlignedBuffer buffer_;
  std::size_t begin_ = 0;  // in buffer_: the byte at position_; past end_ until the first read
  std::size_t end_ = 0;
  bool at_file_end_ = false;
};

}  // namespace minod
