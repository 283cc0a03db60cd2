#include "index/expiry_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/random.h"

namespace minod {
namespace {

constexpr std::int64_t kOffsetEnd = std::int64_t{1} << 48;

double bytes_each(const ExpiryIndex& index) {
  return static_cast<double>(index.memory_bytes()) / static_cast<double>(index.size());
}

TEST(ExpiryIndex, DoesAsAMapDoes) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    ExpiryIndex index;
    std::unordered_map<std::int64_t, std::int64_t> model;
    const auto range = std::uint64_t{100} << (seed * 3);
    for (int step = 0; step < 60'000; ++step) {
      const auto offset = static_cast<std::int64_t>(random.below(range));
      // Mostly growing, then mostly shrinking.
      if (random.below(10) < (step < 40'000 ? 7u : 2u)) {
        const auto time = static_cast<std::int64_t>(random.below(1'000'000));
        index.put(Offset(offset), UnixMillis(time));
        model[offset] = time;
      } else {
        index.erase(Offset(offset));
        model.erase(offset);
      }
      const auto probe = static_cast<std::int64_t>(random.below(range));
      const auto found = index.find(Offset(probe));
      const auto expected = model.find(probe);
      ASSERT_EQ(found.has_value(), expected != model.end());
      if (found) {
        ASSERT_EQ(found->value(), expected->second);
      }
      ASSERT_EQ(index.size(), model.size());
    }
    for (const auto& [offset, time] : model) ASSERT_EQ(index.find(Offset(offset)), UnixMillis(time));
  }
}

TEST(ExpiryIndex, KeepsTheEdgesOfBothNumbers) {
  ExpiryIndex index;
  const std::int64_t latest = (std::int64_t{1} << 48) - 2;
  for (const std::int64_t offset : {std::int64_t{0}, std::int64_t{1}, kOffsetEnd - 1}) {
    for (const std::int64_t time : {std::int64_t{0}, std::int64_t{1}, latest}) {
      index.put(Offset(offset), UnixMillis(time));
      EXPECT_EQ(index.find(Offset(offset)), UnixMillis(time));
    }
  }
  index.put(Offset(5), kNeverExpires);
  EXPECT_EQ(index.find(Offset(5)), UnixMillis(latest));
  index.put(Offset(5), UnixMillis(-3));
  EXPECT_EQ(index.find(Offset(5)), UnixMillis(0));
  EXPECT_EQ(index.size(), 4u);
}

TEST(ExpiryIndex, TakesAtMost16BytesAKeyOnAverage) {
  ExpiryIndex index;
  double sum = 0;
  int levels = 0;
  std::size_t next = 1000;
  for (std::int64_t offset = 0; offset < 600'000; ++offset) {
    index.put(Offset(offset), UnixMillis(offset));
    if (index.size() < next) continue;
    EXPECT_LE(bytes_each(index), 18.0) << index.size();
    sum += bytes_each(index);
    ++levels;
    next += next / 50;
  }
  EXPECT_LE(sum / levels, 16.0);
}

TEST(ExpiryIndex, GivesMemoryBack) {
  ExpiryIndex index;
  for (std::int64_t offset = 0; offset < 200'000; ++offset) index.put(Offset(offset), UnixMillis(1));
  for (std::int64_t offset = 0; offset < 198'000; ++offset) index.erase(Offset(offset));
  EXPECT_LE(bytes_each(index), 50.0);
  for (std::int64_t offset = 198'000; offset < 200'000; ++offset) ASSERT_TRUE(index.find(Offset(offset)));
  index.clear();
  EXPECT_EQ(index.size(), 0u);
  EXPECT_LE(index.memory_bytes(), 2000u);
}

// Whatever else happens, what is there from one round to the next is seen.
TEST(ExpiryIndex, SweepVisitsEverythingInBoundedSlices) {
  constexpr std::size_t kSlice = 100;
  Random random(3);
  ExpiryIndex index;
  for (std::int64_t offset = 0; offset < 50'000; ++offset) {
    index.put(Offset(offset), UnixMillis(offset % 2 == 0 ? 100 : 200));
  }
  std::set<std::int64_t> seen;
  std::int64_t extra = 50'000;
  for (int call = 0; call < 2'500; ++call) {
    std::vector<Offset> expired;
    index.sweep(UnixMillis(100), kSlice, expired);
    EXPECT_LE(expired.size(), kSlice + 20);
    for (const Offset offset : expired) {
      EXPECT_EQ(offset.value() % 2, 0);
      seen.insert(offset.value());
      if (random.one_in(2)) index.erase(offset);
    }
    for (int i = 0; i < 20; ++i) index.put(Offset(extra += 2), UnixMillis(300));
  }
  for (std::int64_t offset = 0; offset < 50'000; offset += 2) EXPECT_TRUE(seen.contains(offset)) << offset;
}

TEST(ExpiryIndex, SweepOfAnEmptyIndexEnds) {
  ExpiryIndex index;
  std::vector<Offset> expired;
  for (int i = 0; i < 10; ++i) index.sweep(UnixMillis(1), 1'000'000, expired);
  EXPECT_TRUE(expired.empty());
}

TEST(ExpiryIndex, EraseBelowKeepsTheRest) {
  ExpiryIndex index;
  for (std::int64_t offset = 0; offset < 50'000; ++offset) index.put(Offset(offset), UnixMillis(offset));
  index.erase_below(Offset(10'000));
  while (index.erase_some_below(Offset(20'000))) {
  }
  ASSERT_EQ(index.size(), 30'000u);
  for (std::int64_t offset = 0; offset < 50'000; ++offset) {
    const auto expected = offset < 20'000 ? std::nullopt : std::optional(UnixMillis(offset));
    ASSERT_EQ(index.find(Offset(offset)), expected);
  }
}

// What the store does when very many keys expire at once: it erases them in the order of the walk, while others come.
TEST(ExpiryIndex, SweptFromOneEndWhileOthersComeItStaysWhole) {
  constexpr std::int64_t kCount = 400'000;
  for (const std::int64_t comers : {0, 1, 4, 8}) {  // new entries for each eight that go
    SCOPED_TRACE(comers);
    ExpiryIndex index;
    for (std::int64_t offset = 0; offset < kCount; ++offset) index.put(Offset(offset), UnixMillis(1));
    std::int64_t next = kCount;
    std::vector<Offset> expired;
    for (int rounds = 0; rounds < 20'000 && index.size() != static_cast<std::size_t>(next - kCount); ++rounds) {
      expired.clear();
      index.sweep(UnixMillis(1), 4096, expired);
      std::int64_t gone = 0;
      for (const Offset offset : expired) {
        index.erase(offset);
        if (gone++ % 8 < comers) index.put(Offset(next++), UnixMillis(2));
      }
    }
    ASSERT_EQ(index.size(), static_cast<std::size_t>(next - kCount));
    for (std::int64_t offset = kCount; offset < next; ++offset) {
      ASSERT_EQ(index.find(Offset(offset)), UnixMillis(2)) << offset;
    }
    if (comers >= 4) {
      EXPECT_LE(bytes_each(index), 18.0);
    }
  }
}

}  // namespace
}  // namespace minod
