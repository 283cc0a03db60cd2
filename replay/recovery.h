// A restart: reads a partition's log from its start and applies every record, finds where the log ends, and says where
// writing goes on. Blocking. Nothing is served before it is done.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "index/key_hash.h"
#include "log/disk.h"
#include "log/log.h"
#include "store/partition.h"

namespace minod {

// A tail that was cut.
struct TailCut {
  std::string file;
  FilePosition position;
  Offset first_lost;
  std::string reason;
  bool forced = false;  // it was damage, and --force-truncate accepted the loss
};

struct RecoveryReport {
  std::int64_t segments = 0;
  std::int64_t bytes = 0;
  std::int64_t batches = 0;
  std::int64_t records = 0;
  std::vector<TailCut> cuts;
};

struct RecoveryOptions {
  bool force_truncate = false;
  std::function<void(const RecoveryReport&)> progress;  // called every few MiB, with what has been done so far
};

// Bytes of the segment files in `directory`, for a progress report.
Result<std::int64_t> log_bytes(Disk& disk, const std::string& directory);

// Fills `partition` from the log in `directory`; returns where writing goes on, the new epoch already on disk.
// kCorrupt: the message names the file, the position, what is lost and what to do; nothing was changed on disk then.
Result<LogStart> recover(Disk& disk, const std::string& directory, const KeyHasher& hasher, Partition& partition,
                         const RecoveryOptions& options, RecoveryReport& report);

// At a clean stop, when nothing is in flight: notes where the log ends, so that damage behind the next start is known
// from a torn write. Blocking.
Result<void> note_clean_end(Disk& disk, const std::string& directory, Offset end);

}  // namespace minod
