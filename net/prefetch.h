// The keys of several commands that are about to run, so that what they will touch in memory is on its way before the
// first of them needs it: in three passes, the loads of each running side by side. Commands may run between add() and
// finish(); a key whose partition is gone by then is left out.
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

  // Starts the first pass for it. A key of another shard's partition does nothing; of what is no key, nothing worse
  // than a wasted load comes.
  void add(const Store& store, int db, std::uint16_t partition, std::string_view key) {
    if (count_ == kKeysMax || key.size() > kKeySizeMax) return;
    const Partition* const home = store.partition(db, partition);
    if (home == nullptr) return;
    keys_[count_] = {db, partition, store.hash(key)};
    store.prefetch_entry(*home, keys_[count_].hash);
    ++count_;
  }

  // The other two, and forgets the keys.
  void finish(const Store& store) {
    std::array<Offset, kKeysMax> offsets;
    for (std::size_t i = 0; i < count_; ++i) {
      const Partition* const home = store.partition(keys_[i].db, keys_[i].partition);
      offsets[i] = home == nullptr ? kNoOffset : store.prefetch_place(*home, keys_[i].hash);
    }
    for (std::size_t i = 0; i < count_; ++i) {
      const Partition* const home = store.partition(keys_[i].db, keys_[i].partition);
      if (home != nullptr) store.prefetch_record(*home, offsets[i]);
    }
    count_ = 0;
  }

 private:
  struct Key {
    int db;
    std::uint16_t partition;
    KeyHash hash;
  };

  std::size_t count_ = 0;
  std::array<Key, kKeysMax> keys_;
};

}  // namespace minod
