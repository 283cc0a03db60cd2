// What a Replication is made of; for its own sources.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "cluster/replicated_log.h"
#include "cluster/replication.h"

namespace minod {

struct Replication::Parts {
  // What the operator asked for last: logs that are made later join in it.
  enum class Wish : std::uint8_t { kNothing, kLead, kFollow };

  Parts(Disk& disk, const Clock& clock, Store& store, MemberId self, ReplicationOptions options, Transport& transport)
      : host{disk, clock, store, self, std::move(options), transport, {}, {}, {}, {}, {}} {}

  Result<void> add(Partition& partition, bool was_replicated);
  void made(Partition& partition);
  void tell_logs(MemberId to);
  bool leads_some() const;

  // ---- the logs of one partition, replication_partition.cc

  const ReplicatedLog* first_log(int partition) const;
  bool leads_partition(int partition) const;
  bool may_begin(const ReplicatedLog& log) const;
  bool counts_in(int partition) const;
  bool was_elected(int partition) const;
  std::vector<LogName> logs_of(int partition) const;
  bool can_be(const LogName& name) const;
  static void warn_of(const LogName& name);
  bool must_claim(const ReplicatedLog& log) const;
  void claim(ReplicatedLog& log);
  void look_at_claims();
  void make_first_logs();
  bool has_all_told(const Promised& promised) const;
  bool comes_early(const LogName& name, const Message& message) const;
  bool waits_for_log(MemberId from, const LogName& name, const Message& message);
  bool may_follow(const ReplicatedLog& log, MemberId from, const Message& message) const;
  bool has_seen_all(MemberId from, const ReplicatedLog& log, const Fetch& fetch);
  void deliver_early();
  void note_roles();
  ReplicatedLog* find(const LogName& name);
  const ReplicatedLog* find(int db, int partition) const;
  void learn_logs(const LogName& about, const Logs& logs);
  void make_told();
  void report_member(const ReplicatedLog& log, const Progress& progress, ReplicationReport& report) const;

  ReplicationHost host;
  std::map<LogName, std::unique_ptr<ReplicatedLog>> logs;
  std::set<MemberId> connected;
  Wish wish = Wish::kNothing;
  MemberId leader;
  std::size_t led = 0;     // so many logs, when it was last looked at
  std::set<LogName> told;  // of logs that the leader has
  struct Early {
    MemberId from;
    LogName log;
    Message message;
    MonotonicNanos came_at;
  };
  std::vector<Early> early;                                // for logs that are being made
  std::map<MemberId, std::map<LogName, Fetch>> newcomers;  // what they fetched last
  std::map<LogName, Millis> not_led_since;                 // of a partition that this node leads
};

}  // namespace minod
