#include "replay/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <filesystem>

#include "base/crc32c.h"
#include "store/limits.h"

namespace minod {

namespace {

constexpr const char* kMetaName = "minod.meta";
constexpr const char* kLockName = "minod.lock";
constexpr int kLockTries = 20;
constexpr unsigned kLockRetryMicros = 50'000;

Result<void> sync_path(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) return errno_error("sync " + path, errno);
  return {};
}

Result<void> make_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (!part.empty() && mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return errno_error("create the data directory " + part, errno);
    }
    if (slash == std::string::npos) return {};
  }
}

Result<Fd> lock_directory(const std::string& path) {
  const std::string name = path + "/" + kLockName;
  Fd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) return errno_error("the data directory is not writable: " + name, errno);
  char text[32] = {};
  // A process that was killed just now holds its lock until the kernel has taken it apart.
  int locked = flock(fd.get(), LOCK_EX | LOCK_NB);
  for (int tries = 0; locked != 0 && errno == EWOULDBLOCK && tries < kLockTries; ++tries) {
    usleep(kLockRetryMicros);
    locked = flock(fd.get(), LOCK_EX | LOCK_NB);
  }
  if (locked != 0) {
    const auto read = pread(fd.get(), text, sizeof text - 1, 0);
    const std::string pid = read > 0 ? std::string(text, static_cast<std::size_t>(read)) : "?\n";
    return Error{Errc::kBusy, 0,
                 "the data directory " + path + " is in use by another minod (pid " + pid.substr(0, pid.find('\n')) +
                     "); stop it, or name another with --dir"};
  }
  const int size = std::snprintf(text, sizeof text, "%d\n", static_cast<int>(getpid()));
  if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), text, static_cast<std::size_t>(size), 0) != size) {
    return errno_error("the data directory is not writable: " + name, errno);
  }
  return fd;
}

std::string facts_text(const DirectoryFacts& facts) {
  char text[256];
  std::snprintf(text, sizeof text, "format 1\nid %s\nhash-seed %016" PRIx64 "%016" PRIx64 "\npartitions %d\n",
                facts.id.c_str(), facts.hash_seed[0], facts.hash_seed[1], facts.partitions);
  return text;
}

std::string with_checksum(const std::string& facts) {
  char line[32];
  std::snprintf(line, sizeof line, "crc32c %08x\n", static_cast<unsigned>(crc32c(as_bytes(facts))));
  return facts + line;
}

// Beside partitions, what is missing was there once. A new one would have another seed and perhaps another number of
// partitions, and keys would be looked for where they are not.
Result<void> check_nothing_stands_beside(const std::string& path, const std::string& name) {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(path, failure)) {
    if (!parse_partition_name(entry.path().filename().string())) continue;
    return Error{Errc::kCorrupt, 0,
                 name + " is missing and " + entry.path().string() +
                     " is there; restore it from a backup of this data directory"};
  }
  if (failure) return errno_error("list " + path, failure.value());
  return {};
}

Result<void> write_meta(const std::string& path, const DirectoryFacts& facts) {
  const std::string text = with_checksum(facts_text(facts));
  const auto size = static_cast<ssize_t>(text.size());
  const std::string name = path + "/" + kMetaName;
  const std::string temporary = name + ".tmp";
  {
    const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.get() < 0 || write(fd.get(), text.data(), text.size()) != size || fsync(fd.get()) != 0) {
      return errno_error("write " + temporary, errno);
    }
  }
  if (rename(temporary.c_str(), name.c_str()) != 0) return errno_error("rename to " + name, errno);
  return sync_path(path);
}

Result<DirectoryFacts> parse_meta(const std::string& name, const std::string& text) {
  DirectoryFacts facts;
  int format = 0;
  char id[33] = {};
  const int found = std::sscanf(text.c_str(), "format %d\nid %32s\nhash-seed %16" SCNx64 "%16" SCNx64 "\npartitions %d",
                                &format, id, &facts.hash_seed[0], &facts.hash_seed[1], &facts.partitions);
  facts.id = id;
  if (found >= 1 && format != 1) {
    return Error{Errc::kUnsupported, 0,
                 name + " has format " + std::to_string(format) +
                     "; this minod reads format 1. Start the version that wrote it"};
  }
  const bool power_of_two = facts.partitions > 0 && (facts.partitions & (facts.partitions - 1)) == 0;
  // Those made before there was a checksum have none.
  const std::string expected = facts_text(facts);
  const bool whole = text == with_checksum(expected) || text == expected;
  if (found != 5 || !whole || !power_of_two || facts.partitions > kPartitionsMax) {
    return Error{Errc::kCorrupt, 0, name + " is damaged; restore it from a backup of this data directory"};
  }
  return facts;
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::open(const std::string& path, int partitions, Random& random) {
  std::unique_ptr<DataDirectory> directory(new DataDirectory());
  directory->path_ = path;
  if (auto made = make_directories(path); !made) return made.error();
  auto lock = lock_directory(path);
  if (!lock) return lock.error();
  directory->lock_ = std::move(*lock);

  const std::string name = path + "/" + kMetaName;
  const Fd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd.get() >= 0) {
    char text[512] = {};
    const auto size = read(fd.get(), text, sizeof text - 1);
    if (size < 0) return errno_error("read " + name, errno);
    auto facts = parse_meta(name, std::string(text, static_cast<std::size_t>(size)));
    if (!facts) return facts.error();
    directory->facts_ = std::move(*facts);
    return directory;
  }
  if (errno != ENOENT) return errno_error("open " + name, errno);

  if (auto alone = check_nothing_stands_beside(path, name); !alone) return alone.error();
  directory->was_made_ = true;
  DirectoryFacts& facts = directory->facts_;
  facts.hash_seed[0] = random.next();
  facts.hash_seed[1] = random.next();
  facts.partitions = partitions;
  char id[33];
  std::snprintf(id, sizeof id, "%016" PRIx64 "%016" PRIx64, random.next(), random.next());
  facts.id = id;
  if (auto written = write_meta(path, facts); !written) return written.error();
  // The directory's own name must survive a power loss too.
  if (auto synced = sync_path(path + "/.."); !synced) return synced.error();
  return directory;
}

std::optional<PartitionDirectory> parse_partition_name(std::string_view name) {
  PartitionDirectory found;
  found.name = name;
  if (!name.starts_with("db")) return std::nullopt;
  const char* const end = name.data() + name.size();
  const auto db = std::from_chars(name.data() + 2, end, found.db);
  if (db.ec != std::errc() || db.ptr == end || *db.ptr != '-') return std::nullopt;
  const auto number = std::from_chars(db.ptr + 1, end, found.number);
  if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
  const bool in_range = found.db >= 0 && found.db < kDatabases && found.number >= 0 && found.number < kPartitionsMax;
  return in_range ? std::optional(found) : std::nullopt;
}

Result<std::vector<PartitionDirectory>> list_partitions(Disk& disk, const std::string& path) {
  const auto entries = disk.list(path);
  if (!entries) return entries.error();
  std::vector<PartitionDirectory> partitions;
  for (const DirectoryEntry& entry : *entries) {
    const auto found = entry.is_directory ? parse_partition_name(entry.name) : std::nullopt;
    if (found) partitions.push_back(*found);
  }
  std::ranges::sort(partitions, {}, [](const PartitionDirectory& p) { return std::pair(p.db, p.number); });
  return partitions;
}

}  // namespace minod
