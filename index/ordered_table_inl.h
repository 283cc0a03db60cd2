// The bodies of OrderedTable; included by ordered_table.h only.
#pragma once

namespace minod {

template <class Slot>
OrderedTable<Slot>::OrderedTable() {
  chunks_.push_back(std::make_unique<Chunk>());
}

template <class Slot>
OrderedTable<Slot>::~OrderedTable() {
  for (std::size_t id = 0; id < sub_table_count(); ++id) {
    if (!sub_table(id).pooled) std::free(sub_table(id).slots);
  }
}

template <class Slot>
std::size_t OrderedTable<Slot>::memory_bytes() const {
  return sizeof *this + storage_bytes_ + pool_.overhead_bytes() + chunks_.capacity() * sizeof(chunks_.front()) +
         chunks_.size() * (sizeof(Chunk) + kHeapBlockOverhead);
}

template <class Slot>
auto OrderedTable<Slot>::choose(std::uint64_t hash, int& depth) const -> SubTable& {
  const std::size_t reversed = reversed32(static_cast<std::uint32_t>(hash >> 32));
  const std::size_t bit = std::size_t{1} << level_;
  std::size_t id = reversed & (bit - 1);
  const bool is_split = id < split_;
  if (is_split) id = reversed & (2 * bit - 1);
  depth = level_ + (is_split ? 1 : 0);
  return sub_table(id);
}

template <class Slot>
auto OrderedTable<Slot>::find(std::uint64_t hash, const Slot& key) const -> Found {
  int depth = 0;
  SubTable& table = choose(hash, depth);
  if (table.slots == nullptr) return {&table, depth, nullptr, false};
  const std::uint64_t order = hash << kRootBits;
  Slot* slot = table.slots + home(order, depth, table.capacity);

  // Most hits are this near. Looking at all of these without a branch between them costs less than one branch that is
  // mispredicted while its slot is on the way from memory, and lets the next look-up start meanwhile.
  std::size_t near = kNear;
  for (std::size_t i = kNear; i-- != 0;) near = slot[i].order() == order ? i : near;
  if (near != kNear && slot[near].same_key(key)) return {&table, depth, slot + near, true};

  for (;; ++slot) {
    const std::uint64_t there = slot->order();
    if (there == order && slot->same_key(key)) return {&table, depth, slot, true};
    if (there > order || (there == 0 && slot->empty())) return {&table, depth, slot, false};
  }
}

template <class Slot>
void OrderedTable<Slot>::prefetch(std::uint64_t hash) const {
  int depth = 0;
  const SubTable& table = choose(hash, depth);
  if (table.slots == nullptr) return;
  const auto* at = reinterpret_cast<const char*>(table.slots + home(hash << kRootBits, depth, table.capacity));
  __builtin_prefetch(at);
  __builtin_prefetch(at + kNear * sizeof(Slot) - 1);
  if constexpr (kNear * sizeof(Slot) > 64) __builtin_prefetch(at + 64);
}

template <class Slot>
void OrderedTable<Slot>::expect(std::size_t count) {
  owes_merges_ = false;
  while (size_ + count > sub_table_count() * kMeanCount) split_next();
}

template <class Slot>
void OrderedTable<Slot>::settle() {
  while (!is_small() && size_ <= (sub_table_count() - 1) * kMeanCount && merge_last()) {
  }
}

template <class Slot>
void OrderedTable<Slot>::insert(Found at, std::uint64_t hash, const Slot& slot) {
  SubTable* table = at.table;
  ++size_;
  const bool many = size_ > sub_table_count() * kMeanCount;
  if (many || table->count > kDense) {
    // One split an insert comes to each full sub-table long before it overflows, unless erasing undoes it.
    owes_merges_ = !many;
    merge_wait_ = many ? 0 : size_ / 2;
    split_next();
    at = find(hash, slot);
    table = at.table;
  } else if (owes_merges_) {
    merge_if_sparse();
    at = find(hash, slot);
    table = at.table;
  }
  if (table->count >= count_max(table->capacity) && table->capacity < kSlotsMax) {
    resize(*table, at.depth, capacity_for(table->count + table->count / 16u + 1u));
    at = find(hash, slot);
  }
  for (;;) {
    Slot* end = at.slot;
    while (!end->empty()) ++end;
    if (end != table->slots + table->capacity - 1) {
      std::memmove(at.slot + 1, at.slot, static_cast<std::size_t>(end - at.slot) * sizeof(Slot));
      *at.slot = slot;
      ++table->count;
      return;
    }
    // The last run has used up the tail, early.
    if (table->capacity < kSlotsMax) {
      resize(*table, at.depth, capacity_for(count_max(table->capacity) + table->capacity / 16u + 1u));
    } else {
      split_until_room(hash);
    }
    at = find(hash, slot);
    table = at.table;
  }
}

// What was swept from the front and is filled at the back overflows at the back, however few its slots are.
template <class Slot>
void OrderedTable<Slot>::split_until_room(std::uint64_t hash) {
  owes_merges_ = true;
  merge_wait_ = size_ / 2;
  int depth = 0;
  int before = 0;
  choose(hash, before);
  do {
    check(level_ < 32, "the hashes of a sub-table differ in their first 32 bits");
    split_next();
    choose(hash, depth);
  } while (depth == before);
}

template <class Slot>
void OrderedTable<Slot>::erase(Found at) {
  SubTable& table = *at.table;
  Slot* end = at.slot + 1;
  const auto displaced = [&](const Slot* slot) {
    return !slot->empty() && table.slots + home(slot->order(), at.depth, table.capacity) != slot;
  };
  while (displaced(end)) ++end;
  std::memmove(at.slot, at.slot + 1, static_cast<std::size_t>(end - at.slot - 1) * sizeof(Slot));
  *(end - 1) = Slot{};
  --table.count;
  --size_;
  if (table.count == 0) {
    release(table);
  } else if (table.count < table.capacity / 2 && table.count % 32 == 0) {
    // Not at every one: what is left may be all at the end, and need the capacity that there is.
    const std::size_t capacity = capacity_for(table.count + table.count / 8u);
    if (capacity < table.capacity - table.capacity / 8u) resize(table, at.depth, capacity);
  }
  merge_if_sparse();
}

template <class Slot>
template <class Visit>
std::uint64_t OrderedTable<Slot>::walk(std::uint64_t cursor, std::size_t slots_max, Visit&& visit) const {
  constexpr int kShift = 64 - kCursorBits;
  std::uint64_t hash = cursor << kShift;
  for (std::size_t looked_at = 0; looked_at < slots_max; ++looked_at) {
    int depth = 0;
    const SubTable& table = choose(hash, depth);
    const std::uint64_t prefix = hash >> (64 - depth);
    const std::uint64_t root = hash >> (64 - kRootBits) << (64 - kRootBits);
    const Slot* slot = table.slots;
    const Slot* end = slot + table.capacity;
    if (slot != nullptr) slot += home(hash << kRootBits, depth, table.capacity);
    std::uint64_t visited = 0;  // the cursor of the slot visited last; slots that share it go together
    bool any = false;
    for (; slot != end; ++slot, ++looked_at) {
      if (slot->empty()) continue;
      const std::uint64_t there = root | (slot->order() >> kRootBits);
      if (there < hash) continue;
      if (any && looked_at >= slots_max && there >> kShift != visited) return there >> kShift;
      visit(*slot, there);
      visited = there >> kShift;
      any = true;
    }
    hash = (prefix + 1) << (64 - depth);
    if (hash == 0) return 0;
  }
  return hash >> kShift;
}

template <class Slot>
const Slot* OrderedTable<Slot>::sample(std::uint64_t random) const {
  if (size_ == 0) return nullptr;
  Random chance(random);
  int depth = 0;
  const SubTable* table = &choose(chance.next(), depth);
  if (is_small()) {
    // Small sub-tables differ in size: weigh them. Large ones are as large as their ranges, within a few percent.
    std::uint64_t skip = chance.below(size_);
    std::size_t id = 0;
    for (; skip >= sub_table(id).count; ++id) skip -= sub_table(id).count;
    table = &sub_table(id);
  }
  while (table->slots == nullptr) table = &choose(chance.next(), depth);
  for (;;) {
    const Slot* slot = table->slots + chance.below(table->capacity);
    if (!slot->empty()) return slot;
  }
}

// Slots that hold `count` within the load, rounded up to what the storage is dealt in.
template <class Slot>
std::size_t OrderedTable<Slot>::capacity_for(std::size_t count) const {
  const std::size_t exact = count * 32 / Slot::kLoad32nds + 1;
  const std::size_t wanted = exact < kSlotsMin ? kSlotsMin : exact;
  const std::size_t slots = is_small() ? wanted : pages_size(wanted) / sizeof(Slot);
  return slots < kSlotsMax ? slots : kSlotsMax;
}

// Changes the storage; its contents are unspecified afterwards.
template <class Slot>
void OrderedTable<Slot>::set_capacity(SubTable& table, std::size_t capacity) {
  const bool pooled = !is_small();
  if (table.slots != nullptr && pooled && table.pooled) {
    RegionPool::drop_pages(reinterpret_cast<std::byte*>(table.slots), pages_size(capacity), pages_size(table.capacity));
    storage_bytes_ -= storage_size(table);
  } else {
    release(table);
    table.pooled = pooled;
    void* memory = pooled ? pool_.take() : std::malloc(capacity * sizeof(Slot));
    check(memory != nullptr, "memory for the index");
    table.slots = static_cast<Slot*>(memory);
  }
  table.capacity = static_cast<std::uint16_t>(capacity);
  storage_bytes_ += storage_size(table);
}

template <class Slot>
void OrderedTable<Slot>::release(SubTable& table) {
  storage_bytes_ -= storage_size(table);
  if (table.pooled) {
    pool_.give_back(reinterpret_cast<std::byte*>(table.slots), pages_size(table.capacity));
  } else {
    std::free(table.slots);
  }
  table = SubTable{};
}

// Makes `sorted` the sub-table's contents, in `capacity` or, when a run does not fit before the end, a little more.
template <class Slot>
void OrderedTable<Slot>::fill(SubTable& table, int depth, const Slot* sorted, std::size_t count, std::size_t capacity) {
  if (count == 0) return release(table);
  set_capacity(table, capacity);
  while (!spread(table, depth, sorted, count)) {
    check(table.capacity < kSlotsMax, "hashes are uniform: a sub-table does not overflow its region");
    set_capacity(table, capacity_for(count_max(table.capacity) + table.capacity / 16u + 1u));
  }
}

template <class Slot>
bool OrderedTable<Slot>::spread(SubTable& table, int depth, const Slot* sorted, std::size_t count) {
  std::memset(static_cast<void*>(table.slots), 0, table.capacity * sizeof(Slot));
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t wanted = home(sorted[i].order(), depth, table.capacity);
    const std::size_t place = wanted < next ? next : wanted;
    if (place + 1 >= table.capacity) return false;
    table.slots[place] = sorted[i];
    next = place + 1;
  }
  table.count = static_cast<std::uint16_t>(count);
  return true;
}

template <class Slot>
std::size_t OrderedTable<Slot>::gather(const SubTable& table, Slot* into) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < table.capacity; ++i) {
    into[count] = table.slots[i];  // an empty one is overwritten by the next: no branch to mispredict
    count += table.slots[i].empty() ? 0 : 1;
  }
  return count;
}

template <class Slot>
void OrderedTable<Slot>::resize(SubTable& table, int depth, std::size_t capacity) {
  check(capacity != table.capacity, "hashes are uniform: a sub-table does not overflow its region");
  if (table.slots == nullptr) {
    set_capacity(table, capacity);
    std::memset(static_cast<void*>(table.slots), 0, capacity * sizeof(Slot));
    return;
  }
  Sorted sorted;
  const std::size_t count = gather(table, sorted.data());
  fill(table, depth, sorted.data(), count, capacity);
}

template <class Slot>
void OrderedTable<Slot>::split_next() {
  const std::size_t upper_id = sub_table_count();
  if (upper_id % kChunkSize == 0) chunks_.push_back(std::make_unique<Chunk>());
  SubTable& lower = sub_table(split_);
  SubTable& upper = sub_table(upper_id);

  Sorted sorted;
  const std::size_t count = gather(lower, sorted.data());
  const std::uint64_t bit = std::uint64_t{1} << (63 - level_ + kRootBits);
  std::size_t lower_count = 0;
  while (lower_count < count && (sorted[lower_count].order() & bit) == 0) ++lower_count;

  const int depth = level_ + 1;
  if (++split_ == std::size_t{1} << level_) {
    ++level_;
    split_ = 0;
  }
  const auto room = [&](std::size_t slots) { return capacity_for(slots + slots / 16); };
  fill(lower, depth, sorted.data(), lower_count, room(lower_count));
  fill(upper, depth, sorted.data() + lower_count, count - lower_count, room(count - lower_count));
}

template <class Slot>
void OrderedTable<Slot>::merge_if_sparse() {
  for (int i = 0; i < kMergesMax; ++i) {
    const std::size_t enough = owes_merges_ ? kMeanCount * 31 / 32 : kMeanCount * 3 / 4;
    const bool sparse = !is_small() && size_ < sub_table_count() * enough;
    if (!sparse) owes_merges_ = false;
    if (!sparse) return;
    if (merge_wait_ != 0) {
      --merge_wait_;
      owes_merges_ = true;
      return;
    }
    if (!merge_last()) {
      // Both stay until a sweep has come to them. To try again costs as much as this did.
      merge_wait_ = kMergeRetry;
      owes_merges_ = true;
      return;
    }
    if (!owes_merges_) return;
  }
}

// Undoes the last split, unless what the two hold is too dense for one: its slots may be all in one part of its range.
template <class Slot>
bool OrderedTable<Slot>::merge_last() {
  const int depth = split_ == 0 ? level_ - 1 : level_;
  const std::size_t upper_id = sub_table_count() - 1;
  const std::size_t lower_id = upper_id - (std::size_t{1} << depth);
  SubTable& lower = sub_table(lower_id);
  SubTable& upper = sub_table(upper_id);
  std::size_t count = lower.count + std::size_t{upper.count};
  if (count > kDense * 7 / 8) return false;

  Sorted sorted;
  count = gather(lower, sorted.data());
  count += gather(upper, sorted.data() + count);
  if (!fits(depth, kSlotsMax, sorted.data(), count)) return false;
  release(upper);
  level_ = depth;
  split_ = lower_id;
  fill(lower, depth, sorted.data(), count, capacity_for(count + count / 16));
  if (upper_id % kChunkSize == 0) chunks_.pop_back();
  return true;
}

// Whether spread() would succeed, with an eighth of the places to spare.
template <class Slot>
bool OrderedTable<Slot>::fits(int depth, std::size_t capacity, const Slot* sorted, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t behind = count - i;
    const std::size_t places = capacity - home(sorted[i].order(), depth, capacity);
    if (behind + behind / 8 + 1 >= places) return false;
  }
  return true;
}

}  // namespace minod
