#include "net/resp/replication_text.h"

#include <algorithm>

#include "net/node.h"
#include "net/node_replication.h"

namespace minod::resp {

namespace {

void line(std::string& out, std::string_view name, std::string_view value) {
  out += std::string(name) + ":" + std::string(value) + "\r\n";
}
void line(std::string& out, std::string_view name, std::int64_t value) { line(out, name, std::to_string(value)); }

// Redis knows one stream, and counts its bytes; here it is the records of all logs.
void leader_lines(std::string& out, NodeReplication& replication, const ReplicationReport& report) {
  line(out, "role", "master");
  line(out, "connected_slaves", std::ranges::count_if(report.members, &MemberReport::connected));
  line(out, "min_slaves_good_slaves", static_cast<std::int64_t>(report.in_sync_least) - 1);
  int number = 0;
  for (const MemberReport& member : report.members) {
    if (!member.connected) continue;
    const auto entry = replication.book().find(member.member);
    line(out, "slave" + std::to_string(number++),
         "ip=" + (entry ? entry->address.host : "?") + ",port=" + std::to_string(entry ? entry->client_port : 0) +
             ",state=" + (member.in_sync ? "online" : "send_bulk") + ",offset=" + std::to_string(member.acknowledged) +
             ",lag=" + std::to_string(member.ms_lag.value() / 1000));
  }
}

void follower_lines(std::string& out, NodeReplication& replication, const ReplicationReport& report) {
  line(out, "role", "slave");
  const auto leader = replication.book().find(report.leader);
  const auto beginning = replication.beginning();
  const bool up = leader && report.heard_ago < Millis(3000);
  line(out, "master_host", leader ? leader->address.host : beginning.seeks ? beginning.seeks->host : "");
  line(out, "master_port", leader ? leader->client_port : 0);
  line(out, "master_link_status", up ? "up" : "down");
  line(out, "master_last_io_seconds_ago", up ? report.heard_ago.value() / 1000 : -1);
  line(out, "master_sync_in_progress", report.loading ? 1 : 0);
  line(out, "slave_read_repl_offset", report.end);
  line(out, "slave_repl_offset", report.committed);
  if (!up) line(out, "master_link_down_since_seconds", report.heard_ago.value() / 1000);
  line(out, "slave_priority", 100);
  line(out, "slave_read_only", 1);
  line(out, "replica_announced", 1);
  line(out, "connected_slaves", 0);
}

std::string_view state_name(const ReplicationReport& report) {
  if (report.role == Role::kLeader) return "leader";
  return report.role == Role::kCandidate ? "candidate" : "follower";
}

std::string lone_lines(const Node& node, std::int64_t end) {
  std::string out;
  line(out, "role", "master");
  line(out, "connected_slaves", 0);
  line(out, "master_failover_state", "no-failover");
  line(out, "master_replid", node.run_id());
  line(out, "master_replid2", std::string(40, '0'));
  line(out, "master_repl_offset", end);
  line(out, "second_repl_offset", "-1");
  line(out, "repl_backlog_active", 0);
  return out;
}

}  // namespace

std::string replication_lines(Node& node, std::int64_t end) {
  if (node.replication() == nullptr) return lone_lines(node, end);
  NodeReplication& replication = *node.replication();
  const ReplicationReport report = replication.report();
  std::string out;
  if (replication.leads()) {
    leader_lines(out, replication, report);
  } else {
    follower_lines(out, replication, report);
  }
  line(out, "master_failover_state",
       replication.failover_state() == FailoverState::kNone ? "no-failover" : "waiting-for-sync");
  const std::string group = text_of(replication.book().group());
  line(out, "master_replid", group + std::string(40 - group.size(), '0'));
  line(out, "master_replid2", std::string(40, '0'));
  line(out, "master_repl_offset", replication.leads() ? report.end : report.committed);
  line(out, "second_repl_offset", -1);
  line(out, "repl_backlog_active", replication.leads() ? 1 : 0);
  line(out, "minod_replication_role", state_name(report));
  line(out, "minod_replication_term", report.term);
  line(out, "minod_replication_member", text_of(replication.self()));
  line(out, "minod_replication_leader", text_of(report.leader));
  line(out, "minod_replication_committed", report.committed);
  line(out, "minod_replication_end", report.end);
  line(out, "minod_replication_in_sync", static_cast<std::int64_t>(report.in_sync_least));
  line(out, "minod_replication_enough", report.enough_in_sync ? 1 : 0);
  line(out, "minod_replication_copied_bytes", static_cast<std::int64_t>(report.copied_bytes));
  int number = 0;
  for (const MemberReport& member : report.members) {
    line(out, "minod_replica" + std::to_string(number++),
         "member=" + text_of(member.member) + ",connected=" + std::to_string(member.connected) +
             ",in_sync=" + std::to_string(member.in_sync) + ",lag_offsets=" + std::to_string(member.offset_lag) +
             ",lag_bytes=" + std::to_string(member.bytes_lag) + ",lag_ms=" + std::to_string(member.ms_lag.value()));
  }
  return out;
}

std::string_view role_name(const NodeReplication* replication) {
  return replication == nullptr || replication->leads() ? "master" : "slave";
}

}  // namespace minod::resp
