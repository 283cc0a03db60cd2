#include "replay/log_files.h"

#include "log/format.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::string_view kReplicationState = "replication-state";

}  // namespace

Result<void> wipe_log(Disk& disk, const std::string& directory, std::string_view kept) {
  const auto entries = disk.list(directory);
  if (!entries) return entries.error();
  for (const DirectoryEntry& entry : *entries) {
    const bool keep = entry.name.starts_with(kReplicationState) || (!kept.empty() && entry.name.ends_with(kept));
    if (entry.is_directory || keep) continue;
    const auto removed = disk.remove(directory + "/" + entry.name);
    if (!removed && removed.error().code != Errc::kNotFound) return removed;
  }
  return disk.sync_directory(directory);
}

Result<void> put_log_in_place(Disk& disk, const std::string& directory, const std::vector<Offset>& bases,
                              std::string_view suffix, const std::vector<EpochStart>& epochs) {
  if (auto wiped = wipe_log(disk, directory, suffix); !wiped) return wiped;
  for (const Offset base : bases) {
    const std::string name = directory + "/" + segment_name(base, kLogSuffix);
    if (auto renamed = disk.rename(name + std::string(suffix), name); !renamed) return renamed;
  }
  if (auto synced = disk.sync_directory(directory); !synced) return synced;
  return write_epochs(disk, directory, epochs);
}

}  // namespace minod
