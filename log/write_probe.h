// How durable writes are best made on the file system of a data directory, measured at the start in a few milliseconds.
// Blocking; real files only.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace minod {

enum class WriteWay : std::uint8_t {
  kDsync,     // O_DIRECT, each write durable by itself (RWF_DSYNC)
  kFdsync,    // O_DIRECT, and one sync of the file after the write of a group
  kBuffered,  // through the page cache, by a side thread, with fdatasync: where there is no O_DIRECT
};

const char* name_of(WriteWay way);

// Medians of durable 4 KiB overwrites, in nanoseconds; 0: not measured.
struct WriteProbe {
  bool direct = false;  // the file system takes O_DIRECT
  std::int64_t dsync_ns = 0;
  std::int64_t fdsync_ns = 0;
  std::int64_t buffered_ns = 0;
};

// Writes and removes a small file in `directory`. A full disk is no error: what can't be measured stays 0.
Result<WriteProbe> probe_writes(const std::string& directory, const Clock& clock);

// The fastest. kDsync is left only for what is clearly faster: its one request a group is worth a little, and the
// buffered way costs a copy and a thread for every write.
WriteWay best_way(const WriteProbe& probe);

// "RWF_DSYNC 84 us, fdatasync 95 us, buffered 197 us"
std::string text_of(const WriteProbe& probe);

}  // namespace minod
