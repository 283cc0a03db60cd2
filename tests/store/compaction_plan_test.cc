#include "store/compaction_plan.h"

#include <gtest/gtest.h>

#include <vector>

#include "store/compaction_pace.h"

namespace minod {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

class CompactionPlanTest : public ::testing::Test {
 protected:
  CompactionPlanTest() {
    rules_.now = UnixMillis(1'000'000'000);
    rules_.replay_begin = Offset(std::numeric_limits<std::int64_t>::max());
    rules_.segment_bytes = 256 * kMiB;
    rules_.all_counted = true;
    rules_.options.delete_retention = Millis(0);
  }

  SegmentCount& add(std::int64_t bytes, std::int64_t dead_percent, std::int64_t span = 1000) {
    SegmentCount segment;
    segment.base = Offset(next_);
    next_ += span;
    segment.end = Offset(next_);
    segment.bytes = bytes;
    segment.records = 1000;
    segment.dead = dead_percent * 10;
    segment.first_time = segment.last_time = UnixMillis(500'000'000);
    rules_.usable_end = segment.end;
    segments_.push_back(segment);
    return segments_.back();
  }
  std::optional<CompactionPlan> plan() { return plan_compaction(segments_, rules_); }
  CompactionPlan of(std::size_t first, std::size_t last) { return {segments_[first].base, segments_[last].end}; }

  std::int64_t next_ = 0;
  std::vector<SegmentCount> segments_;
  CompactionRules rules_;
};

TEST_F(CompactionPlanTest, TakesTheLowestShareOfLiveRecords) {
  add(200 * kMiB, 60);
  add(200 * kMiB, 49);
  add(200 * kMiB, 90);
  EXPECT_EQ(plan(), of(2, 2));
  segments_[2].dead = 0;
  EXPECT_EQ(plan(), of(0, 0));
  segments_[0].dead = 500;
  EXPECT_EQ(plan(), std::nullopt) << "half is live";
}

TEST_F(CompactionPlanTest, TakesNeighboursThatAreCheapToMove) {
  add(10 * kMiB, 0);
  add(200 * kMiB, 80);
  add(30 * kMiB, 10);
  add(200 * kMiB, 0);
  EXPECT_EQ(plan(), of(0, 2));
}

TEST_F(CompactionPlanTest, StaysWithinTheSizeOfASegment) {
  for (int i = 0; i < 20; ++i) add(60 * kMiB, i == 0 ? 90 : 0);
  EXPECT_EQ(plan(), of(0, 4)) << "6 + 4 * 60 MiB live";
}

// Trap 13.
TEST_F(CompactionPlanTest, StaysWithinTheOffsetsOfASegment) {
  constexpr std::int64_t kHalf = std::int64_t{1} << 30;
  add(kMiB, 90, kHalf);
  add(kMiB, 90, kHalf - 1);
  add(kMiB, 90, 1);
  EXPECT_EQ(plan(), of(0, 1)) << "2^31 - 1 offsets, and not one more";
  segments_[0].base = Offset(-1);
  EXPECT_EQ(plan(), of(0, 0));
}

// Positions are 31 bits wide, and what is live is only an estimate.
TEST_F(CompactionPlanTest, StaysWithinThePositionsOfASegment) {
  for (int i = 0; i < 8; ++i) add(300 * kMiB, 99);
  const auto planned = plan();
  ASSERT_TRUE(planned);
  EXPECT_EQ((planned->end - planned->base).value(), 3000);
}

TEST_F(CompactionPlanTest, LeavesWhatIsNotSealedAndCommitted) {
  add(200 * kMiB, 90);
  add(200 * kMiB, 95);
  rules_.usable_end = segments_[0].end;
  EXPECT_EQ(plan(), of(0, 0));
  rules_.usable_end = Offset(0);
  EXPECT_EQ(plan(), std::nullopt);
}

TEST_F(CompactionPlanTest, MinLagLeavesYoungRecordsAlone) {
  add(200 * kMiB, 90);
  rules_.options.min_lag = Millis(500'000'001);
  EXPECT_EQ(plan(), std::nullopt);
  rules_.options.min_lag = Millis(500'000'000);
  EXPECT_EQ(plan(), of(0, 0));
}

TEST_F(CompactionPlanTest, MaxLagDoesNotWaitForTheShare) {
  add(200 * kMiB, 1);
  EXPECT_EQ(plan(), std::nullopt);
  rules_.options.max_lag = Millis(500'000'000);
  EXPECT_EQ(plan(), of(0, 0));
  segments_[0].cleaned_at = UnixMillis(999'999'999);
  EXPECT_EQ(plan(), std::nullopt) << "its garbage is younger than that";
}

TEST_F(CompactionPlanTest, AFullDiskTakesAnyGarbageOneSegmentAtATime) {
  add(10 * kMiB, 0);
  add(200 * kMiB, 3);
  add(10 * kMiB, 0);
  rules_.short_of_space = true;
  EXPECT_EQ(plan(), of(1, 1));
}

TEST_F(CompactionPlanTest, ARequestTakesAnyGarbageOnce) {
  add(200 * kMiB, 1);
  rules_.options.enabled = false;
  EXPECT_EQ(plan(), std::nullopt);
  rules_.asked_upto = Offset(5000);
  EXPECT_EQ(plan(), of(0, 0));
  segments_[0].clean_upto = Offset(5000);
  EXPECT_EQ(plan(), std::nullopt);
}

TEST_F(CompactionPlanTest, ManySmallSegmentsBecomeOne) {
  for (int i = 0; i < 7; ++i) add(kMiB, 0);
  EXPECT_EQ(plan(), std::nullopt);
  add(kMiB, 0);
  EXPECT_EQ(plan(), of(0, 7));
}

// Trap 11.
TEST_F(CompactionPlanTest, ErasuresAreGarbageWhenNothingOlderIsLeft) {
  add(200 * kMiB, 1);
  add(200 * kMiB, 0).erasures = 900;
  EXPECT_EQ(garbage_of(segments_, segments_[1], rules_), 0);
  segments_[0].clean_upto = Offset(1500);
  EXPECT_EQ(garbage_of(segments_, segments_[1], rules_), 0) << "some are newer than what it was cleaned by";
  segments_[0].clean_upto = Offset(2000);
  EXPECT_EQ(garbage_of(segments_, segments_[1], rules_), 900);
  EXPECT_EQ(plan(), of(1, 1));
  rules_.all_counted = false;
  EXPECT_EQ(garbage_of(segments_, segments_[1], rules_), 0) << "there is a segment that nothing is known of";
  rules_.all_counted = true;
  rules_.replay_begin = Offset(1999);
  EXPECT_EQ(garbage_of(segments_, segments_[1], rules_), 0);
  rules_.replay_begin = Offset(2000);
  rules_.options.delete_retention = Millis(500'000'001);
  EXPECT_EQ(garbage_of(segments_, segments_[1], rules_), 0);
}

TEST_F(CompactionPlanTest, ErasuresGoUpToWhereNothingOlderIsLeft) {
  add(kMiB, 0);
  add(kMiB, 10).clean_upto = Offset(1700);
  add(kMiB, 0);
  EXPECT_EQ(erasures_end(segments_, Offset(0), Offset(9000)), Offset(9000));
  EXPECT_EQ(erasures_end(segments_, Offset(1000), Offset(9000)), Offset(9000)) << "all of the first is newest";
  EXPECT_EQ(erasures_end(segments_, Offset(2000), Offset(9000)), Offset(1700));
  segments_[1].clean_upto = kNoOffset;
  EXPECT_EQ(erasures_end(segments_, Offset(2000), Offset(9000)), kNoOffset);
}

TEST(CompactionPaceTest, SlowsDownWhileCommitsAreSlowAndNeverBelowTheFloor) {
  CompactionPace pace(std::uint64_t{64} << 20);
  std::uint64_t groups = 0;
  double nanos = 0;
  const auto second = [&](double each, bool running) {
    groups += 100;
    nanos += 100 * each;
    pace.see_commits(groups, nanos, running);
  };
  for (int i = 0; i < 20; ++i) second(1e6, false);
  second(1.9e6, true);
  EXPECT_EQ(pace.rate(), std::uint64_t{64} << 20);
  second(2.5e6, true);
  EXPECT_EQ(pace.rate(), std::uint64_t{32} << 20);
  for (int i = 0; i < 20; ++i) second(9e6, true);
  EXPECT_EQ(pace.rate(), CompactionPace::kFloor);
  for (int i = 0; i < 20; ++i) second(1e6, true);
  EXPECT_EQ(pace.rate(), std::uint64_t{64} << 20);
}

TEST(CompactionPaceTest, SpendsWhatTimeBrings) {
  CompactionPace pace(std::uint64_t{10} << 20);
  MonotonicNanos now(1'000'000'000);
  pace.refill(now);
  EXPECT_TRUE(pace.may_go());
  pace.spend(std::int64_t{3} << 20);
  EXPECT_FALSE(pace.may_go());
  pace.refill(now + Nanos(100'000'000));
  EXPECT_FALSE(pace.may_go());
  pace.refill(now + Nanos(300'000'000));
  EXPECT_TRUE(pace.may_go());
}

}  // namespace
}  // namespace minod
