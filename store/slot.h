// Redis Cluster's slot of a key, and the partition it falls into.
#pragma once

#include <cstdint>
#include <string_view>

namespace minod {

// CRC16 (XMODEM) of the key, or of its {hash tag}, modulo 16384.
std::uint16_t slot_of(std::string_view key);

// `partitions`: a power of two, up to 16384. Contiguous ranges of slots.
std::uint16_t partition_of(std::string_view key, int partitions);

// Of a SCAN cursor: which partition it goes on in. A cursor is that number and, times `partitions`, where within it;
// partition 0 comes first.
inline std::uint16_t cursor_partition(std::uint64_t cursor, int partitions) {
  return static_cast<std::uint16_t>(cursor % static_cast<std::uint64_t>(partitions));
}

}  // namespace minod
