#include "store/value_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"

namespace minod {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

RecordId id_of(std::uint64_t number, std::uint64_t log = 0) {
  return {static_cast<std::uint16_t>(log), Offset(static_cast<std::int64_t>(number))};
}

// What a record holds follows from its id, so that any answer can be checked.
struct Made {
  std::string key;
  std::string value;
  UnixMillis expires_at = kNeverExpires;
  CachedRecord view() const { return {key, value, expires_at}; }
};

Made make(RecordId id, std::size_t value_size) {
  Random random(static_cast<std::uint64_t>(id.offset.value()) * 31 + id.log);
  Made made;
  made.key = "key:" + std::to_string(id.log) + ":" + std::to_string(id.offset.value());
  made.value.assign(value_size, static_cast<char>(random.next()));
  if (value_size >= 8) made.value.replace(0, 8, std::to_string(random.below(90'000'000) + 10'000'000));
  if (random.one_in(3)) made.expires_at = UnixMillis(static_cast<std::int64_t>(random.below(1 << 30)));
  return made;
}

void expect_same(const CachedRecord& found, const Made& made) {
  ASSERT_EQ(found.key, made.key);
  ASSERT_EQ(found.value, made.value);
  ASSERT_EQ(found.expires_at, made.expires_at);
}

// A read that fills the cache on a miss. True: hit.
bool read(ValueCache& cache, RecordId id, std::size_t value_size) {
  if (cache.find(id)) return true;
  cache.insert(id, make(id, value_size).view());
  return false;
}

std::size_t mixed_size(std::uint64_t number) {
  Random random(number);
  if (random.one_in(2000)) return 300'000 + random.below(300'000);
  if (random.one_in(20)) return random.below(20'000);
  return random.below(400);
}

TEST(ValueCache, FindsOnlyWhatWasInsertedAndStaysWithinItsBudget) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::size_t budget = 16 * kMiB;
    ValueCache cache(budget);
    std::size_t offered = 0;
    std::size_t taken = 0;
    for (int i = 0; i < 150'000; ++i) {
      const RecordId id = id_of(random.below(12'000), random.below(3));
      const std::size_t size = mixed_size(static_cast<std::uint64_t>(id.offset.value()) ^ id.log);
      if (const auto found = cache.find(id)) {
        ASSERT_NO_FATAL_FAILURE(expect_same(*found, make(id, size)));
        if (random.one_in(20)) {
          cache.erase(id);
          ASSERT_FALSE(cache.find(id));
        }
      } else {
        cache.insert(id, make(id, size).view());
        ++offered;
        taken += cache.find(id).has_value();
      }
      if (random.one_in(40'000)) {
        cache.erase_log(1);
        ASSERT_FALSE(cache.find(id_of(5, 1)));
      }
      if (random.one_in(20'000)) {
        budget = (4 + random.below(20)) * kMiB;
        cache.set_budget(budget);
      }
      ASSERT_LE(cache.memory_bytes(), budget);
    }
    RecordProperty("taken_with_seed_" + std::to_string(seed), std::to_string(taken) + "/" + std::to_string(offered));
    EXPECT_GT(cache.evictions(), 0u);
    EXPECT_GT(taken, offered * 95 / 100);
    cache.set_budget(0);
    EXPECT_EQ(cache.count(), 0u);
    EXPECT_EQ(cache.memory_bytes(), 0u);
  }
}

TEST(ValueCache, NoBudgetTakesNothing) {
  ValueCache cache(0);
  cache.insert(id_of(1), make(id_of(1), 10).view());
  EXPECT_FALSE(cache.find(id_of(1)));
  EXPECT_EQ(cache.memory_bytes(), 0u);
  EXPECT_EQ(cache.misses(), 1u);
}

TEST(ValueCache, RecordOverAnEighthIsNotTaken) {
  ValueCache cache(8 * kMiB);
  cache.insert(id_of(1), make(id_of(1), kMiB).view());
  EXPECT_FALSE(cache.find(id_of(1)));
  cache.insert(id_of(2), make(id_of(2), kMiB - 1000).view());
  const auto found = cache.find(id_of(2));
  ASSERT_TRUE(found);
  expect_same(*found, make(id_of(2), kMiB - 1000));
}

TEST(ValueCache, LongKeysComeBack) {
  ValueCache cache(8 * kMiB);
  for (const std::size_t key_size : {std::size_t{0}, std::size_t{65'535}, std::size_t{65'536}, std::size_t{400'000}}) {
    Made made = make(id_of(key_size), 10);
    made.key.assign(key_size, 'k');
    cache.insert(id_of(key_size), made.view());
    const auto found = cache.find(id_of(key_size));
    ASSERT_TRUE(found);
    expect_same(*found, made);
  }
}

TEST(ValueCache, EraseLogLeavesTheOthers) {
  ValueCache cache(32 * kMiB);
  for (std::uint64_t i = 0; i < 30'000; ++i) read(cache, id_of(i, i % 3), 50);
  ASSERT_EQ(cache.count(), 30'000u);
  cache.erase_log(1);
  EXPECT_EQ(cache.count(), 20'000u);
  for (std::uint64_t i = 0; i < 30'000; ++i) ASSERT_EQ(cache.find(id_of(i, i % 3)).has_value(), i % 3 != 1);
}

// Zipf by inversion of its cumulated weights.
class Zipf {
 public:
  Zipf(std::size_t count, double exponent) {
    double sum = 0;
    for (std::size_t i = 1; i <= count; ++i) cumulated_.push_back(sum += std::pow(static_cast<double>(i), -exponent));
  }
  std::uint64_t next(Random& random) const {
    const double at = random.fraction() * cumulated_.back();
    return static_cast<std::uint64_t>(std::lower_bound(cumulated_.begin(), cumulated_.end(), at) - cumulated_.begin());
  }

 private:
  std::vector<double> cumulated_;
};

class ExactLru {
 public:
  explicit ExactLru(std::size_t capacity) : capacity_(capacity) {}
  bool read(std::uint64_t id) {
    if (const auto found = where_.find(id); found != where_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return true;
    }
    order_.push_front(id);
    where_[id] = order_.begin();
    if (order_.size() > capacity_) {
      where_.erase(order_.back());
      order_.pop_back();
    }
    return false;
  }

 private:
  std::size_t capacity_;
  std::list<std::uint64_t> order_;
  std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> where_;
};

// A budget for a tenth of the keys, all overhead paid from it; the LRU has no overhead: it gets as many records as the
// budget has room for, and the cache's own count must be near that.
TEST(ValueCache, BeatsExactLruOnZipf) {
  constexpr std::size_t kKeys = 100'000;
  const std::size_t capacity = kKeys / 10;
  const Zipf zipf(kKeys, 0.99);
  for (const std::size_t value_size : {std::size_t{500}, std::size_t{4096}}) {
    ValueCache cache(capacity * (value_size + 24 + 12));  // record, header and key: what must be there in any case
    ExactLru lru(capacity);
    Random random(value_size);
    std::size_t cache_hits = 0;
    std::size_t lru_hits = 0;
    for (int i = 0; i < 600'000; ++i) {
      const std::uint64_t number = zipf.next(random);
      const bool counts = i >= 200'000;
      cache_hits += read(cache, id_of(number), value_size) && counts;
      lru_hits += lru.read(number) && counts;
    }
    const std::string with_values_of = "_" + std::to_string(value_size);
    RecordProperty("hits" + with_values_of, std::to_string(cache_hits));
    RecordProperty("hits_of_lru" + with_values_of, std::to_string(lru_hits));
    RecordProperty("records" + with_values_of, std::to_string(cache.count()));
    EXPECT_GE(cache_hits, lru_hits);
    EXPECT_GE(cache.count(), capacity * 85 / 100);
  }
}

TEST(ValueCache, ScanLeavesTheHotSet) {
  ValueCache cache(8 * kMiB);
  constexpr std::uint64_t kHot = 20'000;
  for (int round = 0; round < 4; ++round) {
    for (std::uint64_t i = 0; i < kHot; ++i) read(cache, id_of(i), 100);
  }
  for (std::uint64_t i = 0; i < 1'000'000; ++i) read(cache, id_of(kHot + i), 100);
  std::size_t left = 0;
  for (std::uint64_t i = 0; i < kHot; ++i) left += cache.find(id_of(i)).has_value();
  EXPECT_GE(left, kHot * 9 / 10);
}

TEST(ValueCache, MemoryFollowsTheSizeMix) {
  constexpr std::size_t kBudget = 64 * kMiB;
  ValueCache cache(kBudget);
  std::uint64_t next = 0;
  for (const std::size_t size : {std::size_t{100}, std::size_t{4096}, std::size_t{10'240}, std::size_t{100}}) {
    const std::size_t records = 3 * kBudget / (size + 100);
    std::size_t missing = 0;
    std::size_t longest_row = 0;
    for (std::size_t i = 0, row = 0; i < records; ++i, ++next) {
      cache.insert(id_of(next), make(id_of(next), size).view());
      ASSERT_LE(cache.memory_bytes(), kBudget);
      const bool taken = cache.find(id_of(next)).has_value();
      missing += !taken;
      row = taken ? 0 : row + 1;
      longest_row = std::max(longest_row, row);
    }
    RecordProperty("phase_ending_at_" + std::to_string(next), std::to_string(missing) + " not taken, at most " +
                                                                  std::to_string(longest_row) + " in a row; " +
                                                                  std::to_string(cache.count()) + " records");
    EXPECT_LE(missing, records / 100);
    EXPECT_LE(longest_row, 64u);
    EXPECT_GE(cache.count() * size, kBudget * (size == 100 ? 50 : 80) / 100);
  }
}

}  // namespace
}  // namespace minod
