// A backup that a simulated machine makes while its clients go on, and what it must hold when it is there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replay/backup.h"
#include "tests/sim/redis_model.h"
#include "tests/sim/sim_disk.h"

namespace minod {

// What may be found after a crash, oldest first.
using Window = std::vector<std::shared_ptr<const State>>;

struct BackupMade {
  bool ended = false;  // with success: it must be there
  Window window;       // it holds one of these
};
using Backups = std::map<std::string, BackupMade>;  // by name

// As the server makes one: a job, the store's part, a job. Goes on by itself as the disk is polled.
class RunningBackup {
 public:
  // `window`: the states of the moment at which the store begins. `done`: with true when it is there.
  RunningBackup(SimDisk& disk, Store& store, std::string directory, std::string name, std::function<Window()> window,
                BackupMade& made);

  bool over() const { return over_; }

 private:
  void run(Result<void> (*step)(Disk&, const std::string&, const std::string&), std::function<void()> then);
  void copy();

  SimDisk& disk_;
  Store& store_;
  std::string directory_;
  std::string name_;
  std::function<Window()> window_;
  BackupMade& made_;
  std::unique_ptr<StoreBackup> logs_;
  bool over_ = false;
};

}  // namespace minod
