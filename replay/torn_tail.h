// The last segment ends in bytes that are no whole batch: was the last write torn by a crash, or is this damage? The
// rule and its reasons: docs/DURABILITY.md, "Torn or damaged".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"

namespace minod {

// What stands behind the first bad byte.
struct TailFindings {
  std::int64_t whole_batches = 0;   // with a right CRC, anywhere behind
  Offset last_offset = kNoOffset;   // the greatest in them
  Offset durable_upto = kNoOffset;  // the greatest that one of them vouches for
  std::int64_t file_bytes = 0;      // from the bad position to the end of the file
};

// Looks for whole batches behind `position`, at every byte, up to the end of the file. Blocking.
Result<TailFindings> search_tail(File& file, FilePosition position, Offset expected);

enum class TailVerdict : std::uint8_t {
  kTorn,    // nothing behind proves that the bad bytes were ever acknowledged: cut here
  kDamage,  // a later batch was written when these offsets were durable already, or the last clean stop was beyond them
};

// `expected`: the first offset that is missing. `clean_end`: where the log ended at the last clean stop, if it was one.
TailVerdict judge_tail(const TailFindings& findings, Offset expected, std::optional<Offset> clean_end);

}  // namespace minod
