#include "log/aio_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/buffer.h"
#include "base/check.h"
#include "log/aio_file.h"
#include "log/blocking_io.h"

namespace minod {

namespace {

constexpr mode_t kFilePermissions = 0600;
constexpr mode_t kDirectoryPermissions = 0700;
constexpr const char* kProbeName = "/.minod-direct-probe";

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

bool is_directory(int parent, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct stat status {};
  return ::fstatat(parent, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Result<std::unique_ptr<AioDisk>> AioDisk::open(Options options) {
  check(options.depth > 0, "the depth of the queue is not 0");
  auto queue = AioQueue::open(options.depth, {}, options.reads_at_once);
  if (!queue) return queue.error();
  return std::unique_ptr<AioDisk>(new AioDisk(std::move(*queue), options));
}

Result<bool> AioDisk::supports_direct(const std::string& directory) {
  const std::string path = directory + kProbeName;
  const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, kFilePermissions));
  const int refused = fd ? 0 : errno;
  // Some file systems accept the flag and refuse the transfer, or want a greater alignment.
  AlignedBuffer block(kIoAlignment);
  std::memset(block.data(), 0, block.size());
  const std::int64_t written = fd ? write_fully(fd.get(), 0, block.span()) : -refused;
  ::unlink(path.c_str());
  if (written >= 0) return true;
  if (written == -EINVAL || written == -EOPNOTSUPP) return false;
  return errno_error("try O_DIRECT in " + directory, static_cast<int>(-written));
}

Result<std::unique_ptr<File>> AioDisk::open(const std::string& path, OpenMode mode) {
  const int flags = flags_of(mode) | O_CLOEXEC;
  bool direct = this->direct();
  Fd fd(::open(path.c_str(), direct ? flags | O_DIRECT : flags, kFilePermissions));
  if (!fd && errno == EINVAL && direct) {
    direct = false;
    fd = Fd(::open(path.c_str(), flags, kFilePermissions));
    if (fd) direct_.store(false, std::memory_order_relaxed);
  }
  if (!fd) return errno_error("open " + path, errno);
  return std::unique_ptr<File>(new AioFile(*queue_, std::move(fd), path, direct, durable_by_));
}

Result<std::vector<DirectoryEntry>> AioDisk::list(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), &::closedir);
  if (!stream) return errno_error("list " + directory, errno);
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries.push_back({std::string(name), is_directory(::dirfd(stream.get()), *entry)});
  }
  if (errno != 0) return errno_error("list " + directory, errno);
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
  return entries;
}

Result<void> AioDisk::make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), kDirectoryPermissions) == 0) return {};
  const int error = errno;
  struct stat status {};
  if (error == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
  return errno_error("make directory " + path, error);
}

Result<void> AioDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("rename " + from + " to " + to, errno);
  return {};
}

Result<void> AioDisk::link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return errno_error("link " + from + " to " + to, errno);
  return {};
}

Result<void> AioDisk::remove(const std::string& path) {
  if (std::remove(path.c_str()) != 0) return errno_error("remove " + path, errno);
  return {};
}

Result<void> AioDisk::sync_directory(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return errno_error("sync directory " + path, errno);
  return {};
}

Result<std::uint64_t> AioDisk::free_bytes(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return errno_error("ask for the free space of " + path, errno);
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

void AioDisk::run_aside(std::function<void()> job, std::function<void()> done) {
  queue_->run_aside(std::move(job), std::move(done));
}

}  // namespace minod
