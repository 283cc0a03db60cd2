#include "tools/replay_run.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "replay/point_in_time.h"
#include "tools/replay_apply.h"

namespace minod::replay {

namespace {

constexpr const char* kMetaName = "minod.meta";
constexpr std::size_t kMetaSizeMax = 64 * 1024;

// Stands in minod.meta until the copy is whole: minod refuses to start on it.
constexpr std::string_view kUnfinishedMeta = "format 0\nunfinished: minod-replay --to-dir did not come to its end\n";

// Removes the files of partitions that an earlier directory of this name had: a log must not be mixed with another.
Result<void> clear_target(Disk& disk, const std::string& path) {
  const auto partitions = list_partitions(disk, path);
  if (!partitions) return partitions.error();
  for (const PartitionDirectory& partition : *partitions) {
    const std::string directory = path + "/" + partition.name;
    const auto entries = disk.list(directory);
    if (!entries) return entries.error();
    for (const DirectoryEntry& entry : *entries) {
      if (auto removed = disk.remove(directory + "/" + entry.name); !removed) return removed;
    }
    if (auto synced = disk.sync_directory(directory); !synced) return synced;
  }
  return {};
}

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  return stat(a.c_str(), &of_a) == 0 && stat(b.c_str(), &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

// The lock that a minod on the target would hold; nothing to hold where none ever ran.
Result<Fd> lock_target(const std::string& path) {
  const std::string name = path + "/minod.lock";
  Fd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd && flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return Error{Errc::kBusy, 0, path + " is in use by a minod"};
  return fd;
}

// What the caller holds while it writes there.
Result<Fd> prepare_target(Disk& disk, const Options& options) {
  const std::string& path = options.to_directory;
  if (is_same_file(path, options.directory)) return Error{Errc::kBusy, 0, path + " is what is to be copied"};
  if (auto made = disk.make_directory(path); !made) return made.error();
  const auto entries = disk.list(path);
  if (!entries) return entries.error();
  if (!entries->empty() && !options.force) {
    return Error{Errc::kBusy, 0, path + " is not empty; name a new directory, or say --force to replace what it holds"};
  }
  auto lock = lock_target(path);
  if (!lock) return lock.error();
  if (auto marked = replace_file(disk, path, kMetaName, as_bytes(kUnfinishedMeta)); !marked) return marked.error();
  if (auto cleared = clear_target(disk, path); !cleared) return cleared.error();
  return lock;
}

}  // namespace

Result<void> copy_directory(Disk& disk, const Options& options, const Plan& plan, Progress& progress, Tally& tally) {
  const auto meta = read_file(disk, options.directory + "/" + kMetaName, kMetaSizeMax);
  if (!meta) return meta.error();
  const auto lock = prepare_target(disk, options);
  if (!lock) return lock.error();
  for (const PlannedPartition& partition : plan.partitions) {
    const std::int64_t before = tally.bytes;
    const std::string to = options.to_directory + "/" + partition.directory.name;
    const auto report = copy_partition(disk, partition.path, to, partition.survey, [&](std::int64_t bytes) {
      tally.bytes = before + bytes;
      progress.update(tally);
    });
    if (!report) return report.error();
    tally.bytes = before + report->bytes;
    tally.read += static_cast<std::uint64_t>(report->records);
    tally.applied += static_cast<std::uint64_t>(report->records);
    PartitionTally copied{partition.directory.name, kNoOffset, kNoOffset, report->first_time, report->last_time};
    if (report->records != 0) {
      copied.first = partition.survey.range.from;
      copied.last = partition.survey.range.until - OffsetCount(1);
    }
    tally.partitions.push_back(std::move(copied));
  }
  return replace_file(disk, options.to_directory, kMetaName, as_bytes(*meta));
}

Result<void> run(Disk& disk, const Clock& clock, const Options& options, Progress& progress, const Complain& complain,
                 Tally& tally) {
  const auto plan = make_plan(disk, options);
  if (!plan) return plan.error();
  for (const std::string& note : plan->notes) complain(note);
  if (!options.to_directory.empty() && !options.dry_run) {
    for (const PlannedPartition& partition : plan->partitions) tally.bytes_planned += partition.survey.bytes;
    return copy_directory(disk, options, *plan, progress, tally);
  }
  std::optional<resp::Client> client;
  if (options.to && !options.dry_run) {
    // The database is chosen for each partition.
    resp::Address address = *options.to;
    address.db = 0;
    auto connected = resp::Client::connect(address);
    if (!connected) return connected.error();
    client = std::move(*connected);
  }
  return Apply(disk, options, clock, std::move(client), progress, complain).run(*plan, tally);
}

}  // namespace minod::replay
