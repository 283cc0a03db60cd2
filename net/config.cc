#include "net/config.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>
#include <utility>

#include "base/buffer.h"
#include "net/config_replication.h"
#include "net/cpu_list.h"
#include "net/option_kind.h"
#include "net/resp/words.h"
#include "store/number.h"

namespace minod {

namespace {

using option::refused;

constexpr std::int64_t kIntMax = std::numeric_limits<int>::max();
constexpr std::int64_t kKeepaliveSecondsMax = 32767;  // MAX_TCP_KEEPIDLE of Linux
constexpr std::int64_t kDiskPollMicrosMax = 1'000'000;
constexpr std::int64_t kClientsMax = 1'000'000;
constexpr std::int64_t kCheckpointBytesMax = std::int64_t{1} << 40;
constexpr std::int64_t kLagMax = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kCompactionRateMax = std::uint64_t{1} << 40;
constexpr std::int64_t kSlowLogEntriesMax = 100'000;
constexpr std::size_t kPasswordSizeMax = 512;               // Redis's CONFIG_AUTHPASS_MAX_LEN
constexpr std::size_t kBulkSizeMin = std::size_t{1} << 20;  // Redis's
constexpr std::int64_t kReadySegmentsMax = 2;
constexpr std::int64_t kRecycleSegmentsMax = 64;
constexpr unsigned kPermissionsMax = 0777;
constexpr std::int64_t kReplicasMax = 31;
constexpr std::int64_t kReplicaLagMin = 100;
constexpr std::uint64_t kCopyRateMin = std::uint64_t{1} << 20;

constexpr option::Choices<AckPolicy, 2> kAckPolicies{{{"leader", AckPolicy::kLeader}, {"all", AckPolicy::kAll}}};
constexpr option::Choices<bool, 2> kCompression{{{"none", false}, {"zstd", true}}};
constexpr option::Choices<DiskPolicy, 2> kDiskPolicies{
    {{"noeviction", DiskPolicy::kNoEviction}, {"allkeys-segment", DiskPolicy::kAllKeysSegment}}};
constexpr option::Choices<SyncPolicy, 3> kSyncPolicies{
    {{"always", SyncPolicy::kAlways}, {"everysec", SyncPolicy::kEverySec}, {"no", SyncPolicy::kNo}}};
constexpr option::Choices<WriteChoice, 4> kWriteChoices{{{"auto", WriteChoice::kAuto},
                                                         {"dsync", WriteChoice::kDsync},
                                                         {"fdsync", WriteChoice::kFdsync},
                                                         {"buffered", WriteChoice::kBuffered}}};
constexpr option::Choices<diag::Level, 4> kLevels{{{"debug", diag::Level::kDebug},
                                                   {"verbose", diag::Level::kVerbose},
                                                   {"notice", diag::Level::kNotice},
                                                   {"warning", diag::Level::kWarning}}};
constexpr option::Choices<diag::Format, 2> kFormats{{{"text", diag::Format::kText}, {"json", diag::Format::kJson}}};

std::string get_bind(const Config& config) {
  std::string all;
  for (const std::string& address : config.bind) all += (all.empty() ? "" : " ") + address;
  return all;
}

Result<void> set_bind(Config& config, std::string_view value) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kAliases{
      {{"*", "0.0.0.0"}, {"::*", "::"}, {"localhost", "127.0.0.1"}}};
  std::vector<std::string_view> words;
  resp::split_plain_words(value, words);
  std::vector<std::string> addresses;
  for (const std::string_view word : words) {
    const auto* alias = std::ranges::find(kAliases, word, [](const auto& one) { return one.first; });
    const std::string address(alias == kAliases.end() ? word : alias->second);
    in6_addr parsed{};
    if (inet_pton(AF_INET, address.c_str(), &parsed) != 1 && inet_pton(AF_INET6, address.c_str(), &parsed) != 1) {
      return refused("bind", "IP addresses, such as 127.0.0.1 ::1", word);
    }
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.empty()) return Error{Errc::kInvalid, 0, "bind must name an address; port 0 turns TCP off"};
  config.bind = std::move(addresses);
  return {};
}

Result<void> set_partitions(Config& config, std::string_view value) {
  const auto number = parse_integer(value);
  if (!number || *number < 1 || *number > kPartitionsMax || !std::has_single_bit(static_cast<unsigned>(*number))) {
    return refused("partitions", "a power of two from 1 to " + std::to_string(kPartitionsMax), value);
  }
  config.partitions = static_cast<int>(*number);
  return {};
}

Result<void> set_cpu_affinity(Config& config, std::string_view value) {
  auto cpus = parse_cpu_list(value);
  if (!cpus) return refused("cpu-affinity", "a list of processors such as 0-3,8", value);
  config.cpu_affinity = std::move(*cpus);
  return {};
}

std::string get_unixsocketperm(const Config& config) {
  char text[16];
  const auto end = std::to_chars(std::begin(text), std::end(text), config.unixsocketperm, 8).ptr;
  return {text, end};
}

Result<void> set_unixsocketperm(Config& config, std::string_view value) {
  unsigned permissions = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), permissions, 8);
  if (failure != std::errc() || end != value.data() + value.size() || permissions > kPermissionsMax) {
    return refused("unixsocketperm", "octal, from 0 to 777", value);
  }
  config.unixsocketperm = permissions;
  return {};
}

std::string get_value_size_hint(const Config& config) {
  std::string all;
  for (const auto& [db, size] : config.value_size_hint) {
    all += (all.empty() ? "" : ",") + std::to_string(db) + ":" + std::to_string(size);
  }
  return all;
}

Result<void> set_value_size_hint(Config& config, std::string_view value) {
  constexpr std::string_view kAccepted = "DB:BYTES,... with each database once, such as 0:120,3:4kb";
  std::vector<std::pair<int, std::size_t>> hints;
  if (value.ends_with(',')) return refused("value-size-hint", std::string(kAccepted), value);
  for (std::string_view rest = value; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::size_t colon = one.find(':');
    const auto db = parse_integer(one.substr(0, colon));
    const auto size = colon == std::string_view::npos
                          ? Result<std::uint64_t>(Error{})
                          : option::parse_size_between("value-size-hint", one.substr(colon + 1), 1, kValueSizeCeiling);
    const bool twice = db && std::ranges::find(hints, *db, [](const auto& hint) { return hint.first; }) != hints.end();
    if (!db || *db < 0 || *db >= kDatabases || !size || twice) {
      return refused("value-size-hint", std::string(kAccepted), value);
    }
    hints.emplace_back(static_cast<int>(*db), *size);
  }
  config.value_size_hint = std::move(hints);
  return {};
}

constexpr std::array kOptions{
    option::choice<"acks", &Config::acks, kAckPolicies>(
        "leader|all", "whose disks a replicated write is on when it is acknowledged", false),
    Option{"announce-peer", "HOST:PORT", "where other nodes reach this one's peer-port; empty: as they see it", false,
           [](const Config& config) { return config.announce_peer; }, set_announce_peer},
    option::choice<"appendfsync", &Config::appendfsync, kSyncPolicies>(
        "always|everysec|no", "when a write is safe enough to be acknowledged", true),
    Option{"bind", "ADDRESS...", "addresses to listen on", false, get_bind, set_bind},
    option::size<"checkpoint-bytes", &Config::checkpoint_bytes, 0, kCheckpointBytesMax>(
        "write the index down when a restart would read this much of a log; 0: never", false),
    option::flag<"compaction", &Config::compaction>("rewrite segments that hold much garbage; no: only BGREWRITEAOF",
                                                    true),
    option::size<"compaction-bytes-per-sec", &Config::compaction_bytes_per_sec, 0, kCompactionRateMax>(
        "what compaction may read and write a second; 0: no limit", true),
    option::number<"compaction-live-percent", &Config::compaction_live_percent, 1, 100>(
        "PERCENT", "a segment with a smaller share of live records is compacted", true),
    option::choice<"compression-type", &Config::compress, kCompression>("none|zstd",
                                                                        "how the log's batches are compressed", false),
    Option{"cpu-affinity", "LIST", "processors that the shards are pinned to, one each in this order; empty: none",
           false, [](const Config& config) { return cpu_list_text(config.cpu_affinity); }, set_cpu_affinity},
    option::number<"delete-retention-ms", &Config::delete_retention_ms, 0, kLagMax>(
        "MILLISECONDS", "compaction keeps what deletes a key for so long", true),
    option::text<"dir", &Config::dir, 1, 4096>("PATH", "where the data is kept", false),
    option::number<"disk-poll-us", &Config::disk_poll_us, 0, kDiskPollMicrosMax>(
        "MICROSECONDS", "how long an idle shard polls for what the disk is doing before it sleeps", false),
    option::flag<"enable-debug-command", &Config::enable_debug_command>("serve DEBUG, for tests", false),
    option::flag<"force-truncate", &Config::force_truncate>(
        "cut the log at damage in its middle instead of refusing to start", false),
    option::choice<"log-format", &Config::log_format, kFormats>("text|json", "what the lines on stderr look like",
                                                                false),
    option::choice<"loglevel", &Config::loglevel, kLevels>("debug|verbose|notice|warning", "the least that is told",
                                                           true),
    option::number<"max-compaction-lag-ms", &Config::max_compaction_lag_ms, 1, kLagMax>(
        "MILLISECONDS", "garbage that is older is compacted whatever its share", true),
    option::number<"maxclients", &Config::maxclients, 1, kClientsMax>("N", "connections served at a time", true),
    option::size<"maxdisk", &Config::maxdisk, 0, std::numeric_limits<std::uint64_t>::max()>(
        "the most that the logs' files take; 0: no limit", true),
    option::choice<"maxdisk-policy", &Config::maxdisk_policy, kDiskPolicies>(
        "noeviction|allkeys-segment", "what makes room within maxdisk: nothing, or the oldest segment goes", true),
    option::size<"maxmemory", &Config::maxmemory, 0, std::numeric_limits<std::uint64_t>::max()>(
        "memory for keys and values; 0: half of this machine's", true),
    option::number<"min-compaction-lag-ms", &Config::min_compaction_lag_ms, 0, kLagMax>(
        "MILLISECONDS", "compaction leaves younger records alone", true),
    option::number<"min-replicas-to-write", &Config::min_replicas_to_write, 0, kReplicasMax>(
        "N", "replicas that must be in sync for a write to be acknowledged; the same on all nodes", false),
    Option{"partitions", "N", "logs a database is spread over, a power of two; fixed at the first start", false,
           [](const Config& config) { return std::to_string(config.partitions); }, set_partitions},
    option::text<"peer-bind", &Config::peer_bind, 1, 64>("ADDRESS", "address that peer-port listens on", false),
    option::number<"peer-port", &Config::peer_port, 0, 65535>(
        "N", "TCP port for the other nodes of a replication group; 0: none", false),
    option::text<"peer-tls-ca-cert-file", &Config::peer_tls_ca_cert_file, 0, 4096>(
        "PATH", "PEM file of the authority whose certificates other nodes have", false),
    option::text<"peer-tls-cert-file", &Config::peer_tls_cert_file, 0, 4096>(
        "PATH", "PEM file of this node's certificate: TLS between nodes; empty: none", false),
    option::flag<"peer-tls-check-name", &Config::peer_tls_check_name>(
        "a node that is called must have the called host in its certificate", false),
    option::text<"peer-tls-key-file", &Config::peer_tls_key_file, 0, 4096>("PATH", "PEM file of its key", false),
    option::number<"port", &Config::port, 0, 65535>("N", "TCP port; 0: none", false),
    option::flag<"protected-mode", &Config::protected_mode>("without a password, serve only this machine", true),
    option::size<"proto-max-bulk-len", &Config::proto_max_bulk_len, kBulkSizeMin, kValueSizeCeiling>(
        "the longest value a client may send", true),
    option::number<"ready-segments", &Config::ready_segments, 1, kReadySegmentsMax>(
        "N", "next files of a log that are allocated and zeroed ahead of need", false),
    option::number<"recycle-segments", &Config::recycle_segments, 0, kRecycleSegmentsMax>(
        "N", "files of dead segments a log keeps for its next ones; 0: none", false),
    option::size<"replica-copy-rate", &Config::replica_copy_rate, kCopyRateMin, std::uint64_t{1} << 40>(
        "what a new replica copies of its leader's files a second, at most", false),
    option::number<"replica-lag-time-max-ms", &Config::replica_lag_time_max_ms, kReplicaLagMin, kLagMax>(
        "MILLISECONDS", "a replica that is behind for longer is not waited for", false),
    Option{"replicaof", "HOST:PORT", "peer-port of the node to follow, or of any other of its group", false,
           [](const Config& config) { return config.replicaof; }, set_replicaof},
    option::number<"replicas", &Config::replicas, 1, kReplicasMax>(
        "N", "copies beside the leader's; the same on all nodes", false),
    option::text<"requirepass", &Config::requirepass, 0, kPasswordSizeMax>("PASSWORD", "what clients must AUTH with",
                                                                           true),
    option::size<"segment-bytes", &Config::segment_bytes, kSegmentBytesMin, kSegmentBytesMax>(
        "a log begins a new file at this size", false),
    option::number<"shards", &Config::shards, 1, kShardsMax>("N", "threads, each with its share of the keys", false),
    option::number<"slowlog-log-slower-than", &Config::slowlog_log_slower_than, -1, kIntMax>(
        "MICROSECONDS", "commands that take longer are recorded; -1: none", true),
    option::number<"slowlog-max-len", &Config::slowlog_max_len, 0, kSlowLogEntriesMax>(
        "N", "how many slow commands are kept", true),
    option::number<"tcp-keepalive", &Config::tcp_keepalive, 0, kKeepaliveSecondsMax>(
        "SECONDS", "an idle connection is probed after this; 0: never", true),
    option::number<"timeout", &Config::timeout, 0, kIntMax>("SECONDS", "an idle client is closed after this; 0: never",
                                                            true),
    option::text<"unixsocket", &Config::unixsocket, 0, sizeof(sockaddr_un::sun_path) - 1>(
        "PATH", "unix socket to listen on", false),
    Option{"unixsocketperm", "OCTAL", "permissions of the unix socket", false, get_unixsocketperm, set_unixsocketperm},
    Option{"value-size-hint", "DB:BYTES,...", "usual sizes of values, for the memory that caches them", true,
           get_value_size_hint, set_value_size_hint},
    option::choice<"write-mode", &Config::write_mode, kWriteChoices>(
        "auto|dsync|fdsync|buffered", "how the log's writes are made durable; auto: what a start measures", false),
};
static_assert(std::ranges::is_sorted(kOptions, {}, &Option::name));

// What redis-benchmark, redis_exporter, StackExchange.Redis and RedisInsight ask for, answered as what minod does.
constexpr std::array kFixedOptions{
    FixedOption{"appenddirname", "appendonlydir"},
    FixedOption{"appendfilename", "appendonly.aof"},
    FixedOption{"appendonly", "yes"},
    FixedOption{"client-output-buffer-limit", "normal 268435456 0 0 slave 268435456 0 0 pubsub 268435456 0 0"},
    FixedOption{"cluster-enabled", "no"},
    FixedOption{"daemonize", "no"},
    FixedOption{"databases", "16"},
    FixedOption{"dbfilename", "dump.rdb"},
    FixedOption{"hz", "10"},
    FixedOption{"io-threads", "1"},
    FixedOption{"lazyfree-lazy-user-flush", "yes"},
    FixedOption{"maxmemory-policy", "noeviction"},
    FixedOption{"rdbchecksum", "yes"},
    FixedOption{"rdbcompression", "yes"},
    FixedOption{"replica-read-only", "yes"},
    FixedOption{"save", ""},
    FixedOption{"slave-read-only", "yes"},
    FixedOption{"tcp-backlog", "511"},
    FixedOption{"tls-port", "0"},
};
static_assert(std::ranges::is_sorted(kFixedOptions, {}, &FixedOption::name));
static_assert(kDatabases == 16 && kOutputBytesMaxDefault == 268435456);

}  // namespace

std::span<const Option> options() { return kOptions; }
std::span<const FixedOption> fixed_options() { return kFixedOptions; }

const Option* find_option(std::string_view name) {
  const auto* found =
      std::ranges::find_if(kOptions, [&](const Option& one) { return option::same_name(one.name, name); });
  return found == kOptions.end() ? nullptr : found;
}

Result<void> set_option(Config& config, std::string_view name, std::string_view value) {
  if (const Option* option = find_option(name)) return option->set(config, value);
  const auto* fixed =
      std::ranges::find_if(kFixedOptions, [&](const FixedOption& one) { return option::same_name(one.name, name); });
  if (fixed == kFixedOptions.end()) return Error{Errc::kNotFound, 0, "unknown option '" + std::string(name) + "'"};
  if (fixed->value == value) return {};
  return refused(fixed->name, "'" + std::string(fixed->value) + "', which can't be changed", value);
}

CompactionOptions compaction_options(const Config& config) {
  CompactionOptions options;
  options.enabled = config.compaction;
  options.live_percent = config.compaction_live_percent;
  // Each shard compacts by itself.
  options.bytes_per_second = config.compaction_bytes_per_sec / static_cast<std::uint64_t>(config.shards);
  options.min_lag = Millis(config.min_compaction_lag_ms);
  options.max_lag = Millis(config.max_compaction_lag_ms);
  options.delete_retention = Millis(config.delete_retention_ms);
  return options;
}

DiskBudget disk_budget(const Config& config) {
  return {config.maxdisk / static_cast<std::uint64_t>(config.shards), config.maxdisk_policy};
}

std::int64_t segment_bytes(const Config& config, int partitions) {
  const std::uint64_t budget = disk_budget(config).bytes;
  if (budget == 0) return config.segment_bytes;
  constexpr std::uint64_t kEach = 16;  // for each of the shard's logs, of one database
  const auto logs = static_cast<std::uint64_t>(std::max(1, partitions / config.shards));
  const std::uint64_t share = align_down(budget / std::max(Evictor::kSegmentShare, logs * kEach));
  return std::clamp(static_cast<std::int64_t>(std::min<std::uint64_t>(share, kSegmentBytesMax)), kSegmentBytesMin,
                    config.segment_bytes);
}

Result<void> check_config(const Config& config) {
  Config copy = config;
  for (const Option& option : kOptions) {
    auto accepted = option.set(copy, option.get(config));
    if (!accepted) return accepted.error();
  }
  const std::uint64_t maxdisk_min = kMaxdiskMin * static_cast<std::uint64_t>(config.shards);
  if (config.maxdisk != 0 && config.maxdisk < maxdisk_min) {
    return Error{Errc::kInvalid, 0,
                 "maxdisk must be 0 or at least " + std::to_string(maxdisk_min) + " (" + std::to_string(kMaxdiskMin) +
                     " for each of " + std::to_string(config.shards) + " shards)"};
  }
  if (config.port == 0 && config.unixsocket.empty()) {
    return Error{Errc::kInvalid, 0, "port 0 needs a unixsocket: there is nothing to listen on"};
  }
  if (config.min_compaction_lag_ms > config.max_compaction_lag_ms) {
    return Error{Errc::kInvalid, 0, "min-compaction-lag-ms must not be greater than max-compaction-lag-ms"};
  }
  return check_replication(config);
}

}  // namespace minod
