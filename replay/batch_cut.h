// A part of a batch as a batch of its own.
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.h"
#include "log/batch.h"
#include "log/compression.h"
#include "replay/log_walk.h"

namespace minod {

// The records of `batch` whose offsets are in `range`, not compressed; their offsets, times and all headers as they
// were. Empty when it has none. kCorrupt when a record does not decode.
Result<std::vector<std::byte>> cut_batch(const BatchView& batch, Decompressor& decompressor, const LogRange& range);

}  // namespace minod
