// Who takes part in replication. A member is a data directory, not a machine or an address: an empty disk is another
// member, so nothing that was acknowledged by the old one is ever believed of the new one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace minod {

// The id of minod.meta: 128 random bits. All zero: nobody.
struct MemberId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr auto operator<=>(const MemberId&, const MemberId&) = default;
};
inline constexpr MemberId kNobody{};

std::string text_of(MemberId id);                                // 32 hexadecimal digits
std::optional<MemberId> parse_member_id(std::string_view text);  // nothing unless it is that

// An epoch's number has two parts: the term, which only an election makes greater, and how often its leader has started
// since. Whoever has promised a term to one leader follows that leader through restarts, and no other in that term.
inline constexpr int kStartBits = 16;
inline constexpr std::int32_t kTermMax = (std::int32_t{1} << (31 - kStartBits)) - 1;
constexpr std::int32_t term_of(Epoch epoch) { return epoch.value >> kStartBits; }
constexpr Epoch first_of_term(std::int32_t term) { return Epoch{term << kStartBits}; }

// An epoch is its number and its leader: two nodes that took the same number by themselves did not lead the same epoch.
struct Leadership {
  Epoch epoch;
  MemberId leader;
  friend constexpr bool operator==(const Leadership&, const Leadership&) = default;
};

// Whoever follows `known` is to follow `other` from now on.
constexpr bool supersedes(const Leadership& other, const Leadership& known) {
  if (term_of(other.epoch) != term_of(known.epoch) || known.leader == kNobody) return other.epoch > known.epoch;
  return other.leader == known.leader && other.epoch > known.epoch;
}

}  // namespace minod
