// Before a node's logs are led here, they come to ends that agree: of a transaction that was written to several, all is
// there or nothing, as after a restart (replay/joint_cut.h). Each log stops and says what it has; when all have, each
// is told where it ends. Any thread; promotions are rare, so a mutex does.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "cluster/log_name.h"
#include "replay/joint_cut.h"

namespace minod {

class JointRound {
 public:
  // So many logs take part: all that the node has.
  void log_made() {
    const std::lock_guard lock(mutex_);
    ++logs_;
  }
  void log_gone() {
    const std::lock_guard lock(mutex_);
    --logs_;
  }

  // This log has stopped; nothing is appended to it until it has ended().
  void stopped(const LogEnd& log) {
    const std::lock_guard lock(mutex_);
    const LogName name{static_cast<std::int16_t>(log.db), static_cast<std::int16_t>(log.number)};
    stopped_[name] = log;
    if (stopped_.size() < logs_) return;
    std::vector<LogEnd> all;
    for (const auto& [one, end] : stopped_) all.push_back(end);
    const std::vector<Offset> ends = agreeing_ends(all);
    std::size_t i = 0;
    for (const auto& [one, end] : stopped_) ends_[one] = ends[i++];
    stopped_.clear();
  }

  // Where it is to end, once that is known; each is told once.
  std::optional<Offset> ended(LogName name) {
    const std::lock_guard lock(mutex_);
    const auto found = ends_.find(name);
    if (found == ends_.end()) return std::nullopt;
    const Offset end = found->second;
    ends_.erase(found);
    return end;
  }

  // It is not promoted after all.
  void resumed(LogName name) {
    const std::lock_guard lock(mutex_);
    stopped_.erase(name);
    ends_.erase(name);
  }

 private:
  std::mutex mutex_;
  std::size_t logs_ = 0;
  std::map<LogName, LogEnd> stopped_;
  std::map<LogName, Offset> ends_;
};

}  // namespace minod
