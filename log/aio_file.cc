#include "log/aio_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "log/blocking_io.h"

namespace minod {

namespace {

constexpr std::int64_t kZerosPiece = std::int64_t{1} << 20;
// The kernel answers EAGAIN to a larger one that must not wait: it would have to be split.
constexpr std::size_t kNoWaitBytesMax = std::size_t{512} << 10;

void check_aligned(FilePosition position, Bytes bytes) {
  check(position.value() >= 0 && position.value() % static_cast<std::int64_t>(kIoAlignment) == 0,
        "the position of a transfer is aligned");
  check(bytes.size() % kIoAlignment == 0, "the size of a transfer is aligned");
  check(reinterpret_cast<std::uintptr_t>(bytes.data()) % kIoAlignment == 0, "the address of a transfer is aligned");
}

}  // namespace

AioFile::AioFile(AioQueue& queue, Fd fd, std::string path, bool direct, DurableBy durable_by)
    : queue_(queue), durable_by_(durable_by) {
  target_.fd = std::move(fd);
  target_.path = std::move(path);
  target_.direct = direct;
}

AioFile::~AioFile() { check(target_.in_flight == 0, "a file is closed when nothing of it is in flight"); }

void AioFile::write(FilePosition position, Bytes bytes, WriteMode mode, IoCallback done) {
  check_aligned(position, bytes);
  iocb request;
  // The interface of the kernel has one pointer type for both directions.
  io_prep_pwrite(&request, fd(), const_cast<std::byte*>(bytes.data()), bytes.size(), position.value());
  // A side thread syncs by itself after a write that asks for it.
  const bool then_sync = mode == WriteMode::kDurable && target_.direct && durable_by_ == DurableBy::kFdsync;
  if (mode == WriteMode::kDurable && !then_sync) request.aio_rw_flags = RWF_DSYNC;
  queue_.start(target_, request, std::move(done), then_sync);
}

void AioFile::sync(IoCallback done) {
  iocb request;
  io_prep_fdsync(&request, fd());
  queue_.start(target_, request, std::move(done));
}

void AioFile::read(FilePosition position, MutableBytes into, IoCallback done) {
  check_aligned(position, into);
  iocb request;
  io_prep_pread(&request, fd(), into.data(), into.size(), position.value());
  if (target_.direct && target_.knows_nowait && into.size() <= kNoWaitBytesMax) request.aio_rw_flags = RWF_NOWAIT;
  queue_.start(target_, request, std::move(done));
}

Result<std::size_t> AioFile::read_now(FilePosition position, MutableBytes into) {
  const auto got =
      target_.direct ? read_direct(fd(), position.value(), into) : read_fully(fd(), position.value(), into);
  if (got < 0) return failure("read", static_cast<int>(-got));
  return static_cast<std::size_t>(got);
}

std::int64_t AioFile::put(std::int64_t position, Bytes bytes) {
  return target_.direct ? write_direct(fd(), position, bytes) : write_fully(fd(), position, bytes);
}

Result<void> AioFile::write_now(FilePosition position, Bytes bytes) {
  const std::int64_t done = put(position.value(), bytes);
  if (done < 0) return failure("write", static_cast<int>(-done));
  return {};
}

Result<void> AioFile::sync_now() {
  if (::fdatasync(fd()) != 0) return failure("sync", errno);
  return {};
}

Result<std::int64_t> AioFile::size_now() {
  struct stat status {};
  if (::fstat(fd(), &status) != 0) return failure("ask for the size of", errno);
  return static_cast<std::int64_t>(status.st_size);
}

Result<void> AioFile::truncate_now(std::int64_t size) {
  if (::ftruncate(fd(), size) != 0) return failure("set the size of", errno);
  return {};
}

Result<std::int64_t> AioFile::links_now() {
  struct stat status {};
  if (::fstat(fd(), &status) != 0) return failure("ask for the links of", errno);
  return static_cast<std::int64_t>(status.st_nlink);
}

std::int64_t AioFile::put_zeros(std::int64_t from, std::int64_t to) {
  AlignedBuffer zeros(static_cast<std::size_t>(std::min(to - from, kZerosPiece)));
  std::memset(zeros.data(), 0, zeros.size());
  for (std::int64_t at = from; at < to;) {
    // Up to a border of a piece, so that after an unaligned start the rest needs no bounce.
    const std::int64_t end = std::min(to, (at / kZerosPiece + 1) * kZerosPiece);
    const std::int64_t done = put(at, zeros.span().first(static_cast<std::size_t>(end - at)));
    if (done < 0) return done;
    at = end;
  }
  return 0;
}

Result<void> AioFile::prepare_now(std::int64_t from, std::int64_t to) {
  check(0 <= from && from <= to, "a span to prepare is not negative");
  if (from == to) return {};
  const auto size_before = size_now();
  if (!size_before) return size_before.error();
  std::int64_t result = 0;
  // Allocated in one call first: the extents are then few, and a full disk is known before anything is overwritten.
  // Some file systems cannot; there writing the zeros allocates.
  if (::fallocate(fd(), 0, from, to - from) != 0 && errno != EOPNOTSUPP) result = -errno;
  if (result == 0) result = put_zeros(from, to);
  if (result == 0 && ::fdatasync(fd()) != 0) result = -errno;
  if (result == 0) return {};
  // Gives back what was allocated, beyond the end of the file too. The first error is the one to tell.
  if (::ftruncate(fd(), *size_before) != 0) {
    return failure("give back the unused space of", errno);
  }
  return failure("prepare", static_cast<int>(-result));
}

Error AioFile::failure(const char* verb, int error) const {
  return errno_error(std::string(verb) + " " + target_.path, error);
}

}  // namespace minod
