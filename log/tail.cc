#include "log/tail.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace minod {

namespace {

constexpr std::size_t kChunkSize = std::size_t{256} << 10;

}  // namespace

void Tail::add_chunk(std::size_t size) {
  Chunk chunk;
  chunk.size = std::max(size, kChunkSize);
  chunk.memory = std::make_unique_for_overwrite<std::byte[]>(chunk.size);
  chunk.end = end_;
  chunk_bytes_ += chunk.size;
  chunks_.push_back(std::move(chunk));
}

std::byte* Tail::open_batch(std::size_t size) {
  batch_begin_ = end_;
  batch_is_open_ = true;
  if (chunks_.empty() || chunks_.back().size - chunks_.back().used < size) add_chunk(size);
  return chunks_.back().memory.get() + chunks_.back().used;
}

std::byte* Tail::grow_batch(std::size_t used, std::size_t more) {
  Chunk& chunk = chunks_.back();
  std::byte* const from = chunk.memory.get() + chunk.used;
  if (chunk.size - chunk.used >= used + more) return from;
  const bool only_this_batch = chunk.used == 0;
  // Twice the need, so that a batch of many records does not move for each of them.
  add_chunk(used + std::max(more, used));
  std::byte* const to = chunks_.back().memory.get();
  std::memcpy(to, from, used);
  for (Offset offset = batch_begin_; offset < end_; offset += OffsetCount(1)) {
    slot(offset).record = to + (slot(offset).record - from);
  }
  if (only_this_batch) {
    chunk_bytes_ -= chunks_[chunks_.size() - 2].size;
    chunks_.erase(chunks_.end() - 2);
  } else {
    chunks_[chunks_.size() - 2].end = batch_begin_;
  }
  return to;
}

void Tail::add_block() {
  const std::size_t first = block_number(begin_);
  const std::size_t number = block_number(end_);
  if (number - first == blocks_.size()) {
    std::vector<std::unique_ptr<Block>> old(std::max<std::size_t>(1, blocks_.size() * 2));
    old.swap(blocks_);
    for (std::size_t i = first; i < number; ++i) block(i) = std::move(old[i & (old.size() - 1)]);
  }
  block(number) = std::make_unique<Block>();
  ++block_count_;
}

void Tail::add(const std::byte* record, std::size_t size) {
  if (blocks_.empty() || block(block_number(end_)) == nullptr ||
      block_number(end_) - block_number(begin_) == blocks_.size()) {
    add_block();
  }
  slot(end_) = Slot{record, static_cast<std::uint32_t>(size), false};
  end_ += OffsetCount(1);
}

void Tail::close_batch(std::size_t size) {
  chunks_.back().used += size;
  chunks_.back().end = end_;
  batch_is_open_ = false;
}

RecordView Tail::find(Offset offset) {
  check(holds(offset), "the tail holds the record");
  Slot& found = slot(offset);
  if (!found.was_read) found.was_read = true;
  Bytes bytes(found.record, found.size);
  const auto record = take_record(bytes, kFirstOffset, UnixMillis(0));
  check(record.has_value(), "a record in the tail decodes");
  RecordView view = *record;
  view.offset = offset;
  return view;
}

void Tail::restart(Offset begin) {
  check(!batch_is_open_, "a tail starts anew between batches");
  chunks_.clear();
  blocks_.clear();
  chunk_bytes_ = block_count_ = 0;
  begin_ = end_ = begin;
}

bool Tail::drop_oldest(Offset durable, const std::function<void(const RecordView&)>& keep) {
  if (chunks_.empty() || chunks_.front().end > durable) return false;
  if (batch_is_open_ && chunks_.size() == 1) return false;
  const Offset end = chunks_.front().end;
  for (Offset offset = begin_; offset < end; offset += OffsetCount(1)) {
    if (slot(offset).was_read) keep(find(offset));
  }
  for (std::size_t i = block_number(begin_); i < block_number(end); ++i) {
    block(i).reset();
    --block_count_;
  }
  begin_ = end;
  chunk_bytes_ -= chunks_.front().size;
  chunks_.pop_front();
  return true;
}

}  // namespace minod
