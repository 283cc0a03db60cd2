// What a shard tells of itself.
#include "net/shard.h"

namespace minod {

ShardReport Shard::fresh_report() {
  ShardReport& report = report_;
  report.clients = connections_.size();
  report.store = store_->counters();
  report.memory = store_->memory();
  report.cache_records = store_->cache().count();
  report.pool = store_->cache().pool_use();
  report.longest_turn_ns = longest_turn_.value();
  report.cold_reads = store_->cold_reader().reads() - cold_reads_before_;
  report.pending_bytes = store_->pending_bytes();
  report.checkpoints = store_->checkpointer().counters();
  report.compaction = store_->compaction_report();
  report.evictions = store_->evictor().counters();
  report.keyspaces.assign(kDatabases, {});
  report.log_end = 0;
  report.expiry_bytes = 0;
  report.log_bytes = report.disk_bytes = report.groups = 0;
  report.commit_ns.reset();
  report.group_bytes.reset();
  report.space = {};
  report.aio = disk_->counters();
  store_->for_each_partition([&](Partition& partition) {
    auto& keyspace = report.keyspaces[static_cast<std::size_t>(partition.db())];
    keyspace.keys += partition.index().size();
    keyspace.expires += partition.expiries().size();
    report.expiry_bytes += partition.expiries().memory_bytes();
    const Log& log = partition.log();
    report.log_end += log.marks().appended().value();
    report.log_bytes += log.counters().bytes;
    report.groups += log.counters().groups;
    report.commit_ns.merge(log.counters().commit_ns);
    report.group_bytes.merge(log.counters().group_bytes);
    report.space.add(log.segment_store());
    report.disk_bytes += static_cast<std::uint64_t>(log.disk_bytes());
  });
  if (replication_) report.replication = replication_->report();
  node_.publish(number_, report);
  return report;
}

void Shard::reset_statistics() {
  store_->reset_counters();
  cold_reads_before_ = store_->cold_reader().reads();
  report_.connections = report_.commands = report_.net_in_bytes = report_.net_out_bytes = 0;
  commands_rate_ = Rate();
  longest_turn_ = Nanos(0);
  fresh_report();
}

}  // namespace minod
