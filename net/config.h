// What a node can be told. Every option has one name, the same on the command line (--name value), in the config file
// (name value, as redis.conf) and in CONFIG GET and SET; where Redis has an option for the same thing, it is Redis's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diag.h"
#include "base/result.h"
#include "log/ack_policy.h"
#include "log/format.h"
#include "log/log.h"
#include "log/write_probe.h"
#include "net/limits.h"
#include "store/compaction_plan.h"
#include "store/evictor.h"
#include "store/limits.h"

namespace minod {

inline constexpr int kShardsMax = 1024;
// A shard's part of maxdisk is at least this: some segments of the smallest size for a few databases.
inline constexpr std::uint64_t kMaxdiskMin = std::uint64_t{16} << 20;

// --write-mode: what a start measures, or one of log/write_probe.h's ways.
enum class WriteChoice : std::uint8_t { kAuto, kDsync, kFdsync, kBuffered };

struct Config {
  std::vector<std::string> bind{"127.0.0.1"};  // IPv4 and IPv6 addresses, no names
  std::uint16_t port = 6379;                   // 0: no TCP listener
  std::string unixsocket;                      // empty: none
  unsigned unixsocketperm = 0700;              // octal
  std::string dir = "./data";
  int shards = 1;
  int partitions = 1;             // a power of two; fixed when the data directory is created
  std::vector<int> cpu_affinity;  // shard i runs on the (i modulo their number)th of these; empty: anywhere
  SyncPolicy appendfsync = SyncPolicy::kAlways;
  std::uint64_t maxdisk = 0;  // of the logs' files; 0: no limit
  DiskPolicy maxdisk_policy = DiskPolicy::kNoEviction;
  std::vector<std::pair<int, std::size_t>> value_size_hint;  // database, bytes of a usual value
  std::uint64_t maxmemory = 0;                               // 0: half of this machine's memory
  std::int64_t segment_bytes = kSegmentBytesDefault;
  std::size_t ready_segments = 1;
  std::size_t recycle_segments = 2;
  WriteChoice write_mode = WriteChoice::kAuto;
  std::int64_t checkpoint_bytes = kCheckpointBytesDefault;
  bool compress = false;  // compression-type none|zstd
  bool compaction = true;
  int compaction_live_percent = CompactionOptions().live_percent;
  std::uint64_t compaction_bytes_per_sec = CompactionOptions().bytes_per_second;  // 0: no limit
  std::int64_t min_compaction_lag_ms = CompactionOptions().min_lag.value();
  std::int64_t max_compaction_lag_ms = CompactionOptions().max_lag.value();
  std::int64_t delete_retention_ms = CompactionOptions().delete_retention.value();
  diag::Level loglevel = diag::Level::kNotice;
  diag::Format log_format = diag::Format::kText;
  std::string requirepass;
  std::size_t proto_max_bulk_len = kValueSizeMaxDefault;
  std::size_t maxclients = kMaxClientsDefault;
  int timeout = 0;          // seconds an idle client is kept; 0: for ever
  int tcp_keepalive = 300;  // seconds; 0: off
  int disk_poll_us = 200;   // how long an idle shard polls for the disk before it sleeps
  bool force_truncate = false;
  bool enable_debug_command = false;
  std::int64_t slowlog_log_slower_than = 10'000;  // microseconds; negative: nothing is recorded
  std::size_t slowlog_max_len = 128;
  bool protected_mode = true;  // without a password, only loopback addresses and unix sockets are served

  // Replication: of a node that is told at least one of these two. docs/REPLICATION.md.
  std::string replicaof;        // HOST:PORT of a member's peer port; empty: this node leads, unless it followed last
  std::uint16_t peer_port = 0;  // where other members connect; 0: nowhere
  std::string peer_bind = "127.0.0.1";
  std::string announce_peer;  // HOST:PORT that others reach it at; empty: the host they see, and peer_port
  AckPolicy acks = AckPolicy::kAll;
  std::size_t replicas = 1;               // copies beside the leader's; the same on all nodes
  std::size_t min_replicas_to_write = 0;  // of them, in sync, for anything to be acknowledged; the same on all nodes
  std::int64_t replica_lag_time_max_ms = 10'000;
  std::uint64_t replica_copy_rate = std::uint64_t{256} << 20;  // bytes a second
  std::string peer_tls_cert_file;
  std::string peer_tls_key_file;
  std::string peer_tls_ca_cert_file;
  bool peer_tls_check_name = true;

  bool replicates() const { return peer_port != 0 || !replicaof.empty(); }
};

CompactionOptions compaction_options(const Config& config);
// A shard's part of maxdisk.
DiskBudget disk_budget(const Config& config);
// Small segments within a small budget: what is evicted at a time is little, and so is what is prepared and not used.
std::int64_t segment_bytes(const Config& config, int partitions);

struct Option {
  std::string_view name;        // "appendfsync"
  std::string_view value_name;  // "always|everysec|no", for --help
  std::string_view help;        // one line
  bool at_run_time;             // CONFIG SET may change it
  std::string (*get)(const Config&);
  // kInvalid says what is accepted: "appendfsync must be always, everysec or no, not 'x'".
  Result<void> (*set)(Config&, std::string_view value);
};

// All options, sorted by name.
std::span<const Option> options();
const Option* find_option(std::string_view name);  // any case

// Names that Redis has, clients ask for, and minod answers but can't change: "save" "", "appendonly" "yes", ...
struct FixedOption {
  std::string_view name;
  std::string_view value;
};
std::span<const FixedOption> fixed_options();

// Sets one option by name. A fixed option takes only the value it has.
Result<void> set_option(Config& config, std::string_view name, std::string_view value);

// Applies the lines of a config file: "name value", "#" comments, quoted values, "include path" (from the working
// directory, as in Redis). An error names the file and the line.
Result<void> load_config_file(const std::string& path, Config& config);

// Every option's own rules, for a Config that code has filled in, and the relations between options. An error says
// which option to change.
Result<void> check_config(const Config& config);

}  // namespace minod
