// A copy of a data directory below itself, in backup/NAME/, that a minod starts on: every log as it stood at one
// moment, and minod.meta. It grows in backup/.NAME.partial and is renamed when it is whole and durable, so that after a
// crash it is there as a whole or not at all. docs/FORMAT.md, "Backup".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"
#include "replay/log_backup.h"
#include "store/store.h"

namespace minod {

// "20261121T143243.123Z": of the moment, in UTC; in order of time.
std::string backup_name(UnixMillis time);

// Where it is, and where it grows.
std::string backup_path(const std::string& directory, const std::string& name);
std::string partial_backup_path(const std::string& directory, const std::string& name);

// The three steps around the logs' copies; blocking, for jobs.
Result<void> remove_partial_backups(Disk& disk, const std::string& directory);  // what a crash left
Result<void> begin_backup(Disk& disk, const std::string& directory, const std::string& name);
Result<void> finish_backup(Disk& disk, const std::string& directory, const std::string& name);

struct BackupReport {
  std::int64_t logs = 0;
  std::int64_t segments = 0;
  std::int64_t linked_bytes = 0;
  std::int64_t copied_bytes = 0;
};

// The logs of one store, all at the moment of start(). Belongs to the store's thread.
class StoreBackup {
 public:
  using Done = std::function<void(Result<BackupReport>)>;

  // `path`: where it grows, as begin_backup() has made it. `done` is called once, from Disk::poll() or start(); not
  // after this object is gone.
  StoreBackup(Disk& disk, Store& store, std::string path, Done done);
  ~StoreBackup();
  void start();

 private:
  void one_done(const Result<LogBackupReport>& result);

  Disk& disk_;
  Store& store_;
  std::string path_;
  Done done_;
  std::vector<std::shared_ptr<LogBackup>> logs_;
  std::size_t missing_ = 0;
  BackupReport report_;
  Result<void> result_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace minod
