#include "replay/backup.h"

#include <algorithm>
#include <cstdio>

namespace minod {

namespace {

constexpr std::string_view kBackups = "/backup";
constexpr std::string_view kPartialSuffix = ".partial";

// One level of directories, as a backup has it.
Result<void> remove_tree(Disk& disk, const std::string& path) {
  const auto entries = disk.list(path);
  if (!entries) return entries.error();
  for (const DirectoryEntry& entry : *entries) {
    const std::string name = path + "/" + entry.name;
    auto removed = entry.is_directory ? remove_tree(disk, name) : disk.remove(name);
    if (!removed) return removed;
  }
  return disk.remove(path);
}

}  // namespace

// Days to a date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::string backup_name(UnixMillis time) {
  constexpr std::int64_t kDay = 86'400'000;
  const std::int64_t millis = std::max<std::int64_t>(time.value(), 0);
  const std::int64_t days = millis / kDay + 719'468;
  const std::int64_t era = days / 146'097;
  const std::int64_t day_of_era = days % 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  const std::int64_t of_day = millis % kDay;
  char text[64];
  std::snprintf(text, sizeof text, "%04d%02d%02dT%02d%02d%02d.%03dZ", static_cast<int>(year), static_cast<int>(month),
                static_cast<int>(day), static_cast<int>(of_day / 3'600'000), static_cast<int>(of_day / 60'000 % 60),
                static_cast<int>(of_day / 1000 % 60), static_cast<int>(of_day % 1000));
  return text;
}

std::string backup_path(const std::string& directory, const std::string& name) {
  return directory + std::string(kBackups) + "/" + name;
}

std::string partial_backup_path(const std::string& directory, const std::string& name) {
  return directory + std::string(kBackups) + "/." + name + std::string(kPartialSuffix);
}

Result<void> remove_partial_backups(Disk& disk, const std::string& directory) {
  const std::string backups = directory + std::string(kBackups);
  const auto entries = disk.list(backups);
  if (!entries && entries.error().code == Errc::kNotFound) return {};
  if (!entries) return entries.error();
  bool any = false;
  for (const DirectoryEntry& entry : *entries) {
    if (!entry.is_directory || !entry.name.starts_with('.') || !entry.name.ends_with(kPartialSuffix)) continue;
    if (auto removed = remove_tree(disk, backups + "/" + entry.name); !removed) return removed;
    any = true;
  }
  return any ? disk.sync_directory(backups) : Result<void>();
}

Result<void> begin_backup(Disk& disk, const std::string& directory, const std::string& name) {
  if (auto removed = remove_partial_backups(disk, directory); !removed) return removed;
  if (auto made = disk.make_directory(directory + std::string(kBackups)); !made) return made;
  if (auto synced = disk.sync_directory(directory); !synced) return synced;
  return disk.make_directory(partial_backup_path(directory, name));
}

Result<void> finish_backup(Disk& disk, const std::string& directory, const std::string& name) {
  const std::string partial = partial_backup_path(directory, name);
  const std::string whole = backup_path(directory, name);
  if (disk.list(whole)) return Error{Errc::kBusy, 0, whole + " is there already"};
  const auto meta = read_file(disk, directory + "/minod.meta", 4096);
  if (!meta) return meta.error();
  if (auto copied = replace_file(disk, partial, "minod.meta", as_bytes(*meta)); !copied) return copied;
  if (auto renamed = disk.rename(partial, whole); !renamed) return renamed;
  return disk.sync_directory(directory + std::string(kBackups));
}

StoreBackup::StoreBackup(Disk& disk, Store& store, std::string path, Done done)
    : disk_(disk), store_(store), path_(std::move(path)), done_(std::move(done)) {}

StoreBackup::~StoreBackup() {
  *alive_ = false;
  for (const auto& log : logs_) log->cancel();
}

void StoreBackup::start() {
  store_.for_each_partition([this](Partition& partition) {
    if (const Error* failure = partition.log().failure()) result_ = *failure;
    logs_.push_back(std::make_shared<LogBackup>(disk_, partition.log(), path_ + "/" + partition.name(),
                                                [this, alive = alive_](const Result<LogBackupReport>& result) {
                                                  if (*alive) one_done(result);
                                                }));
  });
  if (!result_) logs_.clear();
  missing_ = logs_.size();
  if (missing_ == 0) return done_(result_ ? Result<BackupReport>(report_) : Result<BackupReport>(result_.error()));
  for (const auto& log : logs_) log->start();
}

void StoreBackup::one_done(const Result<LogBackupReport>& result) {
  if (result) {
    ++report_.logs;
    report_.segments += result->segments;
    report_.linked_bytes += result->linked_bytes;
    report_.copied_bytes += result->copied_bytes;
  } else if (result_) {
    result_ = result.error();
    for (const auto& log : logs_) log->cancel();
  }
  if (--missing_ != 0) return;
  done_(result_ ? Result<BackupReport>(report_) : Result<BackupReport>(result_.error()));
}

}  // namespace minod
