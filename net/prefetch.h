// The keys of several commands that are about to run, so that what they will touch in memory is on its way before the
// first of them needs it: in three passes, the loads of each running side by side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/store.h"

namespace minod {

class Prefetch {
 public:
  static constexpr std::size_t kKeysMax = 32;  // of more, those beyond are not loaded ahead

  Prefetch(const Store& store, int db) : store_(store), db_(db) {}

  // Starts the first pass for it. A key of another shard's partition does nothing; of what is no key, nothing worse
  // than a wasted load comes.
  void add(std::string_view key, std::uint16_t partition) {
    if (count_ == kKeysMax || key.size() > kKeySizeMax) return;
    const Partition* const home = store_.partition(db_, partition);
    if (home == nullptr) return;
    keys_[count_] = {home, store_.hash(key)};
    store_.prefetch_entry(*home, keys_[count_].hash);
    ++count_;
  }

  void finish() const {
    std::array<Offset, kKeysMax> offsets;
    for (std::size_t i = 0; i < count_; ++i) offsets[i] = store_.prefetch_place(*keys_[i].home, keys_[i].hash);
    for (std::size_t i = 0; i < count_; ++i) store_.prefetch_record(*keys_[i].home, offsets[i]);
  }

 private:
  struct Key {
    const Partition* home;
    KeyHash hash;
  };

  const Store& store_;
  int db_;
  std::size_t count_ = 0;
  std::array<Key, kKeysMax> keys_;
};

}  // namespace minod
