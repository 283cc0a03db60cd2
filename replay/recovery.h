// A restart: fills a partition from the newest checkpoint that is of use, the hints of the segments behind it, and the
// log itself where there are none; finds where the log ends, and says where writing goes on. What comes out is what the
// whole log would give. Blocking. Nothing is served before it is done.
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
  std::int64_t bytes = 0;               // of segments, hints and checkpoints that were read
  std::int64_t batches = 0;             // of segments
  std::int64_t records = 0;             // that were read, wherever from
  std::int64_t checkpoint_records = 0;  // of these, from checkpoints
  std::int64_t hint_records = 0;        // of these, from hints
  std::vector<TailCut> cuts;
  std::vector<std::string> ignored;  // checkpoints and hints that were of no use, and why; the log was read instead
};

struct RecoveryOptions {
  bool force_truncate = false;
  std::string directory_id;  // of minod.meta: hints and checkpoints of another one are ignored
  unsigned threads = 0;      // that read ahead; 0: the caller's own does it
  std::function<void(const RecoveryReport&)> progress;  // called every few tens of MiB, with what has been done so far
};

// Of a log that followed another node's. It takes no epoch of its own, and what was not committed and is torn is
// fetched again: docs/REPLICATION.md.
struct FollowedLog {
  Offset committed;            // a lower bound of the high watermark, as it was stored
  bool fetches_again = false;  // below it, too; else damage there is an error as in any log
};

// Fills `partition` from the log in `directory`; returns where writing goes on, the new epoch already on disk.
// kCorrupt: the message names the file, the position, what is lost and what to do; nothing was changed on disk then.
Result<LogStart> recover(Disk& disk, const std::string& directory, const KeyHasher& hasher, Partition& partition,
                         const RecoveryOptions& options, RecoveryReport& report);

// The same of a followed log of which what stands from `end` on, where a batch begins, is not wanted.
Result<LogStart> recover_up_to(Disk& disk, const std::string& directory, const KeyHasher& hasher, Partition& partition,
                               const RecoveryOptions& options, Offset committed, Offset end, RecoveryReport& report);

// At a clean stop, when nothing is in flight: notes where the log ends, so that damage behind the next start is known
// from a torn write. Blocking.
Result<void> note_clean_end(Disk& disk, const std::string& directory, Offset end);

}  // namespace minod
