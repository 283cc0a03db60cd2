// Limits of the store, by name; the network side's are in net/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace minod {

inline constexpr int kDatabases = 16;  // Redis's default
inline constexpr int kSlotBits = 14;   // Redis Cluster: 16384 slots
inline constexpr int kPartitionsMax = 1 << 10;
inline constexpr std::size_t kKeySizeMax = std::size_t{64} << 10;
inline constexpr std::size_t kValueSizeMaxDefault = std::size_t{64} << 20;  // proto-max-bulk-len
inline constexpr std::size_t kValueSizeCeiling = std::size_t{512} << 20;
inline constexpr std::int64_t kCheckpointBytesDefault = std::int64_t{256} << 20;  // checkpoint-bytes

}  // namespace minod
