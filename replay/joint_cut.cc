#include "replay/joint_cut.h"

#include <algorithm>
#include <map>
#include <utility>

#include "replay/log_files.h"

namespace minod {

std::vector<Offset> agreeing_ends(std::span<const LogEnd> logs) {
  std::vector<Offset> ends;
  std::map<std::pair<int, int>, std::size_t> place;
  for (const LogEnd& log : logs) {
    place[{log.db, log.number}] = ends.size();
    ends.push_back(log.end);
  }
  const auto reaches = [&](const LogReach& wanted) {
    const auto found = place.find({wanted.db, wanted.number});
    return (found == place.end() ? kFirstOffset : ends[found->second]) >= wanted.end;
  };
  // Each round shortens a log by a batch at least, or is the last.
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < logs.size(); ++i) {
      const auto torn = std::ranges::find_if(logs[i].joints, [&](const JointBatch& joint) {
        return joint.begin < ends[i] && !std::ranges::all_of(joint.logs, reaches);
      });
      if (torn == logs[i].joints.end()) continue;
      ends[i] = torn->begin;
      changed = true;
    }
  }
  return ends;
}

Result<std::vector<LogStart>> recover_together(std::span<const LogToRecover> logs, const KeyHasher& hasher,
                                               const RecoveryOptions& options, RecoveryReport& report) {
  std::vector<std::unique_ptr<LogRecovery>> recoveries;
  std::vector<LogEnd> found;
  for (const LogToRecover& log : logs) {
    recoveries.push_back(
        std::make_unique<LogRecovery>(*log.disk, log.directory, hasher, *log.partition, options, report));
    LogRecovery& recovery = *recoveries.back();
    if (log.followed) recovery.follow(*log.followed);
    auto read = recovery.read();
    if (!read && log.followed && log.followed->fetches_again && read.error().code == Errc::kCorrupt) {
      // A leader has all of it.
      report.ignored.push_back(log.directory + " is fetched anew: " + read.error().message());
      if (auto wiped = wipe_log(*log.disk, log.directory); !wiped) return wiped.error();
      recoveries.back() =
          std::make_unique<LogRecovery>(*log.disk, log.directory, hasher, *log.partition, options, report);
      recoveries.back()->follow(*log.followed);
      read = recoveries.back()->read();
    }
    if (!read) return read.error();
    const LogRecovery& done = *recoveries.back();
    found.push_back(LogEnd{log.partition->db(), log.partition->number(), done.end(), done.joints()});
  }
  const std::vector<Offset> ends = agreeing_ends(found);
  for (std::size_t i = 0; i < logs.size(); ++i) {
    if (ends[i] == found[i].end) continue;
    auto cut = recoveries[i]->cut_at(ends[i], "a transaction begins there that not all of its logs have");
    if (!cut) return cut.error();
  }
  std::vector<LogStart> starts;
  for (const auto& recovery : recoveries) {
    auto start = recovery->finish();
    if (!start) return start.error();
    starts.push_back(std::move(*start));
  }
  return starts;
}

}  // namespace minod
