// A copy of one log as it stood at one moment, made while the log goes on: sealed segments and their index files as
// hard links, what is being written as bytes up to the end of the last whole write. Nothing of the log waits for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"
#include "log/log.h"

namespace minod {

struct LogBackupReport {
  Offset end;  // the copy has every record below it that the log had, and none from it on
  std::int64_t segments = 0;
  std::int64_t linked_bytes = 0;
  std::int64_t copied_bytes = 0;
};

// Belongs to the log's thread; the work is done by jobs of the disk, in pieces that take milliseconds, so that other
// jobs (the next segment) come in between. The moment is that of start(): copies of several logs that are to agree are
// started at one moment. Segments that are removed or rewritten later
// stay in the copy: they are linked by the first job, before any job that could remove them.
class LogBackup : public std::enable_shared_from_this<LogBackup> {
 public:
  using Done = std::function<void(Result<LogBackupReport>)>;

  // `directory` is made; it must not be there. `done` is called once, from Disk::poll().
  LogBackup(Disk& disk, const Log& log, std::string directory, Done done)
      : disk_(disk), log_(log), directory_(std::move(directory)), done_(std::move(done)) {}

  void start();
  void cancel() { cancelled_ = true; }  // done(kStopped) follows; the log may be gone by then

 private:
  struct Source {
    Offset base;
    std::shared_ptr<File> file;  // null: sealed, to be linked
    std::int64_t size = 0;
  };

  void take_snapshot();
  void run(Result<void> (LogBackup::*job)(), void (LogBackup::*next)());
  Result<void> link_sealed();
  void linked();
  Result<void> copy_piece();
  void copied_piece();
  Result<void> finish();
  void finished();
  void fail(Error error);
  Result<void> link_beside(const std::string& name);
  Result<void> empty_directory();

  Disk& disk_;
  const Log& log_;
  std::string directory_;
  std::string source_;
  Done done_;
  std::vector<Source> sources_;
  std::size_t next_ = 0;  // of sources_, being copied
  std::int64_t copied_ = 0;
  std::unique_ptr<File> copy_;
  LogBackupReport report_;
  Log::Place end_;
  Offset committed_;
  int attempts_ = 0;
  bool cancelled_ = false;
};

}  // namespace minod
