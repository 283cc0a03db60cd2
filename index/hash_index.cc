#include "index/hash_index.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/endian.h"
#include "index/ordered_table.h"

namespace minod {
namespace {

constexpr std::uint64_t kHitsMask = 3;
constexpr std::uint64_t kExpiresBit = 4;
constexpr std::uint64_t kMetaMask = kHitsMask | kExpiresBit;
constexpr std::uint64_t kOffsetMask = static_cast<std::uint64_t>(HashIndex::kOffsetLimit) - 1;

// 20 bytes: 61 bits of the hash's high word (the sub-table implies the other 3) above the meta bits; the offset below
// 16 bits of the low word; 32 bits of the low word. 112 bits of identity.
class Slot {
 public:
  static constexpr std::size_t kLoad32nds = 27;

  Slot() = default;
  explicit Slot(KeyHash hash) { store(hash.high << 3, (hash.low >> 32) << 48, low_word(hash)); }

  std::uint64_t order() const { return first() & ~kMetaMask; }
  bool same_key(const Slot& key) const {
    return third() == key.third() && ((second() ^ key.second()) & ~kOffsetMask) == 0 && order() == key.order();
  }
  bool empty() const { return first() == 0 && third() == 0; }
  std::uint64_t low() const { return (second() >> 48) << 32 | third(); }  // of the hash's low word, what is kept

  IndexEntry entry() const {
    return {Offset(static_cast<std::int64_t>(second() & kOffsetMask)), (first() & kExpiresBit) != 0,
            static_cast<std::uint8_t>(first() & kHitsMask)};
  }
  void set_entry(IndexEntry entry) {
    const auto offset = static_cast<std::uint64_t>(entry.offset.value());
    check(offset <= kOffsetMask, "an offset fits 48 bits");
    check(entry.hits <= HashIndex::kHitsMax, "hits fit 2 bits");
    const std::uint64_t meta = (entry.expires ? kExpiresBit : 0) | entry.hits;
    store(order() | meta, (second() & ~kOffsetMask) | offset, third());
  }

 private:
  // No slot in use may look empty. The hash that would, of 2^93, takes a neighbour's place.
  static std::uint32_t low_word(KeyHash hash) {
    const auto low = static_cast<std::uint32_t>(hash.low);
    return (hash.high << 3) == 0 && low == 0 ? 0x9e3779b9u : low;
  }

  std::uint64_t first() const { return load_little<std::uint64_t>(bytes_.data()); }
  std::uint64_t second() const { return load_little<std::uint64_t>(bytes_.data() + 8); }
  std::uint32_t third() const { return load_little<std::uint32_t>(bytes_.data() + 16); }
  void store(std::uint64_t first, std::uint64_t second, std::uint32_t third) {
    store_little(bytes_.data(), first);
    store_little(bytes_.data() + 8, second);
    store_little(bytes_.data() + 16, third);
  }

  std::array<std::byte, 20> bytes_;
};
static_assert(sizeof(Slot) == 20);

constexpr std::size_t kScanSlots = 16;
constexpr std::size_t kErasedSlots = 16'384;
constexpr int kSampleTries = 64;  // while most entries are hidden

}  // namespace

struct HashIndex::Table {
  OrderedTable<Slot> slots;
  Offset floor;  // entries below are hidden
  std::optional<OrderedTable<Slot>::Walk> erasing;

  // What a look-up may see of a hit.
  std::optional<IndexEntry> shown(const Slot& slot) const {
    const IndexEntry entry = slot.entry();
    return entry.offset < floor ? std::nullopt : std::optional(entry);
  }
};

HashIndex::HashIndex() : table_(std::make_unique<Table>()) {}
HashIndex::~HashIndex() = default;
HashIndex::HashIndex(HashIndex&&) noexcept = default;
HashIndex& HashIndex::operator=(HashIndex&&) noexcept = default;

void HashIndex::expect(std::size_t keys) { table_->slots.expect(keys); }

void HashIndex::settle() { table_->slots.settle(); }

void HashIndex::prefetch(KeyHash hash) const { table_->slots.prefetch(hash.high); }

std::optional<IndexEntry> HashIndex::find(KeyHash hash) const {
  const auto found = table_->slots.find(hash.high, Slot(hash));
  if (!found.hit) return std::nullopt;
  return table_->shown(*found.slot);
}

std::optional<IndexEntry> HashIndex::touch(KeyHash hash) {
  const auto found = table_->slots.find(hash.high, Slot(hash));
  if (!found.hit) return std::nullopt;
  IndexEntry entry = found.slot->entry();
  if (entry.offset < table_->floor) return std::nullopt;
  if (entry.hits < kHitsMax) {
    ++entry.hits;
    found.slot->set_entry(entry);
  }
  return entry;
}

std::optional<IndexEntry> HashIndex::put(KeyHash hash, IndexEntry entry) {
  Slot slot(hash);
  slot.set_entry(entry);
  const auto found = table_->slots.find(hash.high, slot);
  if (!found.hit) {
    table_->slots.insert(found, hash.high, slot);
    return std::nullopt;
  }
  const auto replaced = table_->shown(*found.slot);
  *found.slot = slot;
  return replaced;
}

std::size_t HashIndex::load(std::span<const IndexChange> changes) {
  std::size_t values = 0;
  while (values < changes.size() && changes[values].has_value()) ++values;
  return table_->slots.append_sorted(values, [&](std::size_t i) {
    const IndexChange& change = changes[i];
    Slot slot(change.hash());
    slot.set_entry(IndexEntry{change.offset(), change.expires_at() != kNeverExpires, 0});
    return std::pair(change.hash().high, slot);
  });
}

std::optional<IndexEntry> HashIndex::erase(KeyHash hash) {
  const auto found = table_->slots.find(hash.high, Slot(hash));
  if (!found.hit) return std::nullopt;
  const auto erased = table_->shown(*found.slot);
  table_->slots.erase(found);
  return erased;
}

void HashIndex::erase_below(Offset offset, const std::function<void(Offset)>& erased) {
  table_->slots.erase_if([&](const Slot& slot) {
    const Offset at = slot.entry().offset;
    if (at < offset) erased(at);
    return at < offset;
  });
}

void HashIndex::hide_below(Offset offset) {
  table_->floor = std::max(table_->floor, offset);
  table_->erasing.emplace();
}

bool HashIndex::erase_hidden() {
  if (!table_->erasing) return false;
  const auto hidden = [floor = table_->floor](const Slot& slot) { return slot.entry().offset < floor; };
  if (table_->slots.erase_some(*table_->erasing, kErasedSlots, hidden)) return true;
  table_->erasing.reset();
  return false;
}

void HashIndex::clear() { table_ = std::make_unique<Table>(); }

std::size_t HashIndex::size() const { return table_->slots.size(); }

std::size_t HashIndex::memory_bytes() const { return sizeof *this + table_->slots.memory_bytes(); }

std::uint64_t HashIndex::scan(std::uint64_t cursor, const std::function<void(const IndexEntry&)>& visit) const {
  return table_->slots.walk(cursor, kScanSlots, [&](const Slot& slot, std::uint64_t) {
    if (const auto entry = table_->shown(slot)) visit(*entry);
  });
}

std::uint64_t HashIndex::read(std::uint64_t cursor, std::size_t slots_max, std::vector<Keyed>& into) const {
  return table_->slots.walk(cursor, slots_max, [&](const Slot& slot, std::uint64_t high) {
    if (const auto entry = table_->shown(slot)) into.push_back({KeyHash{high, slot.low()}, *entry});
  });
}

std::optional<IndexEntry> HashIndex::sample(std::uint64_t random) const {
  for (int i = 0; i < kSampleTries; ++i) {
    const Slot* slot = table_->slots.sample(random + static_cast<std::uint64_t>(i));
    if (slot == nullptr) return std::nullopt;
    if (const auto entry = table_->shown(*slot)) return entry;
  }
  return std::nullopt;
}

}  // namespace minod
