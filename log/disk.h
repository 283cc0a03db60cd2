// The seam for storage. AioDisk (log/aio_disk.h) is the real one; SimDisk (tests/sim/) keeps written and synced bytes
// apart and loses any part of what was not synced. The data path is asynchronous: a call returns at once and its
// completion is delivered by Disk::poll(), on the thread that owns the disk. What may block for milliseconds (open,
// allocate, rename, remove, sync of a directory) has blocking calls, made only at start-up or inside a job given to
// Disk::run_aside().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace minod {

// Called once, from Disk::poll(). Small captures only (two pointers): then nothing is allocated.
using IoCallback = std::function<void(Result<std::size_t>)>;

enum class WriteMode : std::uint8_t {
  kCached,   // done when the device has the bytes, perhaps in its volatile cache
  kDurable,  // done when the bytes survive a power loss
};

enum class OpenMode : std::uint8_t { kRead, kReadWrite, kCreate /* read-write; created, or emptied if it is there */ };

// One open file. Destroying it closes it; nothing may be in flight then.
class File {
 public:
  virtual ~File() = default;

  // Writes `bytes` at `position`; both the position and the size are multiples of kIoAlignment, and so is the address.
  // The bytes must not change and must stay until `done` has been called. Success means all of them were written.
  // A failure leaves the span of the write undefined.
  virtual void write(FilePosition position, Bytes bytes, WriteMode mode, IoCallback done) = 0;

  // Makes everything whose write has completed durable. Never retried after a failure: the kernel may have dropped the
  // dirty bytes (PostgreSQL's "fsyncgate").
  virtual void sync(IoCallback done) = 0;

  // Reads into `into`, aligned like write. Delivers the bytes read: less than asked only at the end of the file.
  virtual void read(FilePosition position, MutableBytes into, IoCallback done) = 0;

  // Blocking forms. read_now() and write_now() need no alignment; write_now() is durable only after sync_now().
  virtual Result<std::size_t> read_now(FilePosition position, MutableBytes into) = 0;
  virtual Result<void> write_now(FilePosition position, Bytes bytes) = 0;
  virtual Result<void> sync_now() = 0;
  virtual Result<std::int64_t> size_now() = 0;
  virtual Result<void> truncate_now(std::int64_t size) = 0;
  virtual Result<std::int64_t> links_now() = 0;  // how many names the file has

  // Makes [from, to) exist as written zeros in allocated blocks, not merely as unwritten extents, and durable, so that
  // later overwrites change no file system metadata. kNoSpace leaves the file at its old size.
  virtual Result<void> prepare_now(std::int64_t from, std::int64_t to) = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
};

// One disk context: owned and polled by one thread. Paths are used as they are given.
class Disk {
 public:
  virtual ~Disk() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;  // sorted by name; no . and ..
  virtual Result<void> make_directory(const std::string& path) = 0;                    // fine when it is there
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;     // replaces `to`
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;       // a hard link
  virtual Result<void> remove(const std::string& path) = 0;                            // kNotFound when it is not there
  virtual Result<void> sync_directory(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;

  // Runs `job` off this thread, then `done` from poll(). A job may use the blocking calls above and of the Files it was
  // given, and must not touch anything else that the owner touches meanwhile.
  virtual void run_aside(std::function<void()> job, std::function<void()> done) = 0;

  // Hands requests of this turn to the device in one system call; poll() does it too.
  virtual void submit() = 0;

  // Delivers completions that are there; never waits. Returns how many.
  virtual std::size_t poll() = 0;

  // Requests and jobs not yet delivered.
  virtual std::size_t in_flight() const = 0;
};

// Writes a whole small file so that after a crash the old or the new contents are there: temporary name, sync, rename,
// sync of the directory. Blocking.
Result<void> replace_file(Disk& disk, const std::string& directory, const std::string& name, Bytes contents);

// Reads a whole small file; kTooLarge above `size_max`. Blocking.
Result<std::string> read_file(Disk& disk, const std::string& path, std::size_t size_max);

}  // namespace minod
