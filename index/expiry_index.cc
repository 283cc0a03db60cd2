#include "index/expiry_index.h"

#include <array>

#include "base/check.h"
#include "base/endian.h"
#include "index/hash_index.h"
#include "index/ordered_table.h"

namespace minod {
namespace {

constexpr std::uint64_t kMask48 = (std::uint64_t{1} << 48) - 1;
// Stored plus one, because 0 is an empty slot.
constexpr auto kTimeMax = static_cast<std::uint64_t>(ExpiryIndex::kLatest.value());
constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15ULL & kMask48;

constexpr std::uint64_t inverse48(std::uint64_t odd) {
  std::uint64_t inverse = odd;  // right in 3 bits; each step doubles them
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
  return inverse & kMask48;
}

// Offsets are dense and the table wants uniform hashes: a bijection of 48 bits, so that the slot needs no offset beside
// the hash. Each step can be undone: the multiplier is odd, and a shift by half the width is its own inverse.
constexpr std::uint64_t mixed(std::uint64_t offset) {
  std::uint64_t z = offset;
  for (int i = 0; i < 2; ++i) {
    z = (z * kMultiplier) & kMask48;
    z ^= z >> 24;
  }
  return (z * kMultiplier) & kMask48;
}

constexpr std::uint64_t unmixed(std::uint64_t z) {
  constexpr std::uint64_t kInverse = inverse48(kMultiplier);
  for (int i = 0; i < 2; ++i) {
    z = (z * kInverse) & kMask48;
    z ^= z >> 24;
  }
  return (z * kInverse) & kMask48;
}
static_assert(unmixed(mixed(0)) == 0 && unmixed(mixed(1)) == 1 && unmixed(mixed(kMask48)) == kMask48);

// 12 bytes: 48 bits of mixed offset, 48 bits of time plus one.
class Slot {
 public:
  static constexpr std::size_t kLoad32nds = 28;

  Slot() = default;
  Slot(std::uint64_t mixed_offset, std::uint64_t time) {
    store_little(bytes_.data() + 4, (time + 1) << 16);
    store_little(bytes_.data(), static_cast<std::uint32_t>(mixed_offset));
    store_little(bytes_.data() + 4, static_cast<std::uint16_t>(mixed_offset >> 32));
  }

  std::uint64_t order() const { return mixed_offset() << (16 + OrderedTable<Slot>::kRootBits); }
  bool same_key(const Slot& key) const { return !empty() && mixed_offset() == key.mixed_offset(); }
  bool empty() const { return stored_time() == 0; }

  Offset offset() const { return Offset(static_cast<std::int64_t>(unmixed(mixed_offset()))); }
  UnixMillis time() const { return UnixMillis(static_cast<std::int64_t>(stored_time() - 1)); }

 private:
  std::uint64_t mixed_offset() const { return load_little<std::uint64_t>(bytes_.data()) & kMask48; }
  std::uint64_t stored_time() const { return load_little<std::uint64_t>(bytes_.data() + 4) >> 16; }

  std::array<std::byte, 12> bytes_;
};
static_assert(sizeof(Slot) == 12);

std::uint64_t mixed_offset_of(Offset offset) {
  check(offset >= kFirstOffset && offset.value() < HashIndex::kOffsetLimit, "an offset fits 48 bits");
  return mixed(static_cast<std::uint64_t>(offset.value()));
}

std::uint64_t storable(UnixMillis time) {
  if (time.value() < 0) return 0;
  const auto value = static_cast<std::uint64_t>(time.value());
  return value < kTimeMax ? value : kTimeMax;
}

}  // namespace

struct ExpiryIndex::Table {
  OrderedTable<Slot> slots;
  Offset erased_below;
  std::optional<OrderedTable<Slot>::Walk> erasing;
  std::uint64_t sweep_cursor = 0;
};

ExpiryIndex::ExpiryIndex() : table_(std::make_unique<Table>()) {}
ExpiryIndex::~ExpiryIndex() = default;
ExpiryIndex::ExpiryIndex(ExpiryIndex&&) noexcept = default;
ExpiryIndex& ExpiryIndex::operator=(ExpiryIndex&&) noexcept = default;

void ExpiryIndex::put(Offset offset, UnixMillis expires_at) {
  const std::uint64_t key = mixed_offset_of(offset);
  const Slot slot(key, storable(expires_at));
  const auto found = table_->slots.find(key << 16, slot);
  if (found.hit) {
    *found.slot = slot;
  } else {
    table_->slots.insert(found, key << 16, slot);
  }
}

std::optional<UnixMillis> ExpiryIndex::find(Offset offset) const {
  const std::uint64_t key = mixed_offset_of(offset);
  const auto found = table_->slots.find(key << 16, Slot(key, 0));
  if (!found.hit) return std::nullopt;
  return found.slot->time();
}

void ExpiryIndex::erase(Offset offset) {
  const std::uint64_t key = mixed_offset_of(offset);
  const auto found = table_->slots.find(key << 16, Slot(key, 0));
  if (found.hit) table_->slots.erase(found);
}

void ExpiryIndex::erase_below(Offset offset) {
  table_->slots.erase_if([offset](const Slot& slot) { return slot.offset() < offset; });
}

bool ExpiryIndex::erase_some_below(Offset offset) {
  constexpr std::size_t kSlots = 16'384;
  if (!table_->erasing || offset != table_->erased_below) table_->erasing.emplace();
  table_->erased_below = offset;
  const auto goes = [offset](const Slot& slot) { return slot.offset() < offset; };
  if (table_->slots.erase_some(*table_->erasing, kSlots, goes)) return true;
  table_->erasing.reset();
  return false;
}

void ExpiryIndex::clear() { table_ = std::make_unique<Table>(); }

std::size_t ExpiryIndex::size() const { return table_->slots.size(); }

std::size_t ExpiryIndex::memory_bytes() const { return sizeof *this + sizeof(Table) + table_->slots.memory_bytes(); }

void ExpiryIndex::sweep(UnixMillis now, std::size_t slots_max, std::vector<Offset>& expired) {
  table_->sweep_cursor = table_->slots.walk(table_->sweep_cursor, slots_max, [&](const Slot& slot, std::uint64_t) {
    if (slot.time() <= now) expired.push_back(slot.offset());
  });
}

}  // namespace minod
