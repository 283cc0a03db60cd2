// What the index hides at once and takes out in parts.
#include <gtest/gtest.h>

#include "index/hash_index.h"

namespace minod {
namespace {

KeyHash hash_of(std::uint64_t key) {
  static const KeyHasher hasher(1, 2);
  return hasher({reinterpret_cast<const char*>(&key), sizeof key});
}

IndexEntry entry_at(std::uint64_t offset) { return IndexEntry{Offset(static_cast<std::int64_t>(offset))}; }

std::size_t scan_count(const HashIndex& index) {
  std::size_t count = 0;
  std::uint64_t cursor = 0;
  do {
    cursor = index.scan(cursor, [&](const IndexEntry&) { ++count; });
  } while (cursor != 0);
  return count;
}

TEST(HashIndex, WhatIsHiddenIsGoneForEverybodyAndLeavesInParts) {
  constexpr std::uint64_t kCount = 300'000;
  constexpr std::uint64_t kBelow = 200'000;
  HashIndex index;
  for (std::uint64_t key = 0; key < kCount; ++key) index.put(hash_of(key), entry_at(key));
  index.hide_below(Offset(kBelow));
  EXPECT_FALSE(index.find(hash_of(kBelow - 1)));
  EXPECT_FALSE(index.touch(hash_of(kBelow - 1)));
  EXPECT_FALSE(index.erase(hash_of(kBelow - 1)));
  EXPECT_EQ(scan_count(index), kCount - kBelow);
  EXPECT_FALSE(index.put(hash_of(7), entry_at(kCount))) << "nothing that counts was there";
  EXPECT_EQ(index.find(hash_of(7)), entry_at(kCount));

  // Others go on between the parts: keys come, and so many go that sub-tables merge.
  std::uint64_t parts = 0;
  std::uint64_t gone = 0;
  for (std::uint64_t key = kBelow; index.erase_hidden(); ++parts) {
    for (int i = 0; i < 3'000 && gone < kCount - kBelow; ++i, ++key, ++gone) index.erase(hash_of(key));
    index.put(hash_of(kCount + parts), entry_at(kCount + 1 + parts));
  }
  EXPECT_GT(parts, 10u) << "no part is large";
  EXPECT_EQ(index.size(), 1 + parts + kCount - kBelow - gone);
  EXPECT_EQ(scan_count(index), index.size());
  for (std::uint64_t key = 0; key < kBelow; ++key) ASSERT_EQ(index.find(hash_of(key)).has_value(), key == 7) << key;
  for (std::uint64_t key = kBelow + gone; key < kCount; ++key) ASSERT_EQ(index.find(hash_of(key)), entry_at(key));
}

}  // namespace
}  // namespace minod
