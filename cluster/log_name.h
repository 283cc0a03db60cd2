// Which log members speak of: that of one database's partition. The same on every member of a group.
#pragma once

#include <compare>
#include <cstdint>

namespace minod {

struct LogName {
  std::int16_t db = 0;
  std::int16_t partition = 0;
  friend constexpr auto operator<=>(const LogName&, const LogName&) = default;
};

}  // namespace minod
