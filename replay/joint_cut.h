// Several logs of one node come to ends that agree: of a transaction that was written to several, all is there or
// nothing. docs/TRANSACTIONS.md, "The cut".
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/log.h"
#include "log/together.h"
#include "replay/log_recovery.h"
#include "replay/recovery.h"

namespace minod {

// A log as it was read: where it ends, and the batches that other logs must go along with.
struct LogEnd {
  int db = 0;
  int number = 0;
  Offset end;
  std::vector<JointBatch> joints;  // in the order of the log
};

// The greatest ends, none beyond a log's own, at which no log has a joint batch that another one has no part of. Ends
// that change are the beginnings of joint batches. Pure.
std::vector<Offset> agreeing_ends(std::span<const LogEnd> logs);

// A log to be restarted. What the pointers name stays the caller's.
struct LogToRecover {
  Disk* disk;
  std::string directory;
  Partition* partition;
  std::optional<FollowedLog> followed = std::nullopt;
};

// recover() of all logs of a node: each is read, then they are cut where they agree, and only then is any of them
// changed. Returns where writing goes on, in the same order. Blocking.
Result<std::vector<LogStart>> recover_together(std::span<const LogToRecover> logs, const KeyHasher& hasher,
                                               const RecoveryOptions& options, RecoveryReport& report);

}  // namespace minod
