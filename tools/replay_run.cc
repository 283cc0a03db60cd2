#include "tools/replay_run.h"

#include "replay/point_in_time.h"
#include "tools/replay_apply.h"

namespace minod::replay {

namespace {

constexpr const char* kMetaName = "minod.meta";
constexpr std::size_t kMetaSizeMax = 64 * 1024;

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

Result<void> prepare_target(Disk& disk, const Options& options) {
  const std::string& path = options.to_directory;
  if (auto made = disk.make_directory(path); !made) return made;
  const auto entries = disk.list(path);
  if (!entries) return entries.error();
  if (!entries->empty() && !options.force) {
    return Error{Errc::kBusy, 0, path + " is not empty; name a new directory, or say --force to replace what it holds"};
  }
  return clear_target(disk, path);
}

}  // namespace

Result<void> copy_directory(Disk& disk, const Options& options, const Plan& plan, Progress& progress, Tally& tally) {
  const auto meta = read_file(disk, options.directory + "/" + kMetaName, kMetaSizeMax);
  if (!meta) return meta.error();
  if (auto prepared = prepare_target(disk, options); !prepared) return prepared;
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
  // Last: a directory without it is not taken for whole.
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
