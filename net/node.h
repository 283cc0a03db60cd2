// A running node: its shards, and what all of them share. Shared state is behind one lock and off the request path.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/random.h"
#include "base/result.h"
#include "net/config.h"
#include "replay/data_directory.h"
#include "replay/recovery.h"
#include "store/store.h"

namespace minod {

class Listener;
class Shard;

// What a shard tells of itself ten times a second; INFO adds the shards' up.
struct ShardReport {
  std::size_t clients = 0;
  std::uint64_t connections = 0;  // ever accepted
  std::uint64_t rejected = 0;
  std::uint64_t commands = 0;
  std::uint64_t net_in_bytes = 0;
  std::uint64_t net_out_bytes = 0;
  std::uint64_t client_bytes = 0;
  StoreCounters store;
  Store::Memory memory;
  std::uint64_t cache_records = 0;
  std::uint64_t cold_reads = 0;
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
  bool direct_io = true;
};

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
  // Applies one option at run time, here and on every shard.
  Result<void> set_option(std::string_view name, std::string_view value);

  void publish(int shard, ShardReport report);
  std::vector<ShardReport> reports() const;

  int shard_count() const { return static_cast<int>(shards_.size()); }
  Shard& shard(int number) { return *shards_[static_cast<std::size_t>(number)]; }
  int owner_of(std::uint16_t partition) const { return partition % shard_count(); }

  const std::string& run_id() const { return run_id_; }
  UnixMillis started_at() const { return started_at_; }
  std::uint64_t next_client_id() { return ++client_ids_; }
  const RecoveryReport& recovery() const { return recovery_; }
  double recovery_seconds() const { return recovery_seconds_; }
  const SystemClock& clock() const { return clock_; }
  std::size_t client_count() const;
  bool loopback_only() const;

 private:
  Result<void> open_shards();
  Result<void> recover_shards();
  Result<void> listen();
  void serve();

  mutable std::mutex lock_;
  Config config_;
  SystemClock clock_;
  Random& random_;
  std::unique_ptr<DataDirectory> directory_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<ShardReport> reports_;
  std::atomic<std::uint64_t> client_ids_{0};
  std::atomic<bool> stopping_{false};
  std::string run_id_;
  UnixMillis started_at_;
  RecoveryReport recovery_;
  double recovery_seconds_ = 0;
  std::optional<Error> failure_;
};

}  // namespace minod
