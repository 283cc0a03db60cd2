// A cached record as it lies in its pool block: this header, the expiry if there is one, then key and value, or, when
// they are larger than a block can be, where they are instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "store/value_cache.h"
#include "store/value_pool.h"

namespace minod {

struct CacheEntry {
  std::int64_t offset;  // its first 4 bytes are the pool's when the entry is gone
  std::uint32_t newer;  // neighbours in the queue, as numbers of their blocks
  std::uint32_t older;
  std::uint64_t log : 16;
  std::uint64_t key_size : 20;
  std::uint64_t value_size : 20;
  std::uint64_t reads : 2;  // since it was last queued, at most 3
  std::uint64_t in_main : 1;
  std::uint64_t expires : 1;
  std::uint64_t outside : 1;
  std::uint64_t live : 1;  // cleared when the block is released

  RecordId id() const { return {static_cast<std::uint16_t>(log), Offset(offset)}; }
  CachedRecord record() const;
  std::size_t block_size() const;  // as it was asked of the pool
  std::size_t total_size() const;  // with what is outside
};
static_assert(sizeof(CacheEntry) == 24);

// Key and value of a record that has no place in a block, behind the entry.
struct OutsideView {
  const char* bytes;  // from the pool's fallback; belongs to the entry
  std::uint64_t key_size;
  std::uint64_t value_size;
};

// The most that stands in a block beside key and value. Outside bytes are asked for with this much more, so that they
// are over the largest block and never in a slab, where every block is an entry.
inline constexpr std::size_t kEntryOverheadMax = sizeof(CacheEntry) + sizeof(UnixMillis) + sizeof(OutsideView);

inline bool lies_outside(const CachedRecord& record) {
  return record.key.size() + record.value.size() + kEntryOverheadMax > ValuePool::kBlockSizeMax;
}

inline std::size_t entry_head_size(bool expires) { return sizeof(CacheEntry) + (expires ? sizeof(UnixMillis) : 0); }

inline OutsideView outside_of(const CacheEntry& entry) {
  OutsideView view;
  std::memcpy(&view, reinterpret_cast<const char*>(&entry) + entry_head_size(entry.expires), sizeof view);
  return view;
}

inline CachedRecord CacheEntry::record() const {
  const char* at = reinterpret_cast<const char*>(this) + sizeof *this;
  CachedRecord record;
  if (expires) {
    std::memcpy(&record.expires_at, at, sizeof record.expires_at);
    at += sizeof record.expires_at;
  }
  if (outside) [[unlikely]] {
    const OutsideView view = outside_of(*this);
    record.key = {view.bytes, view.key_size};
    record.value = {view.bytes + view.key_size, view.value_size};
  } else {
    record.key = {at, key_size};
    record.value = {at + key_size, value_size};
  }
  return record;
}

inline std::size_t CacheEntry::block_size() const {
  return entry_head_size(expires) + (outside ? sizeof(OutsideView) : key_size + value_size);
}

inline std::size_t outside_size(const OutsideView& view) { return view.key_size + view.value_size + kEntryOverheadMax; }

inline std::size_t CacheEntry::total_size() const {
  return block_size() + (outside ? outside_size(outside_of(*this)) : 0);
}

}  // namespace minod
