// INFO: what the node tells of itself, in Redis's sections and with Redis's names, and what only minod has as minod_*.
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "net/node_replication.h"
#include "net/resp/connection_commands.h"
#include "net/resp/replication_text.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/argument.h"

namespace minod::resp {

namespace {

class Lines {
 public:
  void section(std::string_view title) { text_ += (text_.empty() ? "# " : "\r\n# ") + std::string(title) + "\r\n"; }
  void line(std::string_view name, std::string_view value) {
    text_ += std::string(name) + ':' + std::string(value) + "\r\n";
  }
  void line(std::string_view name, std::uint64_t value) { line(name, std::to_string(value)); }
  void real(std::string_view name, double value, const char* format) {
    char digits[64];
    std::snprintf(digits, sizeof digits, format, value);
    line(name, digits);
  }
  void lines(std::string_view text) { text_ += text; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// What the sections are written from, gathered once for all of them.
struct Facts {
  Node& node;
  Config config;
  ShardReport sum;
};

void add(ShardReport& sum, const ShardReport& report) {
  sum.clients += report.clients;
  sum.blocked_clients += report.blocked_clients;
  sum.connections += report.connections;
  sum.commands += report.commands;
  sum.commands_per_second += report.commands_per_second;
  sum.net_in_bytes += report.net_in_bytes;
  sum.net_out_bytes += report.net_out_bytes;
  sum.store.hits += report.store.hits;
  sum.store.misses += report.store.misses;
  sum.store.expired += report.store.expired;
  sum.store.parked += report.store.parked;
  sum.store.refused_full += report.store.refused_full;
  sum.store.refused_memory += report.store.refused_memory;
  sum.memory.index += report.memory.index;
  sum.memory.tail += report.memory.tail;
  sum.memory.cache += report.memory.cache;
  sum.memory.clients += report.memory.clients;
  sum.memory.reads += report.memory.reads;
  sum.pool.add(report.pool);
  sum.expiry_bytes += report.expiry_bytes;
  sum.longest_turn_ns = std::max(sum.longest_turn_ns, report.longest_turn_ns);
  sum.cache_records += report.cache_records;
  sum.cold_reads += report.cold_reads;
  sum.compaction.add(report.compaction);
  sum.evictions.add(report.evictions);
  sum.log_end += report.log_end;
  sum.log_bytes += report.log_bytes;
  sum.disk_bytes += report.disk_bytes;
  sum.groups += report.groups;
  sum.pending_bytes += report.pending_bytes;
  sum.commit_ns.merge(report.commit_ns);
  sum.group_bytes.merge(report.group_bytes);
  sum.space.add(report.space);
  sum.aio.add(report.aio);
  sum.checkpoints.add(report.checkpoints);
  sum.direct_io = sum.direct_io && report.direct_io;
  sum.keyspaces.resize(std::max(sum.keyspaces.size(), report.keyspaces.size()));
  for (std::size_t db = 0; db < report.keyspaces.size(); ++db) {
    sum.keyspaces[db].keys += report.keyspaces[db].keys;
    sum.keyspaces[db].expires += report.keyspaces[db].expires;
  }
}

Facts gather(Session& session) {
  Node& node = session.shard().node();
  Facts facts{node, node.config(), {}};
  for (const ShardReport& report : reports_now(session.shard())) add(facts.sum, report);
  return facts;
}

// "1.42M", as Redis writes it.
std::string human(std::uint64_t bytes) {
  constexpr std::array<char, 5> kUnits{'K', 'M', 'G', 'T', 'P'};
  if (bytes < 1024) return std::to_string(bytes) + "B";
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.2f%c", value, kUnits[unit]);
  return text;
}

double ratio(std::uint64_t a, std::uint64_t b) { return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b); }

std::uint64_t resident_bytes() {
  unsigned long long all = 0;
  unsigned long long resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  const int read = std::fscanf(file, "%llu %llu", &all, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

std::string executable() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

void server(Lines& out, const Facts& facts) {
  utsname os{};
  uname(&os);
  const std::int64_t uptime_ms = (facts.node.clock().now() - facts.node.started_at()).value();
  const auto uptime = static_cast<std::uint64_t>(std::max<std::int64_t>(uptime_ms, 0)) / 1000;
  out.section("Server");
  out.line("redis_version", kRedisVersion);
  out.line("minod_version", MINOD_VERSION);
  out.line("redis_mode", "standalone");
  out.line("os", std::string(os.sysname) + ' ' + os.release + ' ' + os.machine);
  out.line("arch_bits", 64);
  out.line("process_id", static_cast<std::uint64_t>(getpid()));
  out.line("run_id", facts.node.run_id());
  out.line("tcp_port", facts.config.port);
  out.line("server_time_usec", static_cast<std::uint64_t>(facts.node.clock().now().value()) * 1000);
  out.line("uptime_in_seconds", uptime);
  out.line("uptime_in_days", uptime / 86400);
  out.line("executable", executable());
  out.line("config_file", "");
  out.line("minod_shards", static_cast<std::uint64_t>(facts.node.shard_count()));
  out.line("minod_partitions", static_cast<std::uint64_t>(facts.config.partitions));
}

void clients(Lines& out, const Facts& facts) {
  out.section("Clients");
  out.line("connected_clients", facts.sum.clients);
  out.line("cluster_connections", 0);
  out.line("maxclients", facts.config.maxclients);
  out.line("blocked_clients", facts.sum.blocked_clients);
  out.line("tracking_clients", 0);
}

void memory_section(Lines& out, const Facts& facts) {
  struct sysinfo machine {};
  sysinfo(&machine);
  const std::uint64_t machine_bytes = std::uint64_t{machine.totalram} * machine.mem_unit;
  const Store::Memory& memory = facts.sum.memory;
  const std::uint64_t limit = facts.node.memory_limit();
  const std::uint64_t resident = resident_bytes();
  std::uint64_t keys = 0;
  std::uint64_t expiring = 0;
  for (const auto& keyspace : facts.sum.keyspaces) {
    keys += keyspace.keys;
    expiring += keyspace.expires;
  }
  out.section("Memory");
  out.line("used_memory", memory.total());
  out.line("used_memory_human", human(memory.total()));
  out.line("used_memory_rss", resident);
  out.line("used_memory_rss_human", human(resident));
  out.line("total_system_memory", machine_bytes);
  out.line("total_system_memory_human", human(machine_bytes));
  out.line("maxmemory", limit);
  out.line("maxmemory_human", human(limit));
  out.line("maxmemory_policy", "noeviction");
  out.real("mem_fragmentation_ratio", ratio(resident, memory.total()), "%.2f");
  out.line("mem_clients_normal", memory.clients);
  out.line("minod_index_bytes", memory.index);
  out.line("minod_tail_bytes", memory.tail);
  out.line("minod_cache_bytes", memory.cache);
  out.line("minod_cache_records", facts.sum.cache_records);
  out.line("minod_client_bytes", memory.clients);
  out.line("minod_read_bytes", memory.reads);
  out.line("minod_pool_used_bytes", facts.sum.pool.used_bytes);
  out.line("minod_pool_block_bytes", facts.sum.pool.block_bytes);
  out.line("minod_pool_classes", facts.sum.pool.classes);
  out.line("minod_pool_fallback_count", facts.sum.pool.fallback_count);
  out.line("minod_pool_fallback_bytes", facts.sum.pool.fallback_bytes);
  out.line("minod_pool_fallbacks_ever", facts.sum.pool.fallbacks_ever);
  out.real("minod_bytes_per_expiry", ratio(facts.sum.expiry_bytes, expiring), "%.2f");
  out.real("minod_bytes_per_key", ratio(memory.index, keys), "%.2f");
}

// How groups reach the disk, and the space that is ready for them.
void write_path(Lines& out, const Facts& facts) {
  const ShardReport& sum = facts.sum;
  const auto tenths_us = [](std::int64_t ns) { return static_cast<double>(ns) / 1000; };
  const WriteProbe& probe = facts.node.write_probe();
  out.line("minod_write_mode", name_of(facts.node.write_way()));
  out.real("minod_probe_dsync_us", tenths_us(probe.dsync_ns), "%.1f");
  out.real("minod_probe_fdsync_us", tenths_us(probe.fdsync_ns), "%.1f");
  out.real("minod_probe_buffered_us", tenths_us(probe.buffered_ns), "%.1f");
  out.line("minod_group_bytes_p50", sum.group_bytes.value_at(0.5));
  out.line("minod_group_bytes_p99", sum.group_bytes.value_at(0.99));
  out.line("minod_group_bytes_max", sum.group_bytes.max());
  out.line("minod_io_submits", sum.aio.submits);
  out.real("minod_io_submit_mean_us",
           tenths_us(static_cast<std::int64_t>(sum.aio.submit_ns)) /
               static_cast<double>(std::max<std::uint64_t>(sum.aio.submits, 1)),
           "%.1f");
  out.line("minod_io_submit_max_us", sum.aio.longest_submit_ns / 1000);
  out.line("minod_io_submits_blocked", sum.aio.slow_submits);  // more than a millisecond
  out.line("minod_io_nowait_fallbacks", sum.aio.nowait_fallbacks);
  out.line("minod_segments_ready", sum.space.ready);
  out.line("minod_segments_spare", sum.space.spare);
  out.line("minod_segments_created", sum.space.created);
  out.line("minod_segments_recycled", sum.space.recycled);
}

std::string seconds_or_none(Millis time) { return time < Millis(0) ? "-1" : std::to_string(time.value() / 1000); }

void persistence(Lines& out, const Facts& facts) {
  const ShardReport& sum = facts.sum;
  const RecoveryReport& recovery = facts.node.recovery();
  const auto micros = [&](double quantile) { return sum.commit_ns.value_at(quantile) / 1000; };
  out.section("Persistence");
  NodeReplication* const replicated = facts.node.replication();
  out.line("loading", replicated != nullptr && !replicated->leads() && replicated->report().loading ? 1 : 0);
  out.line("async_loading", 0);
  out.line("rdb_changes_since_last_save", 0);
  const BackupState backup = facts.node.backup().state();
  const Nanos backing_up = facts.node.clock().monotonic() - backup.began;
  const auto seconds = [](std::int64_t millis) { return std::to_string(millis < 0 ? -1 : millis / 1000); };
  out.line("rdb_bgsave_in_progress", backup.running ? 1 : 0);
  out.line("rdb_last_save_time", static_cast<std::uint64_t>(backup.last_success.value()) / 1000);
  out.line("rdb_last_bgsave_status", backup.last_failed ? "err" : "ok");
  out.line("rdb_last_bgsave_time_sec", seconds(backup.last_millis));
  out.line("rdb_current_bgsave_time_sec", seconds(backup.running ? backing_up.value() / 1'000'000 : -1));
  out.line("rdb_saves", backup.count);
  out.line("aof_enabled", 1);
  out.line("aof_rewrite_in_progress", sum.compaction.asked ? 1 : 0);
  out.line("aof_rewrite_scheduled", 0);
  out.line("aof_last_rewrite_time_sec", seconds_or_none(sum.compaction.last_asked_took));
  out.line("aof_current_rewrite_time_sec", seconds_or_none(sum.compaction.asked_for));
  out.line("aof_last_bgrewrite_status", sum.compaction.last_asked_ok ? "ok" : "err");
  out.line("aof_last_write_status", "ok");  // a log that fails ends the process
  out.line("aof_current_size", sum.disk_bytes);
  out.line("aof_pending_bio_fsync", 0);
  out.line("aof_delayed_fsync", 0);
  out.line("minod_commit_groups", sum.groups);
  out.line("minod_commit_p50_us", micros(0.5));
  out.line("minod_commit_p99_us", micros(0.99));
  out.line("minod_commit_p999_us", micros(0.999));
  out.line("minod_commit_max_us", sum.commit_ns.max() / 1000);
  out.line("minod_log_end", static_cast<std::uint64_t>(sum.log_end));
  out.line("minod_log_written_bytes", sum.log_bytes);
  out.line("minod_pending_bytes", sum.pending_bytes);
  out.line("minod_direct_io", sum.direct_io ? 1 : 0);
  write_path(out, facts);
  out.line("minod_last_recovery_records", static_cast<std::uint64_t>(recovery.records));
  out.line("minod_last_recovery_checkpoint_records", static_cast<std::uint64_t>(recovery.checkpoint_records));
  out.line("minod_last_recovery_hint_records", static_cast<std::uint64_t>(recovery.hint_records));
  out.line("minod_checkpoint_running", sum.checkpoints.running ? 1 : 0);
  out.line("minod_checkpoints_written", sum.checkpoints.written);
  out.line("minod_checkpoints_failed", sum.checkpoints.failed);
  out.line("minod_checkpoint_bytes", sum.checkpoints.bytes);
  out.line("minod_checkpoint_pause_us_max", static_cast<std::uint64_t>(sum.checkpoints.slice_ns) / 1000);
  out.line("minod_last_recovery_bytes", static_cast<std::uint64_t>(recovery.bytes));
  out.real("minod_last_recovery_seconds", facts.node.recovery_seconds(), "%.3f");
  out.line("minod_last_recovery_cuts", recovery.cuts.size());
}

void compaction(Lines& out, const Facts& facts) {
  const CompactionReport& report = facts.sum.compaction;
  out.section("Compaction");
  out.line("minod_compaction_running", report.running ? 1 : 0);
  out.line("minod_compaction_progress_bytes", report.progress_bytes);
  out.line("minod_compaction_total_bytes", report.total_bytes);
  out.line("minod_compaction_rate", report.rate);
  out.line("minod_compaction_runs", report.runs);
  out.line("minod_compaction_given_up", report.given_up);
  out.line("minod_compaction_failed", report.failed);
  out.line("minod_compaction_bytes_read", report.bytes_read);
  out.line("minod_compaction_bytes_written", report.bytes_written);
  out.line("minod_compaction_bytes_freed", report.bytes_freed);
  out.line("minod_compaction_records_dropped", report.records_dropped);
  out.line("minod_compaction_erasures_dropped", report.erasures_dropped);
  out.line("minod_compaction_garbage_bytes", report.garbage_bytes);
  out.line("minod_compaction_pause_us_max", static_cast<std::uint64_t>(report.pause_ns) / 1000);
}

void stats(Lines& out, const Facts& facts) {
  const ShardReport& sum = facts.sum;
  out.section("Stats");
  out.line("total_connections_received", sum.connections);
  out.line("total_commands_processed", sum.commands);
  out.line("instantaneous_ops_per_sec", sum.commands_per_second);
  out.line("total_net_input_bytes", sum.net_in_bytes);
  out.line("total_net_output_bytes", sum.net_out_bytes);
  out.line("rejected_connections", facts.node.rejected());
  out.line("expired_keys", sum.store.expired);
  out.line("evicted_keys", sum.evictions.keys);
  out.line("evicted_clients", 0);
  out.line("keyspace_hits", sum.store.hits);
  out.line("keyspace_misses", sum.store.misses);
  out.line("pubsub_channels", 0);
  out.line("pubsub_patterns", 0);
  out.line("latest_fork_usec", 0);
  out.line("total_forks", 0);
  out.line("minod_parked", sum.store.parked);
  out.line("minod_cold_reads", sum.cold_reads);
  out.line("minod_refused_disk_full", sum.store.refused_full);
  out.line("minod_refused_maxmemory", sum.store.refused_memory);
  out.line("minod_refused_maxdisk", sum.evictions.refused);
  out.line("minod_turn_us_max", static_cast<std::uint64_t>(sum.longest_turn_ns) / 1000);
  out.line("minod_disk_limit", facts.config.maxdisk);
  out.line("minod_disk_policy",
           facts.config.maxdisk_policy == DiskPolicy::kAllKeysSegment ? "allkeys-segment" : "noeviction");
  out.line("minod_disk_bytes", sum.disk_bytes);
  out.line("minod_disk_evicted_segments", sum.evictions.segments);
  out.line("minod_disk_kept_records", sum.evictions.kept_records);
  out.line("minod_disk_kept_bytes", sum.evictions.kept_bytes);
}

void replication(Lines& out, const Facts& facts) {
  out.section("Replication");
  out.lines(replication_lines(facts.node, facts.sum.log_end));
}

void cpu(Lines& out, const Facts&) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  out.section("CPU");
  out.real("used_cpu_sys", seconds(used.ru_stime), "%.6f");
  out.real("used_cpu_user", seconds(used.ru_utime), "%.6f");
}

void keyspace(Lines& out, const Facts& facts) {
  out.section("Keyspace");
  for (std::size_t db = 0; db < facts.sum.keyspaces.size(); ++db) {
    const auto& one = facts.sum.keyspaces[db];
    if (one.keys == 0) continue;
    out.line("db" + std::to_string(db),
             "keys=" + std::to_string(one.keys) + ",expires=" + std::to_string(one.expires) + ",avg_ttl=0");
  }
}

struct Section {
  std::string_view name;  // in capitals
  void (*write)(Lines&, const Facts&);
};

constexpr std::array<Section, 9> kSections{{{"SERVER", server},
                                            {"CLIENTS", clients},
                                            {"MEMORY", memory_section},
                                            {"PERSISTENCE", persistence},
                                            {"COMPACTION", compaction},
                                            {"STATS", stats},
                                            {"REPLICATION", replication},
                                            {"CPU", cpu},
                                            {"KEYSPACE", keyspace}}};

}  // namespace

void info(Session& session) {
  const auto names = session.args().subspan(1);
  const auto asked_for = [&](std::string_view word) {
    return std::ranges::any_of(names, [&](std::string_view name) { return is_word(name, word); });
  };
  const bool all = names.empty() || asked_for("ALL") || asked_for("EVERYTHING") || asked_for("DEFAULT");
  const Facts facts = gather(session);
  Lines out;
  for (const Section& section : kSections) {
    if (all || asked_for(section.name)) section.write(out, facts);
  }
  session.reply().verbatim(out.text());
}

}  // namespace minod::resp
