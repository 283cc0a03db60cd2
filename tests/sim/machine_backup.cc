#include "tests/sim/machine_backup.h"

#include <utility>

namespace minod {

RunningBackup::RunningBackup(SimDisk& disk, Store& store, std::string directory, std::string name,
                             std::function<Window()> window, BackupMade& made)
    : disk_(disk),
      store_(store),
      directory_(std::move(directory)),
      name_(std::move(name)),
      window_(std::move(window)),
      made_(made) {
  run(begin_backup, [this] { copy(); });
}

void RunningBackup::run(Result<void> (*step)(Disk&, const std::string&, const std::string&),
                        std::function<void()> then) {
  auto result = std::make_shared<Result<void>>();
  disk_.run_aside([this, step, result] { *result = step(disk_, directory_, name_); },
                  [this, result, then = std::move(then)] {
                    if (*result) return then();
                    over_ = true;
                  });
}

void RunningBackup::copy() {
  made_.window = window_();
  logs_ = std::make_unique<StoreBackup>(disk_, store_, partial_backup_path(directory_, name_),
                                        [this](const Result<BackupReport>& report) {
                                          if (!report) {
                                            over_ = true;
                                            return;
                                          }
                                          run(finish_backup, [this] { over_ = made_.ended = true; });
                                        });
  logs_->start();
}

}  // namespace minod
