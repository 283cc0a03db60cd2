// Key hash -> offset of the key's newest record. No keys in RAM: a slot identifies a key by 112 or more bits of its
// hash and holds the record's offset (not its position, so that compaction, restart and replicas share it). Rebuildable
// from the log. Belongs to one thread.
//
// Memory: at most 28 bytes a key, averaged over any number of keys from a thousand up, because many small sub-tables
// grow one at a time, each by a small step. No call moves more than two sub-tables: no pause grows with the index.
// Hashes must be uniform, as KeyHasher makes them; thousands that share their first bits abort the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "index/change_window.h"
#include "index/key_hash.h"

namespace minod {

// What a slot says of its key's newest record.
struct IndexEntry {
  Offset offset;
  bool expires = false;   // the record carries an expiry
  std::uint8_t hits = 0;  // reads since it was written, 0 to kHitsMax; for caches and eviction
  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

class HashIndex {
 public:
  static constexpr std::uint8_t kHitsMax = 3;
  static constexpr std::int64_t kOffsetLimit = std::int64_t{1} << 48;  // offsets stay below

  HashIndex();
  ~HashIndex();
  HashIndex(HashIndex&&) noexcept;
  HashIndex& operator=(HashIndex&&) noexcept;

  // Up to `keys` entries are put next in the order of their hashes; without this, hashes come in any order. settle()
  // when all that was expected has come, or will not come.
  void expect(std::size_t keys);
  void settle();

  // Starts loading the cache lines that find() or put() of this hash will touch.
  void prefetch(KeyHash hash) const;

  std::optional<IndexEntry> find(KeyHash hash) const;

  // As find(), and counts a read in the slot.
  std::optional<IndexEntry> touch(KeyHash hash);

  // Makes `entry` the hash's entry; returns the one it replaces.
  std::optional<IndexEntry> put(KeyHash hash, IndexEntry entry);

  // Puts what changes with values say of keys that are not there yet, in the order of their hashes, expect()ed: as
  // put() does, many times faster. Ends before a change that put() must take, and returns how many there were before
  // it.
  std::size_t load(std::span<const IndexChange> changes);

  // Returns what was there.
  std::optional<IndexEntry> erase(KeyHash hash);

  // Erases every entry whose offset is below `offset`, and tells of each; one pass over the index, for a restart.
  void erase_below(Offset offset, const std::function<void(Offset)>& erased);

  // The same at once for whoever looks, and in parts for the memory: entries below `offset` are hidden, and counted by
  // size() until erase_hidden() has taken them out, some tens of microseconds' worth a call. It returns false when none
  // is left.
  void hide_below(Offset offset);
  bool erase_hidden();

  void clear();

  std::size_t size() const;          // keys
  std::size_t memory_bytes() const;  // all that this index holds

  // Walks the index in an order that growth does not disturb: an entry that is in the index from the first call to the
  // last is visited at least once (Redis's SCAN guarantee). Start with cursor 0, go on with what is returned, until
  // that is 0 again. Cursors stay below 2^48. One call visits a handful of entries, possibly none, and always gets on;
  // `visit` must not change the index.
  std::uint64_t scan(std::uint64_t cursor, const std::function<void(const IndexEntry&)>& visit) const;

  // Adds the entries of the next `slots_max` slots, or a few more, to `into`, with as much of their hashes as put()
  // needs to make the same entries again: a walk as scan() is. An entry is visited at most once.
  struct Keyed {
    KeyHash hash;
    IndexEntry entry;
  };
  std::uint64_t read(std::uint64_t cursor, std::size_t slots_max, std::vector<Keyed>& into) const;

  // An entry chosen by `random`, close to uniformly; nothing when the index is empty.
  std::optional<IndexEntry> sample(std::uint64_t random) const;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace minod
