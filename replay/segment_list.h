// The segment files of a partition's directory as somebody finds them who may only read: minod may be running on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"

namespace minod {

struct LogSegment {
  Offset base;
  std::string path;
  std::int64_t size = 0;  // of the file
  bool active = false;    // no later segment is there
};

// In order of their offsets. A file that is removed meanwhile is left out. A compacted segment that a crash kept from
// its place (.swap) is listed instead of those that it replaces. Blocking.
Result<std::vector<LogSegment>> list_segments(Disk& disk, const std::string& directory);

// One file, whatever stands beside it: active unless its directory has a later segment. A file that is not named as a
// segment begins with the base offset of its first batch.
Result<LogSegment> segment_at(Disk& disk, const std::string& path);

// What a partition noted at its last clean stop; nothing while it is in use.
Result<std::optional<Offset>> read_clean_end(Disk& disk, const std::string& directory);

// Bytes of the segment files in `directory`, for a progress report.
Result<std::int64_t> log_bytes(Disk& disk, const std::string& directory);

}  // namespace minod
