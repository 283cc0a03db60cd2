// Redis Cluster's slot of a key, and the partition it falls into.
#pragma once

#include <cstdint>
#include <string_view>

namespace minod {

// CRC16 (XMODEM) of the key, or of its {hash tag}, modulo 16384.
std::uint16_t slot_of(std::string_view key);

// `partitions`: a power of two, up to 16384. Contiguous ranges of slots.
std::uint16_t partition_of(std::string_view key, int partitions);

}  // namespace minod
