#include "tools/bench_keys.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace minod::bench {
namespace {

using Kind = KeyDistribution::Kind;

std::vector<double> zipf_shares(std::uint64_t count, double theta) {
  std::vector<double> shares(count);
  double total = 0;
  for (std::uint64_t i = 0; i < count; ++i) total += shares[i] = std::pow(static_cast<double>(i + 1), -theta);
  for (double& share : shares) share /= total;
  return shares;
}

TEST(Zipf, FrequenciesFollowTheLaw) {
  constexpr int kDraws = 400'000;
  for (const double theta : {0.0, 0.5, 0.99, 1.0, 1.5}) {
    Random random(42);
    const Zipf zipf(1000, theta);
    std::vector<int> seen(1000);
    for (int i = 0; i < kDraws; ++i) ++seen.at(zipf.next(random));
    const auto shares = zipf_shares(1000, theta);
    for (const std::size_t rank : {0u, 1u, 2u, 3u, 9u, 99u, 499u, 999u}) {
      const double expected = shares[rank] * kDraws;
      EXPECT_NEAR(seen[rank], expected, 5 * std::sqrt(expected) + 1) << "theta " << theta << " rank " << rank;
    }
  }
}

TEST(Zipf, StaysInRangeForTheSmallestAndGreatestCounts) {
  Random random(1);
  const Zipf one(1, 0.99);
  const Zipf most(kKeysMax, 0.99);
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(one.next(random), 0u);
    EXPECT_LT(most.next(random), kKeysMax);
  }
}

TEST(Scramble, CoversEveryKeyOnce) {
  for (const std::uint64_t count : {1u, 2u, 3u, 10u, 1000u, 4096u, 65'521u, 100'000u}) {
    const Scramble scramble(count);
    std::vector<bool> hit(count);
    for (std::uint64_t rank = 0; rank < count; ++rank) hit.at(scramble(rank)) = true;
    EXPECT_EQ(std::count(hit.begin(), hit.end(), true), static_cast<std::ptrdiff_t>(count));
  }
}

TEST(Scramble, PopularKeysAreNotNeighbours) {
  const Scramble scramble(100'000);
  for (std::uint64_t rank = 1; rank < 100; ++rank) {
    const auto one = static_cast<std::int64_t>(scramble(rank - 1));
    const auto other = static_cast<std::int64_t>(scramble(rank));
    EXPECT_GT(std::abs(one - other), 100);
  }
}

TEST(KeyChooser, EveryKindStaysInRange) {
  for (const char* text : {"uniform", "zipfian", "hotspot", "hotspot:1:0.5", "hotspot:0:1", "sequential"}) {
    for (const std::uint64_t keys : {1u, 7u, 1000u}) {
      KeyChooser chooser(*parse_distribution(text), keys, Stripe{2, 5});
      Random random(3);
      for (int i = 0; i < 5000; ++i) ASSERT_LT(chooser.next(random, keys), keys) << text;
    }
  }
}

TEST(KeyChooser, SequentialStripesVisitEveryKeyOnceTogether) {
  std::multiset<std::uint64_t> visited;
  Random random(1);
  for (std::uint64_t i = 0; i < 3; ++i) {
    KeyChooser chooser({.kind = Kind::kSequential}, 10, Stripe{i, 3});
    for (std::uint64_t n = 0; n < 10 / 3 + (i < 10 % 3); ++n) visited.insert(chooser.next(random, 10));
  }
  EXPECT_EQ(visited.size(), 10u);
  EXPECT_EQ(std::set<std::uint64_t>(visited.begin(), visited.end()).size(), 10u);
}

TEST(KeyChooser, HotspotGivesTheHotKeysTheirShare) {
  KeyChooser chooser({.kind = Kind::kHotspot, .hot_keys = 0.1, .hot_requests = 0.9}, 1000, {});
  Random random(5);
  std::vector<int> seen(1000);
  for (int i = 0; i < 100'000; ++i) ++seen[chooser.next(random, 1000)];
  const Scramble scramble(1000);
  int hot = 0;
  for (std::uint64_t rank = 0; rank < 100; ++rank) hot += seen[scramble(rank)];
  EXPECT_NEAR(hot, 90'000, 1000);
}

TEST(KeyChooser, LatestFollowsTheNewestKey) {
  KeyChooser chooser({.kind = Kind::kLatest}, 1000, {});
  Random random(5);
  int newest = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t key = chooser.next(random, 5000);
    ASSERT_LT(key, 5000u);
    ASSERT_GE(key, 4000u);
    newest += key == 4999;
  }
  EXPECT_GT(newest, 1000);
}

TEST(KeyChooser, OwnKeysArePartedAmongConnections) {
  for (std::uint64_t i = 0; i < 7; ++i) {
    const KeyChooser chooser({}, 100, Stripe{i, 7});
    for (std::uint64_t key = 0; key < 100; ++key) {
      ASSERT_LT(chooser.own(key), 100u);
      ASSERT_EQ(chooser.own(key) % 7, i);
    }
    EXPECT_EQ(chooser.own(123), 123u);
  }
}

TEST(KeyDistribution, TextsAreReadBack) {
  for (const char* text : {"uniform", "zipfian:0.5", "latest:1.2", "hotspot:0.1:0.9", "sequential"}) {
    EXPECT_EQ(distribution_text(*parse_distribution(text)), text);
  }
  for (const char* text : {"", "zipf", "zipfian:", "zipfian:x", "zipfian:9", "zipfian:nan", "uniform:1", "hotspot:0.1",
                           "hotspot:2:0.5", "hotspot:0.1:0.9:1"}) {
    EXPECT_EQ(parse_distribution(text).error().code, Errc::kInvalid) << text;
  }
}

}  // namespace
}  // namespace minod::bench
