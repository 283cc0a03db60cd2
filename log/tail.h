// The newest part of a log, as it was appended, in RAM: the batch being built, what is on its way to the disk, and as
// much of what is there already as the owner's memory budget allows. Reads of recent records end here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "log/record.h"

namespace minod {

class Tail {
 public:
  // The first record to be added has offset `begin`.
  explicit Tail(Offset begin) : begin_(begin), end_(begin) {}

  // Memory for a new batch, with room for `size` bytes. One batch is open at a time.
  std::byte* open_batch(std::size_t size);

  // Room for `more` bytes behind the `used` ones of the open batch. Returns where the batch now starts: it moves when
  // its memory is exhausted, and this class's references to its records with it.
  std::byte* grow_batch(std::size_t used, std::size_t more);

  // The record at `record`, in the open batch, has the next offset.
  void add(const std::byte* record, std::size_t size);

  // The open batch is complete with `size` bytes.
  void close_batch(std::size_t size);

  bool holds(Offset offset) const { return offset >= begin_ && offset < end_; }

  // The record, and a note that it was read. `offset` must be held. Its timestamp is not restored.
  RecordView find(Offset offset);

  // Start loading where a held record is, and then the record.
  void prefetch_place(Offset offset) const { __builtin_prefetch(&slot(offset)); }
  // Of a record with a value of about a hundred bytes, the end too: it is parsed before the value is used.
  void prefetch_record(Offset offset) const {
    const std::byte* const record = slot(offset).record;
    __builtin_prefetch(record);
    __builtin_prefetch(record + 64);
    __builtin_prefetch(record + 128);
  }

  Offset begin() const { return begin_; }
  Offset end() const { return end_; }
  // Forgets all; the next record to be added has offset `begin`. No batch is open.
  void restart(Offset begin);
  std::size_t memory_bytes() const {
    return chunk_bytes_ + block_count_ * sizeof(Block) + blocks_.capacity() * sizeof(blocks_.front());
  }

  // Lets the oldest chunk of memory go if all its records are below `durable`; `keep` first sees each of them that was
  // read since it was added. False when nothing could go.
  bool drop_oldest(Offset durable, const std::function<void(const RecordView&)>& keep);

 private:
  struct Slot {
    const std::byte* record = nullptr;
    std::uint32_t size = 0;
    bool was_read = false;
  };
  struct Chunk {
    std::unique_ptr<std::byte[]> memory;
    std::size_t size = 0;
    std::size_t used = 0;  // by closed batches
    Offset end;            // of the records in closed batches
  };

  // Where each record is, in blocks that come and go with the records: one array would have to move when it grows.
  static constexpr int kBlockBits = 10;
  using Block = std::array<Slot, std::size_t{1} << kBlockBits>;

  static std::size_t block_number(Offset offset) { return static_cast<std::size_t>(offset.value()) >> kBlockBits; }
  std::unique_ptr<Block>& block(std::size_t number) { return blocks_[number & (blocks_.size() - 1)]; }
  Slot& slot(Offset offset) const {
    Block& block = *blocks_[block_number(offset) & (blocks_.size() - 1)];
    return block[static_cast<std::size_t>(offset.value()) & (block.size() - 1)];
  }
  void add_block();
  void add_chunk(std::size_t size);

  Offset begin_;
  Offset end_;
  Offset batch_begin_;
  bool batch_is_open_ = false;
  std::size_t chunk_bytes_ = 0;
  std::deque<Chunk> chunks_;                    // the open batch, if any, is in the last one, from its used bytes on
  std::vector<std::unique_ptr<Block>> blocks_;  // a ring: a power of two, or empty; null where no record is held
  std::size_t block_count_ = 0;
};

}  // namespace minod
