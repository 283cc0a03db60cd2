// What batches that were shipped change in a follower's indexes, in the order of the log.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/batch.h"
#include "log/compression.h"
#include "log/together.h"
#include "store/store.h"

namespace minod {

class ShippedChanges {
 public:
  ShippedChanges(Store& store, Partition& partition) : store_(store), partition_(partition) {}

  // Applies the records of `batch`. kCorrupt: a record does not decode, though the CRC is right.
  Result<void> apply(const BatchView& batch);

  // What the leader's eviction has ended is taken out of the indexes in one pass over them; so not for each of its
  // records, but now and then.
  void end_evicted();

 private:
  struct Change {
    KeyHash hash;
    Offset offset;
    UnixMillis expires_at;
    bool has_value = false;
  };

  void apply_control(const BatchHeader& header, const RecordView& record);
  void apply_near();

  Store& store_;
  Partition& partition_;
  Decompressor decompressor_;
  // Their places in the index are on their way into the processor's cache; a follower spent a quarter of its time
  // waiting for one after the other.
  std::array<Change, 16> near_;
  std::size_t near_count_ = 0;
  Offset evicted_below_ = kFirstOffset;
  Offset evicted_by_ = kFirstOffset;
};

// The header `t` of the batch's first record; empty when it has none, or when it does not decode: who applies it sees.
std::vector<LogReach> together_of(const BatchView& batch, Decompressor& decompressor);

}  // namespace minod
