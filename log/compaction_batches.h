// Makes the batches of a compacted segment out of the records that are kept of its old ones.
//
// The batches follow one another without a gap, as in a segment that was never compacted: each begins with the offset
// where the one before ended, so a lost batch shows as before. Offsets that are gone are gaps inside batches, and where
// a run of them ends an epoch or the segment, a batch without records stands for them, as Kafka's cleaner leaves one.
// No batch holds offsets of two epochs. docs/FORMAT.md, "Compacted segments".
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "log/batch.h"
#include "log/compression.h"
#include "log/record.h"

namespace minod {

// A point read reads and decompresses one whole batch, so its size before compression is what a read costs: about 15 us
// for 16 KiB at the 1.1 GB/s that zstd decodes JSON values with on the reference machine. Other sizes were not
// compared.
inline constexpr std::size_t kCompactedBatchSize = 8 * 1024;
inline constexpr std::size_t kCompactedBatchSizeZstd = 16 * 1024;

class CompactedBatches {
 public:
  // Gets each batch that is made, in order; the bytes are valid during the call.
  using Sink = std::function<void(const BatchHeader&, Bytes)>;

  // `begin`: the first offset of the segment.
  CompactedBatches(Offset begin, bool compress, Sink sink);

  // The records that follow come from this batch. Source batches are given in order, without a gap.
  void begin_source(const BatchHeader& source);

  // Of the source batch, in order.
  void keep(const RecordView& record);

  // The source batch as it is: control batches, and what no minod wrote.
  void keep_whole(const BatchView& source);

  // The segment ends here: the offsets below `end` that no batch holds yet get one.
  void finish(Offset end);

 private:
  void open_batch(const RecordView& first);
  void close_batch(Offset end);
  void cover(Offset end);
  void put_record(const RecordView& record, Offset durable_upto);

  Sink sink_;
  bool compress_;
  std::unique_ptr<Compressor> compressor_;
  Offset next_;  // no batch holds this offset yet
  std::optional<Epoch> epoch_;
  bool open_ = false;
  BatchHeader header_;  // of the open batch
  Offset last_;         // its last record
  std::vector<std::byte> bytes_;
  std::vector<std::byte> compressed_;
};

}  // namespace minod
