// BGSAVE and SAVE: one backup at a time over all shards, and what INFO tells of it. The shard that was asked makes the
// directory, every shard copies its logs, and the first one renames the whole into place.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "replay/backup.h"

namespace minod {

class Node;
class Shard;

struct BackupState {
  bool running = false;
  bool last_failed = false;
  std::uint64_t count = 0;        // that succeeded since the start
  UnixMillis last_success;        // or the start: everything acknowledged then was on disk as well
  std::int64_t last_millis = -1;  // how long the last one took
  MonotonicNanos began;
};

class NodeBackup {
 public:
  NodeBackup(Node& node, UnixMillis now);

  // On the thread of `from`; kBusy while one is on its way. `done` runs on the same thread, with the backup's path, in
  // a later turn.
  using Done = std::function<void(Result<std::string>)>;
  Result<void> start(Shard& from, Done done);

  BackupState state() const;  // any thread

 private:
  struct Run;
  void copy_logs(const std::shared_ptr<Run>& run);
  void shard_done(const std::shared_ptr<Run>& run, const Result<BackupReport>& result);
  void finish(const std::shared_ptr<Run>& run);
  void ended(const std::shared_ptr<Run>& run, const Result<void>& result);

  Node& node_;
  mutable std::mutex lock_;
  BackupState state_;
};

}  // namespace minod
