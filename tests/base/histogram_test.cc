#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <sstream>
#include <vector>

#include "base/random.h"

namespace minod {
namespace {

std::uint64_t exact_at(const std::vector<std::uint64_t>& sorted, double quantile) {
  const double rank = std::ceil(quantile * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void expect_within_bound(std::uint64_t found, std::uint64_t exact) {
  const std::uint64_t distance = found > exact ? found - exact : exact - found;
  EXPECT_LE(distance, exact / 64 + (exact % 64 != 0 ? 1 : 0)) << found << " for " << exact;
  if (exact < 64) {
    EXPECT_EQ(found, exact);
  }
}

TEST(Histogram, EmptyIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.value_at(0.5), 0u);
  EXPECT_EQ(histogram.mean(), 0.0);
}

TEST(Histogram, QuantilesAreWithinTheBoundOfTheSortedSamples) {
  Random random(7);
  for (const unsigned bits : {6u, 10u, 24u, 40u, 64u}) {
    Histogram histogram;
    std::vector<std::uint64_t> samples;
    for (int i = 0; i < 20'000; ++i) {
      samples.push_back(random.next() >> (64 - bits) >> random.below(bits));
      histogram.record(samples.back());
    }
    std::sort(samples.begin(), samples.end());
    for (const double quantile : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      expect_within_bound(histogram.value_at(quantile), exact_at(samples, quantile));
    }
    EXPECT_EQ(histogram.min(), samples.front());
    EXPECT_EQ(histogram.max(), samples.back());
  }
}

TEST(Histogram, EveryBorderOfABucketIsWithinTheBound) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t value : {(1ull << bit) - 1, 1ull << bit, (1ull << bit) + 1}) {
      Histogram histogram;
      histogram.record(value);
      histogram.record(std::numeric_limits<std::uint64_t>::max());  // so that `value` is not the maximum
      histogram.record(0);
      expect_within_bound(histogram.value_at(0.5), value);
    }
  }
}

TEST(Histogram, Edges) {
  Histogram histogram;
  for (const std::uint64_t value : {0ull, 1ull, 1ull << 63, ~0ull}) histogram.record(value);
  EXPECT_EQ(histogram.count(), 4u);
  EXPECT_EQ(histogram.value_at(0), 0u);
  EXPECT_EQ(histogram.value_at(0.25), 0u);
  EXPECT_EQ(histogram.value_at(0.5), 1u);
  expect_within_bound(histogram.value_at(0.75), 1ull << 63);
  EXPECT_EQ(histogram.value_at(1), ~0ull);
  EXPECT_EQ(histogram.value_at(-3), 0u);
  EXPECT_EQ(histogram.value_at(7), ~0ull);
}

TEST(Histogram, OneValueIsEveryQuantile) {
  Histogram histogram;
  histogram.record(123'456'789);
  for (const double quantile : {0.0, 0.5, 1.0}) EXPECT_EQ(histogram.value_at(quantile), 123'456'789u);
  EXPECT_EQ(histogram.mean(), 123'456'789.0);
}

TEST(Histogram, MergedEqualsRecordedTogether) {
  Random random(11);
  Histogram left;
  Histogram right;
  Histogram both;
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t value = random.next() >> random.below(64);
    (i % 3 == 0 ? left : right).record(value);
    both.record(value);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.min(), both.min());
  EXPECT_EQ(left.max(), both.max());
  EXPECT_NEAR(left.mean(), both.mean(), both.mean() * 1e-9);
  for (int i = 0; i <= 1000; ++i) EXPECT_EQ(left.value_at(i / 1000.0), both.value_at(i / 1000.0));
}

TEST(Histogram, MergingNothingChangesNothing) {
  Histogram histogram;
  histogram.record(5);
  histogram.merge(Histogram());
  EXPECT_EQ(histogram.min(), 5u);
  EXPECT_EQ(histogram.max(), 5u);
}

TEST(Histogram, ResetForgets) {
  Histogram histogram;
  histogram.record(9);
  histogram.reset();
  histogram.record(40);
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.min(), 40u);
  EXPECT_EQ(histogram.value_at(0.5), 40u);
}

TEST(Histogram, HgrmIsAMonotonicTableThatEndsAtTheMaximum) {
  Histogram histogram;
  for (std::uint64_t i = 1; i <= 10'000; ++i) histogram.record(i * 1000);
  std::istringstream lines(histogram.hgrm(1000));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "       Value     Percentile TotalCount 1/(1-Percentile)");
  std::getline(lines, line);
  double last_value = 0;
  double last_quantile = -1;
  while (std::getline(lines, line) && line[0] != '#') {
    double value = 0;
    double quantile = 0;
    std::uint64_t total = 0;
    ASSERT_TRUE(std::istringstream(line) >> value >> quantile >> total) << line;
    EXPECT_GE(value, last_value);
    EXPECT_GT(quantile, last_quantile);
    EXPECT_NEAR(value, std::max(quantile * 10'000, 1.0), 10'000 / 32.0 + 1);
    last_value = value;
    last_quantile = quantile;
  }
  EXPECT_EQ(last_quantile, 1.0);
  EXPECT_EQ(last_value, 10'000.0);
  EXPECT_NE(histogram.hgrm().find("Total count    =        10000"), std::string::npos);
  EXPECT_NE(Histogram().hgrm().find("Total count    =            0"), std::string::npos);
}

}  // namespace
}  // namespace minod
