// Bytes where a batch should be and is not, described for people: what is wrong, where, and where the log goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "log/batch.h"
#include "log/disk.h"

namespace minod {

struct FoundBatch {
  FilePosition position;
  BatchHeader header;
};

struct CrcMismatch {
  std::uint32_t expected = 0;  // as the header says
  std::uint32_t actual = 0;    // of the bytes that are there
};

struct LogDamage {
  std::string file;
  FilePosition position;
  Offset expected;  // the first offset that is missing
  std::string reason;
  std::optional<CrcMismatch> crc = std::nullopt;  // when the header is sound and the rest is not
  std::optional<FoundBatch> next = std::nullopt;  // the next whole batch of this file
  std::int64_t skipped_bytes = 0;                 // up to it, or to the end of the file
  bool torn = false;                              // the last write did not finish: a restart cuts it and loses nothing
};

// The batch at `position`, whole and with a right CRC; nothing when there is none.
Result<std::optional<BatchHeader>> whole_batch_at(File& file, FilePosition position);

// Describes the bad bytes at `position`. Looks for the next batch where the bad one says it ends, then at every byte: a
// value may hold the bytes of a batch. Blocking.
Result<LogDamage> examine_damage(File& file, std::string path, FilePosition position, Offset expected,
                                 std::string reason);

}  // namespace minod
