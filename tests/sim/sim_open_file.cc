#include "tests/sim/sim_open_file.h"

#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace minod {

namespace {

void check_aligned(FilePosition position, Bytes bytes) {
  check(position.value() >= 0 && position.value() % static_cast<std::int64_t>(kIoAlignment) == 0,
        "the position of a transfer is aligned");
  check(bytes.size() % kIoAlignment == 0, "the size of a transfer is aligned");
  check(reinterpret_cast<std::uintptr_t>(bytes.data()) % kIoAlignment == 0, "the address of a transfer is aligned");
}

}  // namespace

// The disk may be gone already, so only the handle is asked.
SimDisk::OpenFile::~OpenFile() { check(handle_->in_flight == 0, "a file is closed when nothing of it is in flight"); }

void SimDisk::OpenFile::write(FilePosition position, Bytes bytes, WriteMode mode, IoCallback done) {
  check_aligned(position, bytes);
  Transfer transfer;
  transfer.kind = SimOperation::kWrite;
  transfer.handle = handle_;
  transfer.position = position.value();
  transfer.bytes = bytes;
  transfer.durable = mode == WriteMode::kDurable;
  transfer.hash = XXH3_64bits(bytes.data(), bytes.size());
  transfer.done = std::move(done);
  disk_.start(std::move(transfer));
}

void SimDisk::OpenFile::sync(IoCallback done) {
  Transfer transfer;
  transfer.kind = SimOperation::kSync;
  transfer.handle = handle_;
  transfer.sync_up_to = handle_->inode->now();
  transfer.done = std::move(done);
  disk_.start(std::move(transfer));
}

void SimDisk::OpenFile::read(FilePosition position, MutableBytes into, IoCallback done) {
  check_aligned(position, into);
  // Whoever looks before the callback shall not find what he hopes for.
  std::memset(into.data(), 0xa5, into.size());
  Transfer transfer;
  transfer.kind = SimOperation::kRead;
  transfer.handle = handle_;
  transfer.position = position.value();
  transfer.into = into;
  transfer.done = std::move(done);
  disk_.start(std::move(transfer));
}

Result<std::size_t> SimDisk::OpenFile::read_now(FilePosition position, MutableBytes into) {
  if (auto admitted = disk_.admit(SimOperation::kRead, *handle_); !admitted) return admitted.error();
  Transfer transfer;
  transfer.handle = handle_;
  transfer.position = position.value();
  transfer.into = into;
  return disk_.perform(transfer);
}

Result<void> SimDisk::OpenFile::write_now(FilePosition position, Bytes bytes) {
  Transfer transfer;
  transfer.kind = SimOperation::kWrite;
  transfer.handle = handle_;
  transfer.position = position.value();
  transfer.bytes = bytes;
  if (auto alive = disk_.alive(*handle_); !alive) return alive.error();
  transfer.fault = disk_.fault_of(SimOperation::kWrite);
  disk_.check_no_overlap(transfer);
  if (auto written = disk_.perform_write(transfer); !written) return written.error();
  return disk_.mutated(handle_->path);
}

Result<void> SimDisk::OpenFile::sync_now() {
  if (auto alive = disk_.alive(*handle_); !alive) return alive.error();
  Transfer transfer;
  transfer.kind = SimOperation::kSync;
  transfer.handle = handle_;
  transfer.sync_up_to = handle_->inode->now();
  transfer.fault = disk_.fault_of(SimOperation::kSync);
  if (auto reached = disk_.mutated(handle_->path); !reached) return reached;
  if (auto synced = disk_.perform(transfer); !synced) return synced.error();
  return {};
}

Result<std::int64_t> SimDisk::OpenFile::size_now() {
  if (auto alive = disk_.alive(*handle_); !alive) return alive.error();
  return handle_->inode->size();
}

Result<void> SimDisk::OpenFile::truncate_now(std::int64_t size) {
  if (auto admitted = disk_.admit(SimOperation::kTruncate, *handle_); !admitted) return admitted;
  if (!handle_->writable) return errno_error("set the size of " + handle_->path, EINVAL);
  handle_->inode->truncate(size);
  return disk_.mutated(handle_->path);
}

Result<std::int64_t> SimDisk::OpenFile::links_now() {
  if (auto alive = disk_.alive(*handle_); !alive) return alive.error();
  return disk_.names_.links(*handle_->inode);
}

Result<void> SimDisk::OpenFile::prepare_now(std::int64_t from, std::int64_t to) {
  if (auto admitted = disk_.admit(SimOperation::kPrepare, *handle_); !admitted) return admitted;
  if (!handle_->writable) return errno_error("prepare " + handle_->path, EBADF);
  if (!disk_.fits(*handle_->inode, to)) return errno_error("prepare " + handle_->path, ENOSPC);
  const std::vector<std::byte> zeros(static_cast<std::size_t>(to - from));
  Transfer transfer;
  transfer.handle = handle_;
  transfer.position = from;
  transfer.bytes = zeros;
  disk_.check_no_overlap(transfer);
  handle_->inode->write(from, zeros);
  if (auto reached = disk_.mutated(handle_->path); !reached) return reached;
  handle_->inode->make_durable(handle_->inode->now());
  return {};
}

}  // namespace minod
