#include "store/value_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <vector>

#include "base/random.h"

namespace minod {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Held {
  void* block = nullptr;
  std::size_t size = 0;
  unsigned char fill = 0;
};

Held take(ValuePool& pool, std::size_t size, unsigned char fill) {
  Held held{pool.allocate(size), size, fill};
  if (held.block != nullptr) std::memset(held.block, fill, size);
  return held;
}

bool whole(const Held& held) {
  const auto* bytes = static_cast<const unsigned char*>(held.block);
  for (std::size_t i = 0; i < held.size; ++i) {
    if (bytes[i] != held.fill) return false;
  }
  return true;
}

std::size_t size_like_a_record(Random& random) {
  if (random.one_in(500)) return ValuePool::kBlockSizeMax + random.below(kMiB);
  if (random.one_in(10)) return 1 + random.below(ValuePool::kBlockSizeMax / 8);
  return 1 + random.below(600);
}

TEST(ValuePool, BlocksKeepTheirContents) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    ValuePool pool(64 * kMiB);
    pool.set_limit(24 * kMiB);
    std::vector<Held> all;
    std::size_t used = 0;
    for (int i = 0; i < 60'000; ++i) {
      if (all.empty() || random.below(100) < 55) {
        const Held held = take(pool, size_like_a_record(random), static_cast<unsigned char>(i));
        if (held.block != nullptr) {
          all.push_back(held);
          used += held.size;
          continue;
        }
        if (all.empty()) break;
      }
      std::swap(all[random.below(all.size())], all.back());
      ASSERT_TRUE(whole(all.back()));
      used -= all.back().size;
      pool.release(all.back().block, all.back().size);
      all.pop_back();
      ASSERT_LE(pool.memory_bytes(), pool.limit());
    }
    const ValuePool::Stats stats = pool.stats();
    EXPECT_LE(stats.used_bytes, stats.block_bytes);
    EXPECT_LE(stats.block_bytes, stats.committed_bytes);
    EXPECT_GT(stats.fallbacks_ever, 0u);
    for (const Held& held : all) {
      ASSERT_TRUE(whole(held));
      pool.release(held.block, held.size);
    }
    EXPECT_EQ(pool.stats().used_bytes, 0u);
    EXPECT_EQ(pool.stats().fallback_bytes, 0u);
    EXPECT_EQ(pool.held_bytes(), 0u);
    EXPECT_TRUE(pool.stats().classes.empty());
    pool.set_limit(0);
    EXPECT_EQ(pool.memory_bytes(), 0u);
  }
}

TEST(ValuePool, EmptySlabServesAnotherClass) {
  ValuePool pool(8 * kMiB);
  pool.set_limit(2 * kMiB);
  std::vector<Held> small;
  for (Held held = take(pool, 100, 1); held.block != nullptr; held = take(pool, 100, 1)) small.push_back(held);
  EXPECT_GT(small.size() * 100, pool.limit() * 8 / 10);
  EXPECT_EQ(pool.allocate(5000), nullptr);
  for (const Held& held : small) pool.release(held.block, held.size);
  std::size_t large = 0;
  while (take(pool, 5000, 2).block != nullptr) ++large;
  EXPECT_GT(large * 5000, pool.limit() * 8 / 10);
}

TEST(ValuePool, LeavesWhatItIsToldTo) {
  ValuePool pool(8 * kMiB);
  pool.set_limit(4 * kMiB);
  while (pool.allocate(1000, kMiB) != nullptr) {
  }
  EXPECT_LE(pool.held_bytes(), 3 * kMiB);
  EXPECT_GT(pool.held_bytes(), 3 * kMiB - 8192);
  EXPECT_NE(pool.allocate(1000), nullptr);
}

TEST(ValuePool, UsualSizeGetsAClassThatFits) {
  ValuePool hinted(8 * kMiB);
  hinted.set_size_hint(4177);
  ASSERT_NE(hinted.allocate(4177), nullptr);
  EXPECT_LT(hinted.stats().block_bytes, 4177 * 107 / 100);

  ValuePool learning(8 * kMiB);
  for (int i = 0; i < 40'000; ++i) learning.release(learning.allocate(4177), 4177);
  ASSERT_NE(learning.allocate(4177), nullptr);
  EXPECT_LT(learning.stats().block_bytes, 4177 * 107 / 100);
}

TEST(ValuePool, EverySizeFitsItsClass) {
  SizeClasses classes;
  for (std::size_t size = 1; size <= SizeClasses::kBlockSizeMax; size += size < 2000 ? 1 : 37) {
    const std::size_t block = classes.block_size(classes.index_of(size));
    ASSERT_GE(block, size);
    ASSERT_LE(block, std::max<std::size_t>(size * 13 / 10 + 16, SizeClasses::kBlockSizeMin)) << size;
  }
}

// What an owner does: keeps its blocks by address, and carries them over while it empties a slab.
TEST(ValuePool, ClosedSlabEmptiesIntoItsSiblings) {
  Random random(7);
  ValuePool pool(16 * kMiB);
  pool.set_limit(4 * kMiB);
  std::map<void*, Held> alive;
  for (Held held = take(pool, 200, 0); held.block != nullptr; held = take(pool, 200, 0)) {
    held.fill = static_cast<unsigned char>(random.next());
    std::memset(held.block, held.fill, held.size);
    alive[held.block] = held;
  }
  std::erase_if(alive, [&](const auto& entry) {
    if (random.below(2) == 0) return false;
    pool.release(entry.first, 200);
    return true;
  });
  ASSERT_EQ(pool.allocate(20'000), nullptr);
  ASSERT_TRUE(pool.close_sparsest());
  while (pool.closing()) {
    void* from = pool.next_in_closed();
    const auto found = alive.find(from);
    if (found == alive.end()) continue;
    Held held = found->second;
    held.block = pool.allocate_beside(from, held.size);
    ASSERT_NE(held.block, nullptr);
    std::memcpy(held.block, from, held.size);
    pool.release(from, held.size);
    alive.erase(found);
    alive[held.block] = held;
  }
  EXPECT_NE(pool.allocate(20'000), nullptr);
  for (const auto& [block, held] : alive) ASSERT_TRUE(whole(held));
}

}  // namespace
}  // namespace minod
