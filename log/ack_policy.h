// When a reply of a replicated log may leave.
#pragma once

#include <cstdint>

namespace minod {

enum class AckPolicy : std::uint8_t {
  kLeader,  // when the leader has its record, as its SyncPolicy says
  kAll,     // when every member that counts has it on its disk
};

}  // namespace minod
