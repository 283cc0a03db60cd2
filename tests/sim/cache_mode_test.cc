// Cache mode on the simulated disk: the logs stay within their budget, what is read stays, and after a power loss at
// any moment a key is absent or has its newest value: never an older one, and never one that a reply said was gone.
#include <gtest/gtest.h>

#include "base/buffer.h"
#include "log/segment_name.h"
#include "tests/sim/cache_node.h"
#include "tests/sim/seeds.h"

namespace minod {
namespace {

class CacheMode : public CacheNode {};

TEST_F(CacheMode, TheOldestSegmentGoesAndWhatIsReadStays) {
  begin(1, DiskPolicy::kAllKeysSegment);
  constexpr std::uint64_t kHot = 10;  // their records are less than a quarter of a segment
  for (std::uint64_t i = 0; i < 3000; ++i) {
    ASSERT_EQ(set(i), "+OK\r\n") << i;
    if (i < kHot || i % 50 != 0) continue;
    for (std::uint64_t hot = 0; hot < kHot; ++hot) ASSERT_EQ(run({"GET", key(hot)}), bulk(newest(hot))) << i;
    EXPECT_LE(store_->evictor().disk_bytes(), kCacheBudget);
  }
  const EvictionCounters& counters = store_->evictor().counters();
  EXPECT_GT(counters.segments, 30u);
  EXPECT_GT(counters.keys, 2000u);
  EXPECT_GT(counters.kept_records, kHot);
  EXPECT_LT(counters.kept_bytes, counters.segments << 18) << "a quarter of what was evicted";
  EXPECT_EQ(run({"GET", key(100)}), "$-1\r\n") << "cold and old";
  EXPECT_EQ(run({"GET", key(2999)}), bulk(newest(2999)));
  const std::string count = run({"DBSIZE"});
  EXPECT_LT(std::stoi(count.substr(1)), 850) << "the index has no key of an evicted segment";
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), count) << "and after a restart neither";
  for (std::uint64_t hot = 0; hot < kHot; ++hot) EXPECT_EQ(run({"GET", key(hot)}), bulk(newest(hot)));
}

TEST_F(CacheMode, WhatIsNotReadIsNotKept) {
  begin(2, DiskPolicy::kAllKeysSegment);
  for (std::uint64_t i = 0; i < 1500; ++i) {
    ASSERT_EQ(set(i), "+OK\r\n");
    if (i % 3 == 0) run({"GET", key(i)});  // once is not enough
  }
  EXPECT_GT(store_->evictor().counters().segments, 10u);
  EXPECT_EQ(store_->evictor().counters().kept_records, 0u);
}

TEST_F(CacheMode, ExpiryGoesWithTheKeyAndStaysWithAKeptOne) {
  begin(3, DiskPolicy::kAllKeysSegment);
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_EQ(run({"SET", key(i), "v", "EX", "1000"}), "+OK\r\n");
  for (int reads = 0; reads < 2; ++reads) run({"GET", key(7)});
  for (std::uint64_t i = 1000; i < 2100; ++i) ASSERT_EQ(set(i), "+OK\r\n");  // one round, not two
  EXPECT_EQ(run({"TTL", key(7)}), ":1000\r\n");
  EXPECT_EQ(run({"TTL", key(8)}), ":-2\r\n");
  EXPECT_EQ(store_->partition(0, 0)->expiries().size(), 1u);
  lose_power();
  EXPECT_EQ(store_->partition(0, 0)->expiries().size(), 1u);
  EXPECT_EQ(run({"GET", key(7)}), "$1\r\nv\r\n");
}

TEST_F(CacheMode, NoEvictionRefusesWritesAndGoesOnDeleting) {
  begin(4, DiskPolicy::kNoEviction);
  std::string reply;
  std::uint64_t written = 0;
  while (written < 5000 && (reply = set(written)) == "+OK\r\n") ++written;
  EXPECT_EQ(reply.substr(0, 4), "-OOM") << reply;
  EXPECT_NE(reply.find("'maxdisk'"), std::string::npos) << reply;
  EXPECT_GT(written, 500u);
  EXPECT_LE(store_->evictor().disk_bytes(), kCacheBudget);
  EXPECT_EQ(run({"GET", key(0)}), bulk(newest(0)));
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(run({"DEL", key(i)}), ":1\r\n");
  EXPECT_EQ(store_->evictor().counters().keys, 0u);
  EXPECT_EQ(run({"FLUSHDB"}), "+OK\r\n");
  settle();
  EXPECT_EQ(set(1), "+OK\r\n") << "a flush makes room";
}

TEST_F(CacheMode, AValueLargerThanTheBudgetTakesIsRefused) {
  begin(5, DiskPolicy::kAllKeysSegment);
  EXPECT_EQ(run({"SET", "a", std::string(kCacheBudget / 4, 'x')}).substr(0, 4), "-OOM");
  EXPECT_EQ(run({"SET", "a", std::string(kCacheBudget / 10, 'x')}), "+OK\r\n");
}

TEST_F(CacheMode, EvictionTakesTheOldestOfAllDatabases) {
  begin(6, DiskPolicy::kAllKeysSegment);
  select(1);
  for (std::uint64_t i = 0; i < 200; ++i) ASSERT_EQ(set(i), "+OK\r\n");
  select(2);
  for (std::uint64_t i = 1000; i < 2500; ++i) {
    if (i % 100 == 0) advance(Millis(10));
    ASSERT_EQ(set(i), "+OK\r\n");
  }
  EXPECT_LE(store_->evictor().disk_bytes(), kCacheBudget);
  select(1);
  EXPECT_LT(std::stoi(run({"DBSIZE"}).substr(1)), 100) << "the older database has lost its sealed segments";
}

TEST_F(CacheMode, NothingOlderComesBackAfterPowerLoss) {
  std::uint64_t checkpoints = 0;
  for (const std::uint64_t seed : seeds(12)) {
    SCOPED_TRACE("MINOD_SEED=" + std::to_string(seed));
    options_.checkpoint_bytes = seed % 2 == 0 ? std::int64_t{2} << 20 : 0;
    begin(seed, DiskPolicy::kAllKeysSegment, seed % 3 == 0);
    constexpr std::uint64_t kKeys = 1200;
    for (std::uint64_t i = 0; i < 700; ++i) set(chance_.below(kKeys));  // near the budget
    for (int restarts = 0; restarts < 6 && !HasFailure(); ++restarts) {
      disk_->crash_at_operation(disk_->operations() + 1 + chance_.below(400));
      for (int left = 400; left > 0 && !disk_->crashed(); --left) {
        const std::uint64_t i = chance_.below(kKeys);
        if (chance_.one_in(8)) {
          erase(i);
        } else if (chance_.one_in(3)) {
          set(i);
        } else {
          expect_newest_or_absent(i);
        }
        if (!disk_->crashed()) store_->tick();
      }
      disk_->crash_at_operation(0);
      checkpoints += store_->checkpointer().counters().written;
      lose_power(chance_.one_in(4) ? Survival::kNothing : Survival::kSome);
      for (std::uint64_t i = 0; i < kKeys; ++i) expect_newest_or_absent(i);
      expect_within_budget();
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(checkpoints, 0u);
}

// Segments are rewritten, merged and given up while slices of them are evicted.
TEST_F(CacheMode, CompactionBesideEvictionBringsNothingBack) {
  std::uint64_t compactions = 0;
  std::uint64_t evicted = 0;
  for (const std::uint64_t seed : seeds(8)) {
    SCOPED_TRACE("MINOD_SEED=" + std::to_string(seed));
    options_.checkpoint_bytes = seed % 3 == 0 ? std::int64_t{2} << 20 : 0;
    begin(seed, DiskPolicy::kAllKeysSegment, seed % 2 == 0);
    CompactionOptions eager;
    eager.live_percent = 95;
    eager.bytes_per_second = 0;
    eager.delete_retention = Millis(0);
    store_->compactor().set_options(eager);
    options_.compaction = eager;
    constexpr std::uint64_t kKeys = 900;
    for (int restarts = 0; restarts < 4 && !HasFailure(); ++restarts) {
      for (int left = 500; left > 0; --left) {
        const std::uint64_t i = chance_.below(kKeys);
        if (chance_.one_in(10)) {
          erase(i);
        } else if (!chance_.one_in(4)) {
          set(i, 5'000 + chance_.below(30'000));
        } else {
          expect_newest_or_absent(i);
        }
        if (chance_.one_in(4)) {
          advance(Millis(100));
          store_->tick();
        }
      }
      compactions += store_->compaction_report().runs;
      evicted += store_->evictor().counters().segments;
      lose_power(chance_.one_in(3) ? Survival::kNothing : Survival::kSome);
      for (std::uint64_t i = 0; i < kKeys; ++i) expect_newest_or_absent(i);
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(compactions, 8u);
  EXPECT_GT(evicted, 8u);
}

// Bytes of the victim rot: its keys go without being looked at, and nothing waits for what can't be read.
TEST_F(CacheMode, ADamagedSegmentIsEvictedToo) {
  for (const std::int64_t where : {8, 20, 60, 500'000}) {  // a length, a CRC, a record, in the middle
    SCOPED_TRACE(where);
    begin(7, DiskPolicy::kAllKeysSegment);
    std::uint64_t i = 0;
    for (; i < 100; ++i) ASSERT_EQ(set(i), "+OK\r\n");
    const auto name = "data/db0-0/" + segment_name(kFirstOffset, kLogSuffix);
    ASSERT_TRUE(store_->partition(0, 0)->log().segments().begin()->second.sealed);
    auto file = disk_->open(name, OpenMode::kReadWrite);
    ASSERT_TRUE(file.has_value());
    AlignedBuffer block(4096);
    const std::int64_t at = where / 4096 * 4096;
    ASSERT_TRUE((*file)->read_now(FilePosition(at), block.span()).has_value());
    block.data()[where % 4096] ^= std::byte{0x7f};
    ASSERT_TRUE((*file)->write_now(FilePosition(at), std::as_const(block).span()).has_value());
    for (; i < 1500; ++i) ASSERT_EQ(set(i), "+OK\r\n") << i;
    EXPECT_LE(store_->evictor().disk_bytes(), kCacheBudget);
    for (std::uint64_t old = 0; old < 30; ++old) EXPECT_EQ(run({"GET", key(old)}), "$-1\r\n");
    for (std::uint64_t one = 1400; one < 1500; ++one) EXPECT_EQ(run({"GET", key(one)}), bulk(newest(one)));
  }
}

}  // namespace
}  // namespace minod
