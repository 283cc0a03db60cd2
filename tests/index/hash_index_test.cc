#include "index/hash_index.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/random.h"

namespace minod {
namespace {

KeyHash hash_of(std::uint64_t key) {
  Random random(key);
  return {random.next(), random.next()};
}

IndexEntry entry_at(std::uint64_t offset) { return {Offset(static_cast<std::int64_t>(offset))}; }

double bytes_each(const HashIndex& index) {
  return static_cast<double>(index.memory_bytes()) / static_cast<double>(index.size());
}

std::multiset<std::int64_t> scan_all(const HashIndex& index) {
  std::multiset<std::int64_t> seen;
  std::uint64_t cursor = 0;
  do {
    cursor = index.scan(cursor, [&](const IndexEntry& entry) { seen.insert(entry.offset.value()); });
  } while (cursor != 0);
  return seen;
}

// One random step on the index and on its model.
void step_both(HashIndex& index, std::unordered_map<std::uint64_t, IndexEntry>& model, Random& random,
               std::uint64_t key_range, bool growing) {
  const std::uint64_t key = random.below(key_range);
  const auto known = model.find(key);
  const auto expected = known == model.end() ? std::optional<IndexEntry>() : known->second;
  const std::uint64_t choice = random.below(10);
  if (choice < (growing ? 6u : 2u)) {
    const IndexEntry entry{Offset(static_cast<std::int64_t>(random.next() >> 16)), random.one_in(2),
                           static_cast<std::uint8_t>(random.below(4))};
    ASSERT_EQ(index.put(hash_of(key), entry), expected);
    model[key] = entry;
  } else if (choice < 8) {
    ASSERT_EQ(index.erase(hash_of(key)), expected);
    model.erase(key);
  } else if (choice < 9) {
    auto touched = expected;
    if (touched && touched->hits < HashIndex::kHitsMax) ++touched->hits;
    ASSERT_EQ(index.touch(hash_of(key)), touched);
    if (touched) model[key] = *touched;
  } else {
    ASSERT_EQ(index.find(hash_of(key)), expected);
  }
  ASSERT_EQ(index.size(), model.size());
}

TEST(HashIndex, DoesAsAMapDoes) {
  for (int round = 0; round < 4; ++round) {
    const std::uint64_t seed = round < 3 ? static_cast<std::uint64_t>(round) : std::random_device{}();
    std::cout << "seed " << seed << '\n';
    SCOPED_TRACE(seed);
    Random random(seed);
    HashIndex index;
    std::unordered_map<std::uint64_t, IndexEntry> model;
    const std::uint64_t key_range = std::uint64_t{50} << (round * 4);
    for (int step = 0; step < 60'000; ++step) {
      step_both(index, model, random, key_range, step < 40'000);
      if (HasFatalFailure()) return;
    }
    for (const auto& [key, entry] : model) ASSERT_EQ(index.find(hash_of(key)), entry);
    EXPECT_EQ(scan_all(index).size(), model.size());
  }
}

TEST(HashIndex, TakesAtMost28BytesAKeyAtEveryLevel) {
  HashIndex index;
  double most = 0;
  std::size_t next = 1000;
  for (std::uint64_t key = 0; key < 700'000; ++key) {
    index.put(hash_of(key), entry_at(key));
    if (index.size() < next) continue;
    most = std::max(most, bytes_each(index));
    ASSERT_LE(bytes_each(index), 28.0) << index.size() << " keys";
    next += next / 100;
  }
  std::cout << "at most " << most << " bytes a key\n";
}

// What the index says it holds is what the system gave it. Not under a sanitizer, whose shadow counts too.
TEST(HashIndex, MemoryIsWhatTheSystemSees) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP();
#endif
  const auto resident = [] {
    std::int64_t total = 0;
    std::int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> total >> pages;
    return static_cast<double>(pages * sysconf(_SC_PAGESIZE));
  };
  HashIndex index;
  for (std::uint64_t key = 0; key < 20'000; ++key) index.put(hash_of(key), entry_at(key));
  const double base = resident();
  const auto held = static_cast<double>(index.memory_bytes());
  for (std::uint64_t key = 20'000; key < 400'000; ++key) index.put(hash_of(key), entry_at(key));
  EXPECT_LE(resident() - base, (static_cast<double>(index.memory_bytes()) - held) * 1.05);
  for (std::uint64_t key = 20'000; key < 400'000; ++key) index.erase(hash_of(key));
  EXPECT_LE(resident() - base, 1'000'000);
}

TEST(HashIndex, MetaBitsAndTheLastOffsetSurviveGrowthAndShrinking) {
  HashIndex index;
  std::vector<IndexEntry> entries;
  for (std::uint64_t i = 0; i < 64; ++i) {
    const std::int64_t offset = i % 2 == 0 ? HashIndex::kOffsetLimit - 1 : 0;
    entries.push_back({Offset(offset), i % 4 < 2, static_cast<std::uint8_t>(i % 8 / 2)});
    index.put(hash_of(i), entries.back());
  }
  const auto expect_all = [&] {
    for (std::uint64_t i = 0; i < 64; ++i) EXPECT_EQ(index.find(hash_of(i)), entries[i]);
  };
  for (std::uint64_t key = 1000; key < 60'000; ++key) index.put(hash_of(key), entry_at(key));
  expect_all();
  for (std::uint64_t key = 1000; key < 60'000; ++key) index.erase(hash_of(key));
  expect_all();
  EXPECT_EQ(index.size(), 64u);
}

TEST(HashIndex, TellsApartHashesThatDifferInOneBit) {
  HashIndex index;
  const KeyHash hash = hash_of(99);
  index.put(hash, entry_at(0));
  std::vector<KeyHash> others;
  for (int bit = 0; bit < 64; ++bit) others.push_back({hash.high ^ (std::uint64_t{1} << bit), hash.low});
  for (int bit = 0; bit < 48; ++bit) others.push_back({hash.high, hash.low ^ (std::uint64_t{1} << bit)});
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_EQ(index.put(others[i], entry_at(i + 1)), std::nullopt);
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_EQ(index.find(others[i]), entry_at(i + 1));
  EXPECT_EQ(index.erase(hash), entry_at(0));
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_EQ(index.erase(others[i]), entry_at(i + 1));
  EXPECT_EQ(index.size(), 0u);
}

TEST(HashIndex, HashesOfZerosAndOnesAreHashesLikeOthers) {
  HashIndex index;
  const std::vector<KeyHash> hashes{{0, 0}, {0, 1}, {1, 0}, {~0ULL, ~0ULL}, {~0ULL, 0}, {0, ~0ULL}, {1ULL << 61, 0}};
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    EXPECT_EQ(index.find(hashes[i]), std::nullopt);
    index.put(hashes[i], entry_at(i));
  }
  for (std::size_t i = 0; i < hashes.size(); ++i) EXPECT_EQ(index.find(hashes[i]), entry_at(i));
  EXPECT_EQ(scan_all(index).size(), hashes.size());
  for (std::size_t i = 0; i < hashes.size(); ++i) EXPECT_EQ(index.erase(hashes[i]), entry_at(i));
}

TEST(HashIndex, GivesMemoryBack) {
  HashIndex index;
  const std::size_t empty = index.memory_bytes();
  EXPECT_LE(empty, 1500u);
  for (std::uint64_t key = 0; key < 200'000; ++key) index.put(hash_of(key), entry_at(key));
  for (std::uint64_t key = 0; key < 190'000; ++key) index.erase(hash_of(key));
  EXPECT_LE(bytes_each(index), 56.0);
  for (std::uint64_t key = 190'000; key < 200'000; ++key) index.erase(hash_of(key));
  EXPECT_LE(index.memory_bytes(), empty + 50'000);
  for (std::uint64_t key = 0; key < 20'000; ++key) index.put(hash_of(key), entry_at(key));
  index.clear();
  EXPECT_EQ(index.size(), 0u);
  EXPECT_EQ(index.memory_bytes(), empty);
  EXPECT_EQ(index.find(hash_of(1)), std::nullopt);
}

// Reuse without growth: what erasing leaves behind must not add up.
TEST(HashIndex, ChurnDoesNotGrow) {
  HashIndex index;
  constexpr std::uint64_t kKeys = 5'000;
  for (std::uint64_t key = 0; key < kKeys; ++key) index.put(hash_of(key), entry_at(key));
  for (std::uint64_t key = kKeys; key < 40 * kKeys; ++key) {
    index.erase(hash_of(key - kKeys));
    index.put(hash_of(key), entry_at(key));
    if (key % 1000 == 0) {
      ASSERT_LE(bytes_each(index), 34.0);
    }
  }
  EXPECT_EQ(scan_all(index).size(), kKeys);
}

TEST(HashIndex, ScanOfAQuietIndexSeesEachOnce) {
  for (const std::uint64_t count : {0, 1, 7, 100, 9'000, 60'000}) {
    HashIndex index;
    for (std::uint64_t key = 0; key < count; ++key) index.put(hash_of(key), entry_at(key));
    const auto seen = scan_all(index);
    EXPECT_EQ(seen.size(), count);
    EXPECT_EQ(std::set<std::int64_t>(seen.begin(), seen.end()).size(), count);
  }
}

// Redis's guarantee, while other keys come and go so that sub-tables grow, split, shrink and merge under the cursor.
TEST(HashIndex, ScanSeesAllThatStays) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    HashIndex index;
    constexpr std::uint64_t kStaying = 3'000;
    const bool growing = seed % 2 == 0;
    std::uint64_t others_end = kStaying + (growing ? 0 : 60'000);
    for (std::uint64_t key = 0; key < others_end; ++key) index.put(hash_of(key), entry_at(key));
    std::set<std::int64_t> seen;
    std::uint64_t cursor = 0;
    std::size_t calls = 0;
    do {
      std::size_t visited = 0;
      cursor = index.scan(cursor, [&](const IndexEntry& entry) {
        seen.insert(entry.offset.value());
        ++visited;
      });
      ASSERT_LT(cursor, std::uint64_t{1} << 48);
      ASSERT_LE(visited, 40u);
      ASSERT_LT(++calls, 20'000u);
      for (std::uint64_t i = random.below(40); i != 0; --i) {
        if (growing) {
          if (others_end < 70'000) index.put(hash_of(others_end), entry_at(others_end));
          ++others_end;
        } else if (others_end > kStaying) {
          index.erase(hash_of(--others_end));
        }
      }
    } while (cursor != 0);
    for (std::uint64_t key = 0; key < kStaying; ++key) ASSERT_TRUE(seen.contains(static_cast<std::int64_t>(key)));
  }
}

TEST(HashIndex, SampleIsCloseToUniform) {
  for (const std::uint64_t count : {1, 3, 50, 500, 12'000}) {
    HashIndex index;
    for (std::uint64_t key = 0; key < count; ++key) index.put(hash_of(key), entry_at(key));
    Random random(4);
    constexpr std::uint64_t kDraws = 50'000;
    const std::uint64_t groups = std::min<std::uint64_t>(count, 50);
    std::vector<std::uint64_t> drawn(groups);
    for (std::uint64_t i = 0; i < kDraws; ++i) {
      const auto entry = index.sample(random.next());
      ASSERT_TRUE(entry);
      ++drawn[static_cast<std::uint64_t>(entry->offset.value()) % groups];
    }
    const auto [least, most] = std::minmax_element(drawn.begin(), drawn.end());
    EXPECT_GE(*least, kDraws / groups * 8 / 10) << count;
    EXPECT_LE(*most, kDraws / groups * 12 / 10) << count;
  }
  EXPECT_EQ(HashIndex().sample(1), std::nullopt);
}

// As a restart puts them: window after window, each in the order of the hashes, or all of them at once.
TEST(HashIndex, TakesSortedHashesThatItWasToldOf) {
  for (const std::size_t window : {std::size_t{1000}, std::size_t{50'000}, std::size_t{300'000}}) {
    HashIndex index;
    constexpr std::uint64_t kKeys = 600'000;
    for (std::uint64_t from = 0; from < kKeys; from += window) {
      std::vector<std::pair<KeyHash, std::uint64_t>> sorted;
      for (std::uint64_t key = from; key < std::min<std::uint64_t>(from + window, kKeys); ++key) {
        sorted.emplace_back(hash_of(key), key);
      }
      std::ranges::sort(sorted, {}, [](const auto& one) { return one.first.high; });
      index.expect(sorted.size());
      for (const auto& [hash, key] : sorted) index.put(hash, entry_at(key));
    }
    index.settle();
    EXPECT_EQ(index.size(), kKeys);
    EXPECT_LE(bytes_each(index), 28.0) << window;
    for (std::uint64_t key = 0; key < kKeys; key += 7) ASSERT_EQ(index.find(hash_of(key)), entry_at(key));
  }
}

TEST(HashIndex, IsReadAndFilledAgain) {
  HashIndex index;
  for (std::uint64_t key = 0; key < 200'000; ++key) index.put(hash_of(key), entry_at(key));
  std::vector<HashIndex::Keyed> entries;
  std::uint64_t cursor = 0;
  do {
    cursor = index.read(cursor, 4096, entries);
  } while (cursor != 0);
  ASSERT_EQ(entries.size(), index.size()) << "each once";
  std::vector<IndexChange> changes;
  for (const HashIndex::Keyed& keyed : entries) {
    changes.emplace_back(keyed.hash, keyed.entry.offset, true, keyed.entry.expires ? UnixMillis(1) : kNeverExpires);
  }
  for (const std::size_t window : {std::size_t{1000}, std::size_t{4096}, changes.size()}) {
    SCOPED_TRACE(window);
    HashIndex copy;
    copy.expect(changes.size());
    for (std::size_t i = 0; i < changes.size(); i += window) {
      const auto part = std::span(changes).subspan(i, std::min(window, changes.size() - i));
      ASSERT_EQ(copy.load(part), part.size());
    }
    ASSERT_EQ(copy.size(), entries.size());
    EXPECT_LE(bytes_each(copy), 28.0);
    for (std::uint64_t key = 0; key < 200'000; ++key) ASSERT_EQ(copy.find(hash_of(key)), entry_at(key));
    for (std::uint64_t key = 0; key < 400'000; ++key) copy.put(hash_of(key), entry_at(key + 1));
    ASSERT_EQ(copy.size(), 400'000u);
    for (std::uint64_t key = 0; key < 400'000; ++key) ASSERT_EQ(copy.find(hash_of(key)), entry_at(key + 1));
  }
}

// What a file holds is never trusted: whatever the order, with load() and put() in turn it comes out as with put().
TEST(HashIndex, LoadLeavesToPutWhatIsOutOfOrder) {
  Random chance(3);
  for (int round = 0; round < 40; ++round) {
    std::vector<IndexChange> changes;
    for (std::uint64_t i = 0; i < 5'000; ++i) {
      changes.emplace_back(hash_of(chance.below(4'000)), Offset(static_cast<std::int64_t>(i)), true, kNeverExpires);
    }
    if (round % 4 != 0) std::ranges::sort(changes, {}, [](const IndexChange& one) { return one.hash().high; });
    for (int swaps = round % 4 == 1 ? 0 : 30; swaps > 0; --swaps) {
      std::swap(changes[chance.below(changes.size())], changes[chance.below(changes.size())]);
    }
    HashIndex expected;
    for (const IndexChange& change : changes) expected.put(change.hash(), {change.offset(), false, 0});
    HashIndex found;
    if (round % 2 == 0) found.expect(changes.size());
    std::size_t loaded = 0;
    for (auto rest = std::span<const IndexChange>(changes); !rest.empty(); rest = rest.subspan(1)) {
      const std::size_t count = found.load(rest);
      loaded += count;
      rest = rest.subspan(count);
      if (rest.empty()) break;
      found.put(rest.front().hash(), {rest.front().offset(), false, 0});
    }
    EXPECT_GT(loaded, 0u);
    ASSERT_EQ(found.size(), expected.size());
    for (std::uint64_t key = 0; key < 4'000; ++key) ASSERT_EQ(found.find(hash_of(key)), expected.find(hash_of(key)));
  }
}

TEST(HashIndex, WhatWasExpectedAndDidNotComeCostsNothing) {
  HashIndex index;
  for (std::uint64_t key = 0; key < 100'000; ++key) index.put(hash_of(key), entry_at(key));
  index.expect(1'000'000);
  for (std::uint64_t key = 0; key < 100'000; ++key) index.put(hash_of(key), entry_at(key + 1));
  index.settle();
  EXPECT_LE(bytes_each(index), 28.0);
  for (std::uint64_t key = 0; key < 100'000; key += 3) ASSERT_EQ(index.find(hash_of(key)), entry_at(key + 1));
}

TEST(HashIndex, PrefetchIsHarmless) {
  HashIndex index;
  index.prefetch(hash_of(1));
  index.put(hash_of(1), entry_at(1));
  index.prefetch(hash_of(1));
  index.prefetch({~0ULL, ~0ULL});
  EXPECT_EQ(index.find(hash_of(1)), entry_at(1));
}

TEST(HashIndex, MovesWithItsContents) {
  HashIndex index;
  index.put(hash_of(1), entry_at(1));
  HashIndex other = std::move(index);
  EXPECT_EQ(other.find(hash_of(1)), entry_at(1));
}

TEST(HashIndex, EraseBelowKeepsTheRestAndGivesMemoryBack) {
  for (const std::uint64_t count : {10u, 5'000u, 300'000u}) {
    for (const std::uint64_t below : {std::uint64_t{0}, count / 3, count * 9 / 10, count}) {
      SCOPED_TRACE(std::to_string(count) + " " + std::to_string(below));
      HashIndex index;
      for (std::uint64_t key = 0; key < count; ++key) index.put(hash_of(key), entry_at(key));
      std::uint64_t erased = 0;
      index.erase_below(Offset(static_cast<std::int64_t>(below)), [&](Offset offset) {
        ASSERT_LT(offset.value(), static_cast<std::int64_t>(below));
        ++erased;
      });
      ASSERT_EQ(erased, below);
      ASSERT_EQ(index.size(), count - below);
      for (std::uint64_t key = 0; key < count; ++key) {
        const auto expected = key < below ? std::nullopt : std::optional(entry_at(key));
        ASSERT_EQ(index.find(hash_of(key)), expected) << key;
      }
      ASSERT_EQ(scan_all(index).size(), count - below);
      if (index.size() >= 10'000) {
        EXPECT_LE(bytes_each(index), 32.0);
      }
      for (std::uint64_t key = 0; key < count; ++key) index.put(hash_of(key), entry_at(key));
      ASSERT_EQ(index.size(), count) << "it goes on growing";
    }
  }
}

TEST(HashIndexDeath, RefusesWhatDoesNotFit) {
  HashIndex index;
  EXPECT_DEATH(index.put(hash_of(1), {Offset(HashIndex::kOffsetLimit)}), "48 bits");
  EXPECT_DEATH(index.put(hash_of(1), {kNoOffset}), "48 bits");
  EXPECT_DEATH(index.put(hash_of(1), {Offset(1), false, 4}), "2 bits");
}

}  // namespace
}  // namespace minod
