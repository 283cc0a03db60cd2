// A running node: its shards, and what all of them share. Shared state is behind one lock and off the request path.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/random.h"
#include "base/result.h"
#include "cluster/replication.h"
#include "log/aio_queue.h"
#include "log/segment_store.h"
#include "log/write_probe.h"
#include "net/config.h"
#include "net/mailbox.h"
#include "net/node_backup.h"
#include "net/slow_log.h"
#include "replay/data_directory.h"
#include "replay/recovery.h"
#include "store/store.h"

namespace minod {

class Listener;
class Shard;

// What the logs keep beside their records; log/segment_store.h.
struct SpaceReport {
  std::uint64_t ready = 0;     // next segments
  std::uint64_t spare = 0;     // files kept for them
  std::uint64_t created = 0;   // next segments made from new files since the start
  std::uint64_t recycled = 0;  // and from files of dead segments

  void add(const SegmentStore& segments) {
    add({segments.ready_count(), segments.spare_count(), segments.counters().created, segments.counters().recycled});
  }
  void add(const SpaceReport& other) {
    ready += other.ready;
    spare += other.spare;
    created += other.created;
    recycled += other.recycled;
  }
};

// What a shard tells of itself ten times a second; INFO adds the shards' up.
struct ShardReport {
  std::size_t clients = 0;
  std::size_t blocked_clients = 0;  // in WAIT
  std::uint64_t connections = 0;    // ever accepted
  std::uint64_t commands = 0;
  std::uint64_t commands_per_second = 0;
  std::uint64_t net_in_bytes = 0;
  std::uint64_t net_out_bytes = 0;
  std::uint64_t client_bytes = 0;
  StoreCounters store;
  Store::Memory memory;
  std::uint64_t cache_records = 0;
  ValueCache::PoolUse pool;
  std::uint64_t expiry_bytes = 0;
  std::int64_t longest_turn_ns = 0;  // of the shard's loop
  std::uint64_t cold_reads = 0;
  CompactionReport compaction;
  EvictionCounters evictions;
  struct Keyspace {
    std::uint64_t keys = 0;
    std::uint64_t expires = 0;
  };
  std::vector<Keyspace> keyspaces;  // by database
  std::int64_t log_end = 0;         // of all logs, added up: grows with every change
  std::uint64_t log_bytes = 0;      // written since the start
  std::uint64_t disk_bytes = 0;     // of segment files
  std::uint64_t groups = 0;
  std::uint64_t pending_bytes = 0;
  Histogram commit_ns;
  Histogram group_bytes;
  SpaceReport space;
  AioCounters aio;
  CheckpointCounters checkpoints;
  ReplicationReport replication;  // of a shard that replicates
  bool direct_io = true;
};

class Conductor;
class NodeReplication;

class Node {
 public:
  Node(Config config, Random& random);
  ~Node();

  // Recovers, opens the listeners, and serves until stop(). Blocking; the error is one clear line.
  Result<void> run();

  // From any thread, or a signal's handler thread.
  void stop();
  // A log failed: nothing is acknowledged any more, and run() returns the error.
  void stop_because(const Error& error);

  Config config() const;
  // `change` gets a copy, which comes into force only if `change` and check_config() accept it; the shards take it over
  // with apply_config(), each on its own thread.
  Result<void> change_config(const std::function<Result<void>(Config&)>& change);
  void apply_config(Shard& shard) const;

  void publish(int shard, ShardReport report);
  std::vector<ShardReport> reports() const;
  std::uint64_t memory_limit() const;  // maxmemory, or what it means when it is 0

  int shard_count() const { return static_cast<int>(shards_.size()); }
  Shard& shard(int number) { return *shards_[static_cast<std::size_t>(number)]; }
  int owner_of(std::uint16_t partition) const { return partition % shard_count(); }

  // Messages that did not fit a full mailbox wait here. Each belongs to its producer's thread.
  std::deque<Mail>& overflow(int producer, int consumer) {
    return overflow_[static_cast<std::size_t>(producer)][static_cast<std::size_t>(consumer)];
  }
  // True: some still wait.
  bool flush_overflow(int producer);

  // Asks every shard, each on its own thread; `done` runs on shard `from` when all have answered, in the shards' order.
  void ask_all(int from, std::function<std::string(Shard&)> question,
               std::function<void(std::vector<std::string>)> done);

  Conductor& conductor() { return *conductor_; }
  NodeReplication* replication() { return replication_.get(); }  // null: this node does not replicate

  Random& random(int shard) { return shard_random_[static_cast<std::size_t>(shard)]; }
  const std::string& run_id() const { return run_id_; }
  UnixMillis started_at() const { return started_at_; }
  std::uint64_t next_client_id() { return ++client_ids_; }
  const WriteProbe& write_probe() const { return write_probe_; }
  WriteWay write_way() const { return write_way_; }
  const RecoveryReport& recovery() const { return recovery_; }
  double recovery_seconds() const { return recovery_seconds_; }
  const SystemClock& clock() const { return clock_; }
  std::size_t client_count() const;
  void count_rejected() { rejected_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t rejected() const { return rejected_.load(std::memory_order_relaxed); }
  void reset_rejected() { rejected_.store(0, std::memory_order_relaxed); }
  SlowLog& slow_log() { return slow_log_; }
  NodeBackup& backup() { return backup_; }
  const NodeBackup& backup() const { return backup_; }
  const DataDirectory& directory() const { return *directory_; }

 private:
  Result<void> choose_write_way();
  Result<void> open_shards();
  Result<void> recover_shards();
  Result<void> join_group();
  Result<void> listen(boost::asio::io_context& io);
  void announce() const;
  void serve(boost::asio::io_context& io);

  mutable std::mutex lock_;
  Config config_;
  SystemClock clock_;
  Random& random_;
  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<NodeReplication> replication_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Conductor> conductor_;  // before the shards it goes, with what waits in it
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<ShardReport> reports_;
  std::vector<std::vector<std::deque<Mail>>> overflow_;  // by producer, then consumer
  std::vector<Random> shard_random_;
  std::atomic<std::uint64_t> client_ids_{0};
  std::atomic<std::uint64_t> rejected_{0};
  std::atomic<bool> stopping_{false};
  SlowLog slow_log_;
  std::string run_id_;
  UnixMillis started_at_;
  NodeBackup backup_;
  WriteProbe write_probe_;
  WriteWay write_way_ = WriteWay::kDsync;
  RecoveryReport recovery_;
  double recovery_seconds_ = 0;
  std::optional<Error> failure_;
};

}  // namespace minod
