// The bodies of what OrderedTable does to many slots at once; included by ordered_table.h only.
#pragma once

namespace minod {

template <class Slot>
template <class Make>
std::size_t OrderedTable<Slot>::append_sorted(std::size_t count, Make&& make) {
  for (std::size_t i = 0; i < count;) {
    const std::uint64_t hash = make(i).first;
    int depth = 0;
    SubTable& table = choose(hash, depth);
    const std::uint64_t last = hash | (~std::uint64_t{0} >> depth);  // of the sub-table's range
    Sorted sorted;
    std::size_t filled = table.count == 0 ? 0 : gather(table, sorted.data());
    const std::size_t before = filled;
    bool ascends = true;
    for (; i < count && filled < kDense; ++i) {
      const auto [next_hash, slot] = make(i);
      if (next_hash > last) break;
      ascends = next_hash >= hash && (filled == 0 || sorted[filled - 1].order() < slot.order());
      if (!ascends) break;
      sorted[filled++] = slot;
    }
    if (filled != before) {
      size_ += filled - before;
      const std::size_t capacity = capacity_for(filled + filled / 16);
      fill(table, depth, sorted.data(), filled, table.capacity > capacity ? table.capacity : capacity);
    }
    if (!ascends || filled >= kDense) return i;
  }
  return count;
}

template <class Slot>
template <class Goes>
void OrderedTable<Slot>::erase_in(std::size_t id, Goes&& goes) {
  SubTable& table = sub_table(id);
  if (table.slots == nullptr) return;
  Sorted sorted;
  const std::size_t before = gather(table, sorted.data());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < before; ++i) {
    if (!goes(sorted[i])) sorted[kept++] = sorted[i];
  }
  if (kept == before) return;
  const bool is_split = id < split_ || id >= std::size_t{1} << level_;
  size_ -= before - kept;
  fill(table, level_ + (is_split ? 1 : 0), sorted.data(), kept, capacity_for(kept + kept / 8u));
}

template <class Slot>
template <class Goes>
bool OrderedTable<Slot>::erase_some(Walk& walk, std::size_t slots_max, Goes&& goes) {
  // What a merge has moved to the front may not have been looked at.
  if (sub_table_count() < walk.sub_tables) walk.next = 0;
  for (std::size_t seen = 0; walk.next < sub_table_count() && seen < slots_max; ++walk.next) {
    seen += sub_table(walk.next).capacity;
    erase_in(walk.next, goes);
  }
  walk.sub_tables = sub_table_count();
  if (walk.next < walk.sub_tables) return true;
  owes_merges_ = true;  // a few with each change that follows
  return false;
}

template <class Slot>
template <class Goes>
void OrderedTable<Slot>::erase_if(Goes&& goes) {
  for (std::size_t id = 0; id < sub_table_count(); ++id) erase_in(id, goes);
  while (!is_small() && size_ < sub_table_count() * (kMeanCount * 3 / 4) && merge_last()) {
  }
}

}  // namespace minod
