// Files of checksummed chunks: what hint and checkpoint files are made of. docs/FORMAT.md, "Chunks". Blocking; for jobs
// and for a restart. Nothing that is read is believed: a chunk is whole, with a right CRC, or the file is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "index/change_window.h"
#include "index/key_hash.h"
#include "index/log_index.h"
#include "log/disk.h"

namespace minod {

// Whose index it is: another log's, or one of another hash seed, is of no use. Tells nothing of the seed.
struct IndexIdentity {
  KeyHash log;
  KeyHash seed;
  friend bool operator==(const IndexIdentity&, const IndexIdentity&) = default;
};
IndexIdentity identity_of(const KeyHasher& hasher, std::string_view directory_id, std::string_view log_name);

enum class ChunkKind : std::uint32_t { kHint = 1, kCheckpoint = 2, kChanges = 3, kPlaces = 4, kEnd = 5 };

inline constexpr std::size_t kChunkSizeMax = std::size_t{64} << 20;

// Appends fields and chunks to memory, little endian.
class ChunkBuilder {
 public:
  void begin(ChunkKind kind);
  void put32(std::uint32_t value);
  void put64(std::uint64_t value);
  void put(Offset offset) { put64(static_cast<std::uint64_t>(offset.value())); }
  void put(KeyHash hash);
  void put(const IndexIdentity& identity);
  void end();  // the chunk is complete

  void changes(const ChangeWindow& window);  // a whole chunk; the batches are left out
  void places(const SegmentPlaces& places);  // a whole chunk

  std::size_t size() const { return bytes_.size(); }
  // Everything so far; the builder is empty then.
  std::vector<std::byte> take() { return std::exchange(bytes_, {}); }

 private:
  std::vector<std::byte> bytes_;
  std::size_t chunk_ = 0;  // where the open one begins
};

// Reads fields of a chunk in the order in which they were put. Past its end: zeros, and `bad()`.
class ChunkView {
 public:
  ChunkView() = default;
  ChunkView(ChunkKind kind, Bytes payload) : kind_(kind), rest_(payload) {}

  ChunkKind kind() const { return kind_; }
  std::uint32_t take32();
  std::uint64_t take64();
  Offset take_offset() { return Offset(static_cast<std::int64_t>(take64())); }
  KeyHash take_hash();
  IndexIdentity take_identity();
  bool bad() const { return bad_; }
  bool whole() const { return !bad_ && rest_.empty(); }  // read to its end

  // Of a chunk kChanges: adds to `window`. False when its contents contradict themselves.
  bool changes(ChangeWindow& window);
  bool places(SegmentPlaces& places);

 private:
  ChunkKind kind_ = ChunkKind::kEnd;
  Bytes rest_;
  bool bad_ = false;
};

class ChunkReader {
 public:
  explicit ChunkReader(File& file) : file_(file) {}

  // The next chunk, valid until the next call. kCorrupt when there is none that is whole; kIo.
  Result<ChunkView> next();

 private:
  Result<bool> ensure(std::size_t size);

  File& file_;
  AlignedBuffer buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::int64_t position_ = 0;  // in the file, of what is read next: aligned
};

// The chunk at the end of a file, of the size of `into`, header included. kCorrupt when there is none that is whole.
inline constexpr std::size_t kChunkHeaderSize = 16;
Result<ChunkView> last_chunk(File& file, MutableBytes into);

// A file that is written under a temporary name and then takes its own.
class ReplacedFile {
 public:
  ReplacedFile(Disk& disk, std::string directory, std::string name)
      : disk_(disk), directory_(std::move(directory)), path_(directory_ + "/" + name) {}

  Result<void> append(Bytes bytes);
  // Syncs, renames, syncs the directory.
  Result<void> publish();
  // Removes what was written under the temporary name.
  void give_up();

 private:
  std::string temporary() const { return path_ + ".tmp"; }

  Disk& disk_;
  std::string directory_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::vector<std::byte> unwritten_;  // less than a block, but for the end: what is written stays aligned
  std::int64_t size_ = 0;             // written
};

}  // namespace minod
