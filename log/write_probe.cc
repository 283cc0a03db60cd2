#include "log/write_probe.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <vector>

#include "base/buffer.h"
#include "base/fd.h"
#include "log/aio_disk.h"
#include "log/blocking_io.h"

namespace minod {

namespace {

constexpr const char* kProbeName = "/.minod-write-probe";
constexpr std::int64_t kBlocks = 4;  // of each of the two descriptors
constexpr std::size_t kRoundsMax = 24;
constexpr std::size_t kRoundsMin = 3;
constexpr std::int64_t kEnoughNs = 12'000'000;  // for all; a slow disk gets its kRoundsMin
constexpr int kOpenFlags = O_RDWR | O_CREAT | O_CLOEXEC;

// Removes the file at the end, whatever happens.
struct ProbeFile {
  explicit ProbeFile(std::string at) : path(std::move(at)) {}
  ~ProbeFile() { ::unlink(path.c_str()); }
  ProbeFile(const ProbeFile&) = delete;
  ProbeFile& operator=(const ProbeFile&) = delete;
  const std::string path;
};

// One way of writing: 0, or -errno.
struct Way {
  std::function<int(std::int64_t position)> write;
  std::int64_t* median_ns;  // 0 when it fails: another way may still work
  std::vector<std::int64_t> times{};
  bool failed = false;
};

// In turn, so that what else the disk does at the moment falls on all of them.
void measure(const Clock& clock, std::vector<Way>& ways) {
  const MonotonicNanos begin = clock.monotonic();
  for (std::size_t round = 0; round < kRoundsMax; ++round) {
    if (round >= kRoundsMin && (clock.monotonic() - begin).value() > kEnoughNs) break;
    const std::int64_t position = static_cast<std::int64_t>(round) % kBlocks * static_cast<std::int64_t>(kIoAlignment);
    for (Way& way : ways) {
      const MonotonicNanos before = clock.monotonic();
      way.failed = way.failed || way.write(position) != 0;
      way.times.push_back((clock.monotonic() - before).value());
    }
  }
  for (Way& way : ways) {
    if (way.failed) continue;
    std::ranges::sort(way.times);
    *way.median_ns = std::max<std::int64_t>(way.times[way.times.size() / 2], 1);
  }
}

int write_dsync(int fd, Bytes block, std::int64_t position) {
  const iovec vector{const_cast<std::byte*>(block.data()), block.size()};
  const ssize_t written = ::pwritev2(fd, &vector, 1, position, RWF_DSYNC);
  if (written < 0) return -errno;
  return written == static_cast<ssize_t>(block.size()) ? 0 : -EIO;
}

int write_and_sync(int fd, Bytes block, std::int64_t position) {
  const std::int64_t written = write_fully(fd, position, block);
  if (written < 0) return static_cast<int>(written);
  return ::fdatasync(fd) == 0 ? 0 : -errno;
}

// Space that is allocated and has been written, as a log's segments are.
bool prepare(int fd, Bytes block) {
  for (std::int64_t i = 0; i < 2 * kBlocks; ++i) {
    if (write_fully(fd, i * static_cast<std::int64_t>(kIoAlignment), block) < 0) return false;
  }
  return ::fdatasync(fd) == 0;
}

std::string micros(std::int64_t ns) { return ns == 0 ? "not measured" : std::to_string((ns + 500) / 1000) + " us"; }

}  // namespace

const char* name_of(WriteWay way) {
  switch (way) {
    case WriteWay::kDsync:
      return "dsync";
    case WriteWay::kFdsync:
      return "fdsync";
    case WriteWay::kBuffered:
      return "buffered";
  }
  return "";
}

Result<WriteProbe> probe_writes(const std::string& directory, const Clock& clock) {
  WriteProbe probe;
  const auto direct = AioDisk::supports_direct(directory);
  if (!direct && direct.error().code != Errc::kNoSpace) return direct.error();
  probe.direct = !direct || *direct;
  const ProbeFile file(directory + kProbeName);
  AlignedBuffer block(kIoAlignment);
  std::memset(block.data(), 0x5a, block.size());
  const Fd buffered(::open(file.path.c_str(), kOpenFlags | O_TRUNC, 0600));
  if (!buffered) return errno_error("try writes in " + directory, errno);
  const Bytes bytes = block.span();
  if (!prepare(buffered.get(), bytes)) return probe;  // full, or it will fail again where it matters
  const std::int64_t beside = kBlocks * static_cast<std::int64_t>(kIoAlignment);
  std::vector<Way> ways;
  ways.push_back(
      {[&](std::int64_t at) { return write_and_sync(buffered.get(), bytes, at + beside); }, &probe.buffered_ns});
  const Fd fd(probe.direct ? ::open(file.path.c_str(), kOpenFlags | O_DIRECT, 0600) : -1);
  if (fd) {
    ways.push_back({[&](std::int64_t at) { return write_dsync(fd.get(), bytes, at); }, &probe.dsync_ns});
    ways.push_back({[&](std::int64_t at) { return write_and_sync(fd.get(), bytes, at); }, &probe.fdsync_ns});
  }
  measure(clock, ways);
  return probe;
}

WriteWay best_way(const WriteProbe& probe) {
  if (!probe.direct) return WriteWay::kBuffered;
  const std::int64_t dsync = probe.dsync_ns;
  const std::int64_t fdsync = probe.fdsync_ns;
  const bool prefers_fdsync = fdsync != 0 && (dsync == 0 || fdsync * 100 < dsync * 80);
  const std::int64_t direct = prefers_fdsync ? fdsync : dsync;
  if (direct != 0 && probe.buffered_ns != 0 && probe.buffered_ns * 2 < direct) return WriteWay::kBuffered;
  return prefers_fdsync ? WriteWay::kFdsync : WriteWay::kDsync;
}

std::string text_of(const WriteProbe& probe) {
  const std::string buffered = "buffered " + micros(probe.buffered_ns);
  if (!probe.direct) return "no O_DIRECT, " + buffered;
  return "RWF_DSYNC " + micros(probe.dsync_ns) + ", fdatasync " + micros(probe.fdsync_ns) + ", " + buffered;
}

}  // namespace minod
