// How fast compaction may go: bytes a second, less while commits are slow, never less than a floor. Belongs to one
// thread.
#pragma once

#include <cstdint>

#include "base/ids.h"

namespace minod {

class CompactionPace {
 public:
  static constexpr std::uint64_t kFloor = std::uint64_t{1} << 20;  // so that it always gets to its end
  static constexpr Nanos kCommitCalm{500'000};                     // commits that are faster than this are never slow

  explicit CompactionPace(std::uint64_t bytes_per_second) { set_limit(bytes_per_second); }

  // 0: no limit.
  void set_limit(std::uint64_t bytes_per_second);

  // Commits so far: how many groups, and the sum of their times. `running`: compaction is, so these are disturbed ones.
  void see_commits(std::uint64_t groups, double nanos, bool running);

  // Some time has passed.
  void refill(MonotonicNanos now);

  bool may_go() const { return limit_ == 0 || tokens_ > 0; }
  void spend(std::int64_t bytes) { tokens_ -= bytes; }
  std::uint64_t rate() const { return rate_; }  // bytes a second at present; 0: no limit

 private:
  std::uint64_t limit_ = 0;
  std::uint64_t rate_ = 0;
  std::int64_t tokens_ = 0;
  MonotonicNanos refilled_at_;
  std::uint64_t groups_ = 0;
  double nanos_ = 0;
  double calm_ = 0;  // what a commit takes without compaction
};

}  // namespace minod
