#include "index/segment_counts.h"

#include <gtest/gtest.h>

namespace minod {
namespace {

class SegmentCountsTest : public ::testing::Test {
 protected:
  void place(std::int64_t segment, std::int64_t base, std::int32_t count) {
    BatchHeader batch;
    batch.base_offset = Offset(base);
    batch.length = 100 * count;
    batch.last_offset_delta = count - 1;
    batch.record_count = count;
    batch.base_timestamp = batch.max_timestamp = UnixMillis(base);
    for (int i = 0; i < count; ++i) counts_.applied();
    counts_.placed(batch, Offset(segment));
  }
  const SegmentCount& at(std::size_t i) { return counts_.all().at(i); }

  SegmentCounts counts_;
};

TEST_F(SegmentCountsTest, DeathsBelongToTheSegmentOfTheirOffset) {
  place(0, 0, 10);
  place(10, 10, 10);
  counts_.died(Offset(3));
  counts_.died(Offset(10));
  counts_.died(Offset(19));
  EXPECT_EQ(at(0).dead, 1);
  EXPECT_EQ(at(1).dead, 2);
  EXPECT_FALSE(at(0).all_newest());
}

// A record may die in the batch that it came with, whose segment is not known before it is placed.
TEST_F(SegmentCountsTest, WhatIsNotPlacedYetIsCountedWhenItIs) {
  place(0, 0, 10);
  counts_.died(Offset(10));
  counts_.erased_by(Offset(11));
  EXPECT_EQ(at(0).dead, 0);
  place(10, 10, 5);
  EXPECT_EQ(at(1).dead, 1);
  EXPECT_EQ(at(1).erasures, 1);
}

// As when a checkpoint of the index takes the place of applying them.
TEST_F(SegmentCountsTest, ASegmentWhoseRecordsWereNotAppliedIsNotKnownToBeNewest) {
  BatchHeader batch;
  batch.record_count = 1;
  counts_.placed(batch, Offset(0));
  EXPECT_FALSE(at(0).all_newest());
  place(1, 1, 1);
  EXPECT_TRUE(at(1).all_newest());
}

TEST_F(SegmentCountsTest, AFlushKillsEverythingBelow) {
  place(0, 0, 10);
  counts_.erased_by(Offset(5));
  place(10, 10, 5);
  counts_.all_died_below(Offset(10));
  EXPECT_EQ(at(0).dead, 10);
  EXPECT_EQ(at(0).erasures, 0);
  EXPECT_EQ(at(1).dead, 0);
}

TEST_F(SegmentCountsTest, AnEvictionThatEndsInsideASegmentLeavesIt) {
  place(0, 0, 10);
  place(10, 10, 10);
  counts_.erased_by(Offset(4));
  counts_.segments_died_below(Offset(15));
  EXPECT_EQ(at(0).dead, 10);
  EXPECT_EQ(at(0).erasures, 0);
  EXPECT_EQ(at(1).dead, 0);
}

TEST_F(SegmentCountsTest, OneTakesThePlaceOfMany) {
  for (int i = 0; i < 4; ++i) place(i * 10, i * 10, 10);
  SegmentCount merged;
  merged.base = Offset(10);
  merged.end = Offset(30);
  merged.records = 3;
  counts_.replace(merged);
  ASSERT_EQ(counts_.all().size(), 3u);
  counts_.died(Offset(25));
  counts_.died(Offset(30));
  EXPECT_EQ(at(1).dead, 1);
  EXPECT_EQ(at(2).dead, 1);
  counts_.drop_before(Offset(30));
  EXPECT_EQ(counts_.all().size(), 1u);
  counts_.died(Offset(4));  // of a segment that is gone
  EXPECT_EQ(at(0).dead, 1);
}

TEST_F(SegmentCountsTest, DeathsInAWatchedRangeAreCounted) {
  place(0, 0, 20);
  counts_.watch(Offset(0), Offset(5));
  counts_.died(Offset(4));
  counts_.died(Offset(5));
  counts_.watch(Offset(0), Offset(10));
  counts_.died(Offset(5));
  EXPECT_EQ(counts_.died_in_range(), 2);
  counts_.watch(Offset(0), Offset(5));
  EXPECT_EQ(counts_.died_in_range(), 0) << "a new rewrite from the same segment on";
}

}  // namespace
}  // namespace minod
