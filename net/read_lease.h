// What lets a leader answer reads by itself: members that follow it have said that they help nobody else to lead for a
// while. docs/REPLICATION.md, "Reads". No clocks are compared: each side measures from its own moment, the leader from
// an earlier one, and for a little less.
//
// A leader of `least` members is replaced with the promises of `nodes - least + 1`. So of `least` that promise nothing,
// itself among them, one would have to be asked.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <vector>

#include "base/ids.h"
#include "cluster/member.h"

namespace minod {

inline constexpr Nanos kGrantTime{500'000'000};
inline constexpr Nanos kLeaseTime{450'000'000};  // of it, what a leader relies on: clocks may differ by a tenth in rate

// A leader's side.
class ReadLease {
 public:
  // `asked_at`: when the leader sent the question that this answers.
  void granted(MemberId by, MonotonicNanos asked_at) {
    if (asked_at < floor_) return;
    MonotonicNanos& until = until_[by];
    until = std::max(until, asked_at + kLeaseTime);
  }

  // Nothing that was asked before counts any more: leadership is being given away.
  void give_up(MonotonicNanos now) {
    floor_ = now + Nanos(1);
    until_.clear();
  }

  // Until when `others` members besides the leader help nobody else.
  MonotonicNanos until(std::size_t others) const {
    if (others == 0) return MonotonicNanos(std::numeric_limits<std::int64_t>::max());
    std::vector<MonotonicNanos> all;
    for (const auto& [member, until] : until_) all.push_back(until);
    if (all.size() < others) return MonotonicNanos(0);
    std::ranges::nth_element(all, all.begin() + static_cast<std::ptrdiff_t>(others) - 1, std::greater());
    return all[others - 1];
  }

 private:
  std::map<MemberId, MonotonicNanos> until_;
  MonotonicNanos floor_;
};

// A follower's side.
class ReadGrant {
 public:
  void grant(MemberId to, MonotonicNanos now) {
    to_ = to;
    until_ = now + kGrantTime;
  }
  // The one that it was given to does not need it any more.
  void give_back(MemberId from) {
    if (from == to_) until_ = MonotonicNanos(0);
  }
  // Whether `candidate` must wait.
  bool binds(MemberId candidate, MonotonicNanos now) const { return candidate != to_ && now < until_; }

 private:
  MemberId to_;
  MonotonicNanos until_;
};

}  // namespace minod
