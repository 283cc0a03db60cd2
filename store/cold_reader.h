// Reads records that are only on disk, many at a time; requests for one block share one read. Belongs to one shard.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/compression.h"
#include "store/partition.h"
#include "store/value_cache.h"

namespace minod {

struct ColdRecord {
  Partition* partition = nullptr;
  Offset offset;
  bool key_only = false;  // for walks over the keyspace: the value is not kept
};

// A record that was read. The views point into `memory`.
struct FetchedRecord {
  RecordId id;
  std::string_view key;
  std::string_view value;
  UnixMillis expires_at = kNeverExpires;
  bool key_only = false;  // `value` is not the record's
  std::shared_ptr<const void> memory;
  Errc failure = Errc::kEnd;  // kEnd: none. kNotFound: the record is gone. Else the bytes could not be read
  std::string failure_detail;
};

class ColdReader {
 public:
  // Fetched values are offered to the cache.
  explicit ColdReader(ValueCache& cache) : cache_(cache) {}

  // Reads all of `records`, then calls `done` from Disk::poll() with one result for each, in no order. Dropping the
  // returned ticket cancels the call, not the reads.
  using Done = std::function<void(std::vector<FetchedRecord>)>;
  struct Ticket {
    std::size_t remaining = 0;
    std::vector<FetchedRecord> results;
    Done done;
  };
  std::shared_ptr<Ticket> fetch(const std::vector<ColdRecord>& records, Done done);

  std::size_t reads_in_flight() const { return in_flight_.size(); }
  // Of the blocks on their way, and of blocks and records that were read and are still kept for a request.
  std::size_t memory_bytes() const { return *held_bytes_; }
  std::uint64_t reads() const { return reads_; }
  std::uint64_t shared_reads() const { return shared_reads_; }

 private:
  struct BlockId {
    std::uint16_t log;
    Offset segment;
    std::uint32_t generation;
    FilePosition begin;
    friend auto operator<=>(const BlockId&, const BlockId&) = default;
  };
  struct Waiter {
    ColdRecord record;
    std::weak_ptr<Ticket> ticket;
  };

  // Keeps `size` counted in memory_bytes() as long as anybody owns it.
  std::shared_ptr<void> counted(std::size_t size);
  void arrived(const BlockId& id, const Result<std::shared_ptr<Log::Block>>& block);
  void deliver(const Waiter& waiter, FetchedRecord record);
  void find_in_block(std::vector<Waiter>& waiters, const std::shared_ptr<Log::Block>& block);

  ValueCache& cache_;
  Decompressor decompressor_;
  std::map<BlockId, std::vector<Waiter>> in_flight_;
  std::shared_ptr<std::size_t> held_bytes_ = std::make_shared<std::size_t>(0);  // outlives this, as records may
  std::uint64_t reads_ = 0;
  std::uint64_t shared_reads_ = 0;
};

}  // namespace minod
