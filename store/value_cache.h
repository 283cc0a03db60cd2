// Values that are read again, in RAM, keyed by the record they came from. A record never changes, so nothing here is
// ever stale: an overwritten key has a new offset, and the old record is dropped early or ages out. Belongs to one
// shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace minod {

// Which log, and which record of it.
struct RecordId {
  std::uint16_t log = 0;  // the shard's number for the log
  Offset offset;
  friend auto operator<=>(RecordId, RecordId) = default;
};

// A record's contents in the cache's memory; valid until the cache is next changed.
struct CachedRecord {
  std::string_view key;
  std::string_view value;
  UnixMillis expires_at = kNeverExpires;
};

// S3-FIFO (Yang et al., SOSP 2023): a small queue for what came once, a main queue for what was read again, and a ghost
// list of ids that left the small queue lately, so that one pass over cold data does not push the hot values out.
class ValueCache {
 public:
  explicit ValueCache(std::size_t budget_bytes);
  ~ValueCache();
  ValueCache(const ValueCache&) = delete;
  ValueCache& operator=(const ValueCache&) = delete;

  // Starts loading where find() will look first.
  void prefetch(RecordId id) const;

  // Counts a read of the record.
  std::optional<CachedRecord> find(RecordId id);

  // Copies the record in, and lets others go until memory_bytes() is within the budget. A record that is larger than an
  // eighth of the budget is not taken. Already there: nothing happens.
  void insert(RecordId id, const CachedRecord& record);

  void erase(RecordId id);
  void erase_log(std::uint16_t log);  // all records of one log

  // A smaller budget lets records go at once.
  void set_budget(std::size_t bytes);
  std::size_t budget() const;

  // Values of these sizes will be usual.
  void set_value_size_hints(const std::vector<std::size_t>& sizes);

  // How the pool deals its memory out.
  struct PoolUse {
    std::uint64_t used_bytes = 0;      // of records, as they are
    std::uint64_t block_bytes = 0;     // with what rounding to a class costs
    std::uint64_t fallback_count = 0;  // values that fit no class, in the allocator's memory
    std::uint64_t fallback_bytes = 0;
    std::uint64_t fallbacks_ever = 0;
    std::uint64_t classes = 0;  // that have memory

    void add(const PoolUse& other);  // another shard's
  };
  PoolUse pool_use() const;

  std::size_t memory_bytes() const;  // slots, table and records, as the operating system sees them
  std::size_t count() const;
  std::uint64_t hits() const;
  std::uint64_t misses() const;
  std::uint64_t evictions() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace minod
