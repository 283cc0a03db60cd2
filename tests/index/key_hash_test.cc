#include "index/key_hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace minod {
namespace {

// Data directories hold seeds, and a checkpoint of the index holds hashes: these values never change.
TEST(KeyHash, ValuesArePinned) {
  const KeyHasher hasher(0x0123456789abcdef, 0xfedcba9876543210);
  EXPECT_EQ(hasher(""), (KeyHash{0xf95e9d85179a3b8a, 0xce006e197979a4ff}));
  EXPECT_EQ(hasher("user:1000"), (KeyHash{0xa4117a47266f674e, 0x1975f73e33c10a9f}));
  EXPECT_EQ(hasher(std::string(100, 'x')), (KeyHash{0xc475736182a21a30, 0xd568a0bac7e23079}));
  EXPECT_EQ(hasher(std::string(1000, 'x')), (KeyHash{0x32a04ee293062980, 0xb25dad03d535c8d1}));
}

TEST(KeyHash, EachHalfOfTheSeedMatters) {
  for (const std::size_t size : {0, 1, 3, 8, 16, 100, 200, 500, 5000}) {
    const std::string key(size, 'k');
    const KeyHash hash = KeyHasher(1, 1)(key);
    EXPECT_EQ(KeyHasher(1, 1)(key), hash);
    EXPECT_NE(KeyHasher(1, 2)(key), hash) << size;
    EXPECT_NE(KeyHasher(2, 1)(key), hash) << size;
  }
}

TEST(KeyHash, BothHalvesOfTheHashTellKeysApart) {
  const KeyHasher hasher(5, 6);
  std::set<std::uint64_t> highs;
  std::set<std::uint64_t> lows;
  constexpr int kKeys = 10'000;
  for (int i = 0; i < kKeys; ++i) {
    const KeyHash hash = hasher("key:" + std::to_string(i));
    highs.insert(hash.high);
    lows.insert(hash.low);
  }
  EXPECT_EQ(highs.size(), kKeys);
  EXPECT_EQ(lows.size(), kKeys);
}

TEST(KeyHash, KeysMayHoldZeros) {
  const KeyHasher hasher(5, 6);
  EXPECT_NE(hasher(std::string_view("a\0b", 3)), hasher(std::string_view("a\0c", 3)));
  EXPECT_NE(hasher(std::string_view("\0", 1)), hasher(std::string_view("\0\0", 2)));
}

}  // namespace
}  // namespace minod
