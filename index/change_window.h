// What a stretch of the log changes in the indexes: the unit in which a scan, a hint file and a restart pass changes
// on. Bounded, so that a log of any size is read in bounded memory. A value; moved from thread to thread, never shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "index/key_hash.h"
#include "index/segment_index_files.h"
#include "log/together.h"

namespace minod {

// One record: the newest of its key as far as the log goes up to it.
class IndexChange {
 public:
  IndexChange() = default;
  IndexChange(KeyHash hash, Offset offset, bool has_value, UnixMillis expires_at)
      : hash_(hash),
        offset_(static_cast<std::uint64_t>(offset.value()) | (has_value ? 0 : kTombstone)),
        expires_at_(expires_at) {}

  KeyHash hash() const { return hash_; }
  Offset offset() const { return Offset(static_cast<std::int64_t>(offset_ & ~kTombstone)); }
  bool has_value() const { return (offset_ & kTombstone) == 0; }
  UnixMillis expires_at() const { return expires_at_; }

 private:
  static constexpr std::uint64_t kTombstone = std::uint64_t{1} << 63;
  KeyHash hash_;
  std::uint64_t offset_ = 0;
  UnixMillis expires_at_;
};

struct ChangeWindow {
  static constexpr std::size_t kChangesMax = std::size_t{1} << 18;  // 8 MiB
  static constexpr std::size_t kBatchesMax = std::size_t{1} << 15;

  std::optional<Offset> log_start;      // every record below is gone, before `changes` are applied
  std::optional<Offset> evicted_below;  // every record below is gone, after them
  std::vector<IndexChange> changes;     // after sort(): by hash; of one key, still in the order of the log
  std::vector<PlacedBatch> batches;     // where the batches stand
  std::int64_t records = 0;             // read, of keys
  std::vector<JointBatch> joints;       // batches that other logs must go along with, in the order of the log
  Offset committed = kNoOffset;         // all below was, as the batches tell; joints below it are left out

  void clear() {
    log_start.reset();
    evicted_below.reset();
    changes.clear();
    batches.clear();
    records = 0;
    joints.clear();
    committed = kNoOffset;
  }

  // In the order of the hash index, so that applying them walks through its memory instead of jumping about. `scratch`
  // is memory of the caller's that is used again from call to call.
  void sort(std::vector<IndexChange>& scratch);
};

}  // namespace minod
