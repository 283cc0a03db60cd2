#include "log/retention.h"

#include <gtest/gtest.h>

#include <vector>

namespace minod {
namespace {

std::vector<RetainedSegment> log_of(const std::vector<std::pair<std::int64_t, std::int64_t>>& bytes_and_times) {
  std::vector<RetainedSegment> segments;
  for (const auto& [bytes, time] : bytes_and_times) {
    segments.push_back({Offset(static_cast<std::int64_t>(segments.size()) * 10), bytes, UnixMillis(time)});
  }
  return segments;
}

TEST(Retention, NothingGoesWithoutALimit) {
  EXPECT_EQ(count_to_drop(log_of({{100, 1}, {100, 2}, {100, 3}}), {}, UnixMillis(1'000'000)), 0u);
  EXPECT_EQ(count_to_drop({}, {0, 0}, UnixMillis(1)), 0u);
}

TEST(Retention, ByTimeOldestFirstUpToTheFirstThatIsYoung) {
  const auto segments = log_of({{100, 10}, {100, 500}, {100, 20}, {100, 30}});
  EXPECT_EQ(count_to_drop(segments, {-1, 100}, UnixMillis(110)), 0u) << "as old as the limit is not older";
  EXPECT_EQ(count_to_drop(segments, {-1, 100}, UnixMillis(111)), 1u);
  EXPECT_EQ(count_to_drop(segments, {-1, 100}, UnixMillis(500)), 1u) << "a younger one keeps those behind it";
  EXPECT_EQ(count_to_drop(segments, {-1, 100}, UnixMillis(601)), 3u);
}

TEST(Retention, TheActiveSegmentNeverGoes) {
  EXPECT_EQ(count_to_drop(log_of({{100, 10}}), {0, 0}, UnixMillis(1'000'000)), 0u);
  EXPECT_EQ(count_to_drop(log_of({{100, 10}, {100, 10}}), {0, 0}, UnixMillis(1'000'000)), 1u);
}

TEST(Retention, ByBytesTheLogStaysAtLeastAsLargeAsItsLimit) {
  const auto segments = log_of({{100, 1}, {100, 2}, {100, 3}, {50, 4}});
  EXPECT_EQ(count_to_drop(segments, {350, -1}, UnixMillis(5)), 0u);
  EXPECT_EQ(count_to_drop(segments, {251, -1}, UnixMillis(5)), 0u);
  EXPECT_EQ(count_to_drop(segments, {250, -1}, UnixMillis(5)), 1u);
  EXPECT_EQ(count_to_drop(segments, {60, -1}, UnixMillis(5)), 2u);
  EXPECT_EQ(count_to_drop(segments, {0, -1}, UnixMillis(5)), 3u);
}

TEST(Retention, WhicheverLimitTakesMore) {
  const auto segments = log_of({{100, 1}, {100, 2}, {100, 900}, {50, 1000}});
  EXPECT_EQ(count_to_drop(segments, {250, 500}, UnixMillis(1000)), 2u);
  EXPECT_EQ(count_to_drop(segments, {50, 500}, UnixMillis(1000)), 3u);
}

TEST(Retention, AClockThatWentBackDropsNothing) {
  EXPECT_EQ(count_to_drop(log_of({{100, 5000}, {100, 6000}}), {-1, 0}, UnixMillis(10)), 0u);
}

}  // namespace
}  // namespace minod
