// CRC-32C (Castagnoli), as Kafka's batches and minod's own files use it.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace minod {

// Of `bytes`, continuing from `crc`, the value of what came before them (0 at the start).
std::uint32_t crc32c(Bytes bytes, std::uint32_t crc = 0);

}  // namespace minod
