#include "log/blocking_io.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/buffer.h"

namespace minod {

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr auto kBlock = static_cast<std::int64_t>(kIoAlignment);

bool is_aligned(const void* address) { return reinterpret_cast<std::uintptr_t>(address) % kIoAlignment == 0; }

std::int64_t size_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_size : -errno;
}

// The blocks that `size` bytes at `position` touch, at most a piece of them.
struct Window {
  std::int64_t start;
  std::size_t skip;   // bytes of the first block that are not asked for
  std::size_t size;   // of the blocks
  std::size_t count;  // bytes that are asked for
};

Window window_at(std::int64_t position, std::size_t size) {
  const auto skip = static_cast<std::size_t>(position % kBlock);
  const std::size_t blocks = std::min(align_up(skip + size), kPiece);
  return {position - static_cast<std::int64_t>(skip), skip, blocks, std::min(size, blocks - skip)};
}

// Reads one block so that its bytes which are not written stay; zeros beyond the end of the file.
std::int64_t load_block(int fd, std::int64_t position, std::byte* into) {
  const std::int64_t count = read_fully(fd, position, {into, kIoAlignment});
  if (count >= 0) std::memset(into + count, 0, kIoAlignment - static_cast<std::size_t>(count));
  return count;
}

std::int64_t load_borders(int fd, const Window& window, AlignedBuffer& buffer) {
  const std::size_t last = window.size - kIoAlignment;
  const bool head_is_kept = window.skip != 0;
  const bool tail_is_kept = window.skip + window.count != window.size;
  if (head_is_kept || (tail_is_kept && last == 0)) {
    if (const auto got = load_block(fd, window.start, buffer.data()); got < 0) return got;
  }
  if (tail_is_kept && last != 0) {
    return load_block(fd, window.start + static_cast<std::int64_t>(last), buffer.data() + last);
  }
  return 0;
}

}  // namespace

std::int64_t read_fully(int fd, std::int64_t position, MutableBytes into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = ::pread(fd, into.data() + done, into.size() - done, position + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    done += static_cast<std::size_t>(got);
    // On an O_DIRECT descriptor only the end of the file makes a count that is not aligned, and it must not be the
    // address of the next call.
    if (got == 0 || (done % kIoAlignment != 0 && into.size() % kIoAlignment == 0)) break;
  }
  return static_cast<std::int64_t>(done);
}

std::int64_t write_fully(int fd, std::int64_t position, Bytes bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put =
        ::pwrite(fd, bytes.data() + done, bytes.size() - done, position + static_cast<std::int64_t>(done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -errno;
    if (put == 0) return -EIO;
    done += static_cast<std::size_t>(put);
  }
  return static_cast<std::int64_t>(done);
}

std::int64_t read_direct(int fd, std::int64_t position, MutableBytes into) {
  AlignedBuffer buffer;
  std::size_t done = 0;
  while (done < into.size()) {
    const std::int64_t at = position + static_cast<std::int64_t>(done);
    const MutableBytes rest = into.subspan(done);
    if (at % kBlock == 0 && is_aligned(rest.data()) && rest.size() >= kIoAlignment) {
      const std::size_t size = align_down(rest.size());
      const std::int64_t got = read_fully(fd, at, rest.first(size));
      if (got < 0) return got;
      done += static_cast<std::size_t>(got);
      if (static_cast<std::size_t>(got) < size) break;
      continue;
    }
    const Window window = window_at(at, rest.size());
    if (buffer.size() < window.size) buffer = AlignedBuffer(window.size);
    const std::int64_t got = read_fully(fd, window.start, {buffer.data(), window.size});
    if (got < 0) return got;
    const auto reached = static_cast<std::size_t>(got);
    const std::size_t count = reached <= window.skip ? 0 : std::min(window.count, reached - window.skip);
    if (count != 0) std::memcpy(rest.data(), buffer.data() + window.skip, count);
    done += count;
    if (count < window.count) break;
  }
  return static_cast<std::int64_t>(done);
}

std::int64_t write_direct(int fd, std::int64_t position, Bytes bytes) {
  const std::int64_t size_before = size_of(fd);
  if (size_before < 0) return size_before;
  AlignedBuffer buffer;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::int64_t at = position + static_cast<std::int64_t>(done);
    const Bytes rest = bytes.subspan(done);
    if (at % kBlock == 0 && is_aligned(rest.data()) && rest.size() >= kIoAlignment) {
      const std::int64_t put = write_fully(fd, at, rest.first(align_down(rest.size())));
      if (put < 0) return put;
      done += static_cast<std::size_t>(put);
      continue;
    }
    const Window window = window_at(at, rest.size());
    if (buffer.size() < window.size) buffer = AlignedBuffer(window.size);
    if (const auto loaded = load_borders(fd, window, buffer); loaded < 0) return loaded;
    std::memcpy(buffer.data() + window.skip, rest.data(), window.count);
    if (const auto put = write_fully(fd, window.start, {buffer.data(), window.size}); put < 0) return put;
    done += window.count;
  }
  // The last block may have made the file longer than what was asked for.
  const std::int64_t end = position + static_cast<std::int64_t>(bytes.size());
  const std::int64_t size_wanted = std::max(size_before, end);
  if (!bytes.empty() && (end + kBlock - 1) / kBlock * kBlock > size_wanted && ::ftruncate(fd, size_wanted) != 0) {
    return -errno;
  }
  return static_cast<std::int64_t>(bytes.size());
}

}  // namespace minod
