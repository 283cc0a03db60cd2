// One shard's part of the keyspaces: runs commands against its partitions, and does the work between commands: reading
// cold values, expiring, keeping memory within its limit, dispatching the logs. Belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_queue.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "index/key_hash.h"
#include "log/disk.h"
#include "log/joint_order.h"
#include "log/log.h"
#include "store/checkpointer.h"
#include "store/cold_reader.h"
#include "store/command.h"
#include "store/compactor.h"
#include "store/evictor.h"
#include "store/hint_jobs.h"
#include "store/limits.h"
#include "store/partition.h"
#include "store/reply.h"
#include "store/request.h"
#include "store/value_cache.h"

namespace minod {

class Reach;
struct Transaction;

struct StoreOptions {
  std::string directory;
  int partitions = 1;                                       // of each keyspace: a power of two
  std::uint64_t memory_bytes_max = std::uint64_t{1} << 30;  // index, values, buffers and clients of this shard
  std::size_t value_size_max = kValueSizeMaxDefault;
  std::int64_t segment_bytes = kSegmentBytesDefault;
  SyncPolicy sync = SyncPolicy::kAlways;
  bool compress = false;
  SegmentSpace space;
  std::uint64_t hash_seed[2] = {0, 0};  // of the data directory
  std::string directory_id;             // likewise
  // A checkpoint of the indexes is due when a restart would have to read this much of a log; 0: none is written.
  std::int64_t checkpoint_bytes = kCheckpointBytesDefault;
  CompactionOptions compaction;
  DiskBudget disk;
  // Of all stores that a transaction may write to; none: the store makes one of its own.
  std::shared_ptr<JointOrder> joints = nullptr;
};

struct StoreCounters {
  std::uint64_t hits = 0;  // reads of keys that were there
  std::uint64_t misses = 0;
  std::uint64_t expired = 0;
  std::uint64_t parked = 0;          // runs that had to be repeated
  std::uint64_t refused_full = 0;    // writes refused because the disk is full
  std::uint64_t refused_memory = 0;  // writes refused because the index has reached maxmemory
};

// Replies the error when a key of the command is over kKeySizeMax. Checked before anything is written, so that no
// command stops half way.
bool keys_too_large(const CommandSpec& spec, std::span<const std::string_view> args, Reply& reply);

class Store {
 public:
  Store(Disk& disk, const Clock& clock, Random& random, StoreOptions options);
  ~Store();

  // ---- start-up, blocking; then start()

  // Puts what recovery made of an existing log in place. `partition->log()` is opened here.
  Result<void> adopt(std::unique_ptr<Partition> partition, LogStart start);
  // A partition for recovery to fill, to be adopted afterwards.
  std::unique_ptr<Partition> new_partition(int db, int number);
  // Makes the log of a database that has none. Blocking.
  Result<void> make_database_now(int db, int number);
  void start();
  // Nothing that is in flight will ever complete: the store may be destroyed. See Log::abandon().
  void abandon();

  // ---- for replication: store_replicated.cc

  // Makes the log of a database that has none; on_made follows, unless it fails.
  void want_database(int db, int number) { make_database(db, static_cast<std::uint16_t>(number)); }
  // A log was made, and nothing has been written to it.
  std::function<void(Partition&)> on_made = [](Partition&) {};

  // Nothing but its log touches the partition any more, until it is written to again. False: something is under way,
  // ask again.
  bool rest(Partition& partition);
  // Of a partition that rests: its log ends, and while has_log() is false `recover` fills another partition, in a job,
  // and says where the log goes on. Then that takes the place of the old one, and the log, opened, is the caller's to
  // start. An error leaves no log.
  using Recover = std::function<Result<LogStart>(Partition& fresh)>;
  void remake(Partition& partition, Recover recover, std::function<void(const Result<void>&)> done);
  // The log of a partition that was made anew may go.
  void start(Partition& partition);
  // Forgets values in RAM: all of them have died.
  void forget_values(const Partition& partition) { cache_.erase_log(partition.id()); }

  // ---- commands

  enum class Outcome : std::uint8_t {
    kDone,    // the reply is complete; it may leave when its dependencies allow
    kParked,  // nothing was replied or changed; request.resume is called when it should be run again
  };
  // `reply` appends to `out`. The arguments fit the command's arity; its keys lie in request.partition.
  Outcome run(const CommandSpec& spec, Request& request, Reply& reply, ByteQueue& out);
  // The same for a transaction, which must stay until it is done; its replies are in it, and its keys lie in
  // request.partition. transaction.cc.
  Outcome run(Transaction& transaction, Request& request);
  // The same over all partitions of `reach`, which has this store's too. Of its requests, those that the transaction
  // waits for are resumed when it is parked, and each has the dependencies on its own store's logs when it is done.
  Outcome run(Transaction& transaction, const Reach& reach);
  // Where the key's newest value is; kNoOffset when there is none. Whoever holds on to it can tell whether the key was
  // written to since.
  Offset newest_record(int db, std::uint16_t partition, std::string_view key);

  // Start loading what a command on a key of this partition will touch, each when the one before has had time: the
  // index entry; where its record is, whose offset is returned; the record.
  void prefetch_entry(const Partition& partition, KeyHash hash) const { partition.index().prefetch(hash); }
  Offset prefetch_place(const Partition& partition, KeyHash hash) const;
  void prefetch_record(const Partition& partition, Offset offset) const;

  // ---- between commands

  void dispatch();     // sends what the logs gathered, as far as no write is in flight
  void end_turn();     // dispatch(), and lets memory go
  std::size_t poll();  // resumes requests; returns how many. Disk::poll() is the owner's to call
  void tick();         // about ten times a second: expiry in bounded slices, retries
  void expire();       // the expiry of tick(), for when it is behind: again after some milliseconds
  bool expiry_behind() const { return expiry_behind_; }
  void sync_logs();                    // once a second under appendfsync everysec
  void sync_joints();                  // once a second under appendfsync no: those that keep something back
  bool joints_moved() const;           // poll() has something to let go
  bool idle() const;                   // every log idle: safe to destroy
  void stop_jobs() { hints_.stop(); }  // those that a stop need not wait for
  // For a clean stop, when idle: spares the next start what it can. Blocking.
  void checkpoint_now();

  // The owner is told when a log's released() moves, and when a log fails.
  std::function<void(Log&)> on_released;
  std::function<void(const Error&)> on_failed;

  // ---- for keyspace-wide commands and reports

  Partition* partition(int db, int number) {
    return partitions_[static_cast<std::size_t>(db * options_.partitions + number)].get();
  }
  const Partition* partition(int db, int number) const { return const_cast<Store*>(this)->partition(db, number); }
  template <class Visit>
  void for_each_partition(Visit&& visit) {
    for (const auto& partition : partitions_) {
      if (partition && partition->has_log()) visit(*partition);
    }
  }
  KeyHash hash(std::string_view key) const { return hasher_(key); }
  const KeyHasher& hasher() const { return hasher_; }
  const StoreOptions& options() const { return options_; }
  void set_memory_limit(std::uint64_t bytes) { options_.memory_bytes_max = bytes; }
  void set_client_bytes(std::uint64_t bytes) { client_bytes_ = bytes; }
  void set_sync_policy(SyncPolicy policy);
  void set_value_size_max(std::size_t bytes) { options_.value_size_max = bytes; }
  Random& random() { return random_; }
  const Clock& clock() const { return clock_; }
  const ValueCache& cache() const { return cache_; }
  const Checkpointer& checkpointer() const { return checkpointer_; }
  const ColdReader& cold_reader() const { return cold_; }
  Compactor& compactor() { return compactor_; }
  void set_value_size_hints(const std::vector<std::size_t>& sizes) { cache_.set_value_size_hints(sizes); }
  Evictor& evictor() { return evictor_; }
  const Evictor& evictor() const { return evictor_; }
  bool request_compaction() { return compactor_.request(partitions_); }
  CompactionReport compaction_report() const { return compactor_.report(partitions_); }
  const StoreCounters& counters() const { return counters_; }
  void reset_counters() {
    counters_ = StoreCounters();
    evictor_.reset_counters();
  }

  struct Memory {
    std::uint64_t index = 0;
    std::uint64_t tail = 0;
    std::uint64_t cache = 0;
    std::uint64_t clients = 0;
    std::uint64_t reads = 0;  // what was read from disk for requests that have not run again yet
    std::uint64_t total() const { return index + tail + cache + clients + reads; }
  };
  Memory memory();
  std::size_t pending_bytes();  // appended and not yet written, over all logs

  // Lets every value in RAM go that is on disk. For tests, and for DEBUG.
  void drop_values();

 private:
  friend class Call;
  friend class TransactionRun;

  // A record's contents if they are in RAM.
  std::optional<CachedRecord> resident(Partition& partition, Offset offset, const Request& request);
  LogOptions log_options(const Partition& partition) const;
  Result<void> open_log(Partition& partition, LogStart start);
  LogEvents events_for(Partition& partition);
  void make_database(int db, std::uint16_t number);
  void database_made(Partition& partition, Result<std::unique_ptr<Log>> log);
  void park(Request& request);
  void wake(Request& request);
  void wake_room_waiters(const Log& log);
  void write_hint(Partition& partition, Offset segment, bool only_if_missing);
  void write_due_hints();
  void write_index_files(Partition& partition, Offset segment);
  void let_joints_go();
  void trim_memory();
  void expire_slice(Partition& partition);
  void expire_record(Partition& partition, std::string_view key, Offset offset);

  Disk& disk_;
  const Clock& clock_;
  Random& random_;
  StoreOptions options_;
  KeyHasher hasher_;
  ValueCache cache_;
  ColdReader cold_;
  HintJobs hints_;
  Checkpointer checkpointer_;
  Compactor compactor_;
  Evictor evictor_;
  StoreCounters counters_;
  std::uint64_t client_bytes_ = 0;
  bool index_over_limit_ = false;
  std::uint64_t joints_seen_[2] = {0, 0};  // what had passed when poll() last looked
  struct EarlyHint {
    Partition* partition;
    Offset segment;
    bool only_if_missing;
  };
  std::vector<EarlyHint> early_hints_;  // of segments that are sealed and not yet committed
  std::uint16_t next_id_ = 0;
  std::vector<std::unique_ptr<Partition>> partitions_;   // [db * partitions + number]; null until first written
  std::vector<std::weak_ptr<Request::Parked>> waiting_;  // for room or for a database
  std::deque<std::weak_ptr<Request::Parked>> ready_;
  std::vector<std::unique_ptr<Log>> retired_;  // replies may still depend on them; what those promised is settled
  std::shared_ptr<ColdReader::Ticket> expiry_reads_;
  bool expiry_behind_ = false;
  std::size_t jobs_ = 0;
};

}  // namespace minod
