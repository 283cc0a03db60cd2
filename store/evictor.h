// Cache mode: a budget for the bytes of the logs' files. When the next segment would pass it, the oldest sealed segment
// goes (maxdisk-policy allkeys-segment) or writes that add data are refused (noeviction).
//
// A segment is read in slices. In one step of the shard, what was read at least twice since it was written is appended
// again, the rest leaves the index, and a log-start record says so: a later crash brings back an evicted key's newest
// value or nothing. The newest record of a key is known by its offset, at the moment when the new offset is given.
// How often a key was read stands in its index slot, and is not known after a restart. Belongs to one shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "index/key_hash.h"
#include "log/compression.h"
#include "log/log.h"

namespace minod {

class Partition;
class Store;

enum class DiskPolicy : std::uint8_t { kNoEviction, kAllKeysSegment };

struct DiskBudget {
  std::uint64_t bytes = 0;  // of this shard's logs; 0: no limit
  DiskPolicy policy = DiskPolicy::kNoEviction;
};

struct EvictionCounters {
  std::uint64_t keys = 0;          // that left the index
  std::uint64_t segments = 0;      // that were evicted whole
  std::uint64_t kept_records = 0;  // that were appended again
  std::uint64_t kept_bytes = 0;
  std::uint64_t refused = 0;  // writes, for want of budget

  void add(const EvictionCounters& other);  // another shard's
};

class Evictor {
 public:
  Evictor(Store& store, Disk& disk) : store_(store), disk_(disk) {}

  // A log has at least this many segments within the budget: StoreOptions::segment_bytes should be no more of it.
  static constexpr std::uint64_t kSegmentShare = 64;

  void set_budget(DiskBudget budget);
  const DiskBudget& budget() const { return budget_; }

  // Whether records of `bytes` may be added to `log`. kWait: eviction is on its way, and wakes who waits for room.
  // kFull: refusal() says why.
  Log::Room room(const Log& log, std::size_t bytes);
  std::string refusal() const;

  // A log's files have changed: look at the budget again in the next pump().
  void changed() { changed_ = true; }

  // Once a turn: starts or goes on with evicting when the budget is short.
  void pump();

  // Nothing of this partition is evicted. False: a read is under way, ask again.
  bool rest(const Partition& partition);

  bool idle() const { return !reading_; }
  void abandon() { reading_ = false; }
  std::uint64_t disk_bytes() const;  // of this shard's logs, the segments prepared ahead included
  const EvictionCounters& counters() const { return counters_; }
  void reset_counters() { counters_ = EvictionCounters(); }

 private:
  struct Victim {
    Partition* partition = nullptr;
    Offset base;
    Offset next_base;
    std::shared_ptr<File> file;
    FilePosition position;       // up to here it is evicted
    std::int64_t want = 0;       // bytes of the next slice
    std::int64_t allowance = 0;  // bytes that may still be appended again
    int patience = 0;            // turns that a slice waited for room
  };
  struct LiveRecord {
    KeyHash hash;
    RecordView record;
    std::uint8_t hits = 0;
  };

  std::uint64_t usable() const;
  bool fits(std::uint64_t segments) const;
  bool can_free() const;
  bool choose_victim();
  void read_slice();
  void evict_slice();
  std::optional<Offset> evict_batches(Bytes bytes);
  std::size_t evict_batch(const BatchView& batch);
  void keep(std::vector<LiveRecord>& live, std::uint8_t hits);
  void end_slice(Offset below);
  void evict_unread(const Error& error);
  void go_on_unread();

  Store& store_;
  Disk& disk_;
  DiskBudget budget_;
  EvictionCounters counters_;
  std::optional<Victim> victim_;
  Partition* unread_ = nullptr;  // whose records of an unread segment are still on their way out of its index
  std::shared_ptr<Log::Block> slice_;
  Decompressor decompressor_;
  std::vector<LiveRecord> live_;  // of one batch
  struct Gone {
    KeyHash hash;
    Offset offset;
  };
  std::vector<Gone> gone_;  // of one slice
  std::optional<MonotonicNanos> retry_at_;
  bool changed_ = true;
  bool reading_ = false;
};

}  // namespace minod
