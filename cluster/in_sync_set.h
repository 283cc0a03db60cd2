// The members that an acknowledgement waits for. A set has a version, greater than all before it; of the sets that a
// node has heard of, the one with the greatest version counts.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "cluster/member.h"

namespace minod {

struct SetVersion {
  Epoch epoch;              // of the leader that made it
  std::int32_t number = 0;  // within the epoch
  friend constexpr auto operator<=>(SetVersion, SetVersion) = default;
};

struct InSyncSet {
  SetVersion version;
  std::vector<MemberId> members;  // ascending
  // All that ever were in a set in force; ascending. Not who is only about to join.
  std::vector<MemberId> known;

  bool holds(MemberId id) const { return std::ranges::binary_search(members, id); }
  friend bool operator==(const InSyncSet&, const InSyncSet&) = default;
};

inline void add_member(std::vector<MemberId>& members, MemberId id) {
  const auto at = std::ranges::lower_bound(members, id);
  if (at == members.end() || *at != id) members.insert(at, id);
}

inline void add_members(std::vector<MemberId>& members, const std::vector<MemberId>& more) {
  for (const MemberId id : more) add_member(members, id);
}

}  // namespace minod
