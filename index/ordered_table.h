// A hash table whose slots stand in the order of their hashes, in sub-tables that grow one at a time: what HashIndex
// and ExpiryIndex are made of. docs/adr/0002-hash-index.md says why it looks like this. Belongs to one thread.
//
// Within a sub-table a slot's home is the place that its hash has in the sub-table's range, scaled; slots that want the
// same place push later ones to the right. So a look-up reads forward from the home until it passes the hash, erasing
// moves slots back and leaves nothing, growing is one sequential pass, and a cursor is a hash: nothing ever reorders.
//
// The number of sub-tables follows the number of slots, by linear hashing: 2^level_ prefixes of the hash, of which
// split_ are split by one further bit. Hashes are taken to be uniform.
//
// Slot: trivially copyable; all zeros is an empty one; order() is its hash without the first kRootBits (0 when empty);
// same_key(slot) is false for an empty `this`.
#pragma once

#include <malloc.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "index/region_pool.h"

namespace minod {

template <class Slot>
class OrderedTable {
  struct SubTable;

 public:
  static constexpr int kRootBits = 3;     // implied by the sub-table, however few there are
  static constexpr int kCursorBits = 48;  // of the hash's front: enough to part nearly all slots

  // Where a slot is, or would go. Valid until the table is changed.
  struct Found {
    SubTable* table;
    int depth;   // bits of the hash that choose the sub-table
    Slot* slot;  // null when the sub-table is empty
    bool hit;
  };

  OrderedTable();
  OrderedTable(const OrderedTable&) = delete;
  OrderedTable& operator=(const OrderedTable&) = delete;
  ~OrderedTable();

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const;

  // Up to `count` slots are inserted next, in the order of their hashes and not, as else, in any: sub-tables are split
  // beforehand, since those that come first would overflow.
  void expect(std::size_t count);
  // Fewer came than were expected: as many sub-tables as there would be without expect().
  void settle();

  // Inserts `count` slots in the order of their hashes, a sub-table at a time: many times faster than insert().
  // `make(i)` gives the hash and the slot of the i-th. Ends before one that does not lie behind all that is there of
  // its sub-table (insert() takes it), and returns how many were inserted. expect() comes first.
  template <class Make>
  std::size_t append_sorted(std::size_t count, Make&& make);

  Found find(std::uint64_t hash, const Slot& key) const;
  void prefetch(std::uint64_t hash) const;

  // `at` is a miss, just found.
  void insert(Found at, std::uint64_t hash, const Slot& slot);

  // `at` is a hit, just found.
  void erase(Found at);

  // Erases every slot for which `goes(slot)`; one pass over all of them.
  template <class Goes>
  void erase_if(Goes&& goes);

  // The same in parts of about `slots_max` slots; begins with a fresh Walk. False: all were looked at.
  struct Walk {
    std::size_t next = 0;
    std::size_t sub_tables = 0;
  };
  template <class Goes>
  bool erase_some(Walk& walk, std::size_t slots_max, Goes&& goes);

  // Visits the slots of the next places in hash order, each with its hash as far as order() tells it, `slots_max` or a
  // few more; returns the cursor to go on with, 0
  // behind the last one. Every call gets on.
  template <class Visit>
  std::uint64_t walk(std::uint64_t cursor, std::size_t slots_max, Visit&& visit) const;

  // Close to uniform; null when the table is empty.
  const Slot* sample(std::uint64_t random) const;

 private:
  static_assert(std::is_trivially_copyable_v<Slot>);
  static constexpr std::size_t kSlotsMax = RegionPool::kRegionSize / sizeof(Slot);
  static constexpr std::size_t kMeanCount = kSlotsMax * 3 / 8;  // a sub-table holds from half of it to twice of it
  static constexpr std::size_t kRootCount = std::size_t{1} << kRootBits;
  static constexpr std::size_t kChunkSize = 32;
  static constexpr std::size_t kHeapBlockOverhead = 8;
  static constexpr std::size_t kSlotsMin = 12;
  // More than uniform hashes put into one sub-table. It comes of erasing in the order of the hashes, as a sweep does:
  // the sub-tables ahead are full, the total is low, and the number of sub-tables follows the total.
  static constexpr std::size_t kDense = kSlotsMax * Slot::kLoad32nds / 32 * 31 / 32;
  static constexpr int kMergesMax = 8;            // at a time, tens of microseconds
  static constexpr std::size_t kMergeRetry = 64;  // changes
  static constexpr std::size_t kNear = 4;         // slots; not more than tail(), so that they all exist

  struct SubTable {
    Slot* slots = nullptr;
    std::uint16_t capacity = 0;
    std::uint16_t count = 0;
    bool pooled = false;  // in a region, not on the heap
  };
  using Chunk = std::array<SubTable, kChunkSize>;
  using Sorted = std::array<Slot, 2 * kSlotsMax>;  // deliberately not initialised where it is used

  template <class Goes>
  void erase_in(std::size_t id, Goes&& goes);

  static constexpr std::size_t count_max(std::size_t capacity) { return capacity * Slot::kLoad32nds / 32; }

  // Places that are nobody's home, so that the last run does not hit the end; the very last stays empty and ends every
  // search.
  static constexpr std::size_t tail(std::size_t capacity) { return 6 + capacity / 96; }

  // The first bit of the hash becomes the lowest: so the halves of a split sub-table are numbered n and n + 2^level_,
  // and no other changes its number.
  static constexpr std::uint32_t reversed32(std::uint32_t bits) {
    bits = ((bits >> 1) & 0x55555555u) | ((bits & 0x55555555u) << 1);
    bits = ((bits >> 2) & 0x33333333u) | ((bits & 0x33333333u) << 2);
    bits = ((bits >> 4) & 0x0f0f0f0fu) | ((bits & 0x0f0f0f0fu) << 4);
    return __builtin_bswap32(bits);
  }

  static std::size_t home(std::uint64_t order, int depth, std::size_t capacity) {
    const std::uint64_t place = (order << (depth - kRootBits)) >> 32;
    return static_cast<std::size_t>((place * (capacity - tail(capacity))) >> 32);
  }

  static std::size_t storage_size(const SubTable& table) {
    if (table.slots == nullptr) return 0;
    return table.pooled ? pages_size(table.capacity) : malloc_usable_size(table.slots) + kHeapBlockOverhead;
  }
  static constexpr std::size_t pages_size(std::size_t capacity) {
    return (capacity * sizeof(Slot) + RegionPool::kPageSize - 1) / RegionPool::kPageSize * RegionPool::kPageSize;
  }

  SubTable& sub_table(std::size_t id) const { return (*chunks_[id / kChunkSize])[id % kChunkSize]; }
  std::size_t sub_table_count() const { return (std::size_t{1} << level_) + split_; }

  // A few thousand slots do not fill pages well enough, and have no time to fragment the heap: exact blocks serve them.
  bool is_small() const { return sub_table_count() == kRootCount; }
  SubTable& choose(std::uint64_t hash, int& depth) const;

  std::size_t capacity_for(std::size_t count) const;
  void set_capacity(SubTable& table, std::size_t capacity);
  void release(SubTable& table);
  void fill(SubTable& table, int depth, const Slot* sorted, std::size_t count, std::size_t capacity);
  static bool spread(SubTable& table, int depth, const Slot* sorted, std::size_t count);
  static std::size_t gather(const SubTable& table, Slot* into);
  void resize(SubTable& table, int depth, std::size_t capacity);
  void split_next();
  void split_until_room(std::uint64_t hash);
  void merge_if_sparse();
  bool merge_last();
  static bool fits(int depth, std::size_t capacity, const Slot* sorted, std::size_t count);

  int level_ = kRootBits;
  std::size_t split_ = 0;
  std::size_t size_ = 0;
  std::size_t merge_wait_ = 0;  // no sub-tables are merged at the next so many changes
  bool owes_merges_ = false;    // there were too few slots for so many sub-tables, merging had to wait
  std::size_t storage_bytes_ = 0;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  RegionPool pool_;
};

}  // namespace minod

#include "index/ordered_table_bulk_inl.h"
#include "index/ordered_table_inl.h"
