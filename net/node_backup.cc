#include "net/node_backup.h"

#include <utility>

#include "base/diag.h"
#include "base/size_text.h"
#include "net/conductor.h"
#include "net/node.h"
#include "net/shard.h"

namespace minod {

// Belongs to the shard that was asked.
struct NodeBackup::Run {
  Shard& from;
  std::string directory;
  std::string name;
  Done done;
  std::size_t missing = 0;  // shards
  BackupReport report;
  Result<void> result = {};
};

NodeBackup::NodeBackup(Node& node, UnixMillis now) : node_(node) { state_.last_success = now; }

BackupState NodeBackup::state() const {
  const std::lock_guard guard(lock_);
  return state_;
}

Result<void> NodeBackup::start(Shard& from, Done done) {
  {
    const std::lock_guard guard(lock_);
    if (state_.running) return Error{Errc::kBusy, 0, "Background save already in progress"};
    state_.running = true;
    state_.began = node_.clock().monotonic();
  }
  const std::string name = backup_name(node_.clock().now());
  auto run = std::make_shared<Run>(Run{from, node_.config().dir, name, std::move(done), 0, {}});
  auto begun = std::make_shared<Result<void>>();
  from.disk().run_aside([run, begun] { *begun = begin_backup(run->from.disk(), run->directory, run->name); },
                        [this, run, begun] {
                          run->result = *begun;
                          if (run->result) {
                            copy_logs(run);
                          } else {
                            finish(run);
                          }
                        });
  return {};
}

void NodeBackup::copy_logs(const std::shared_ptr<Run>& run) {
  const std::string path = partial_backup_path(run->directory, run->name);
  run->missing = static_cast<std::size_t>(node_.shard_count());
  // One moment for all, so that a transaction over several shards is there or not.
  node_.conductor().at_one_moment(run->from, [this, run, path](Shard& shard) {
    shard.back_up(path, [this, run, &shard](Result<BackupReport> result) {
      run->from.post(shard.number(), [this, run, result = std::move(result)] { shard_done(run, result); });
    });
  });
}

void NodeBackup::shard_done(const std::shared_ptr<Run>& run, const Result<BackupReport>& result) {
  if (result) {
    run->report.logs += result->logs;
    run->report.segments += result->segments;
    run->report.linked_bytes += result->linked_bytes;
    run->report.copied_bytes += result->copied_bytes;
  } else {
    run->result = result.error();
  }
  if (--run->missing == 0) finish(run);
}

void NodeBackup::finish(const std::shared_ptr<Run>& run) {
  auto finished = std::make_shared<Result<void>>(run->result);
  run->from.disk().run_aside(
      [run, finished] {
        Disk& disk = run->from.disk();
        if (*finished) *finished = finish_backup(disk, run->directory, run->name);
        if (*finished) return;
        // The first failure is the one to tell; what stays is removed at the next start.
        static_cast<void>(remove_partial_backups(disk, run->directory));
      },
      [this, run, finished] { ended(run, *finished); });
}

void NodeBackup::ended(const std::shared_ptr<Run>& run, const Result<void>& result) {
  const std::string path = backup_path(run->directory, run->name);
  {
    const std::lock_guard guard(lock_);
    state_.running = false;
    state_.last_failed = !result;
    state_.last_millis = (node_.clock().monotonic() - state_.began).value() / 1'000'000;
    if (result) {
      ++state_.count;
      state_.last_success = node_.clock().now();
    }
  }
  if (!result) {
    diag::warning("the backup failed, nothing of it is kept: " + result.error().message());
    return run->done(result.error());
  }
  diag::notice("backup " + path + ": " + std::to_string(run->report.segments) + " segments of " +
               std::to_string(run->report.logs) + " logs, " +
               size_text(static_cast<std::uint64_t>(run->report.linked_bytes)) + " linked, " +
               size_text(static_cast<std::uint64_t>(run->report.copied_bytes)) + " copied");
  run->done(path);
}

}  // namespace minod
