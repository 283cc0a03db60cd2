#include "cluster/epoch_history.h"

#include <gtest/gtest.h>

namespace minod {
namespace {

constexpr Leadership in(std::int32_t epoch, std::uint64_t leader) { return {Epoch{epoch}, MemberId{0, leader}}; }

// Epoch 1 of A has [0, 10), 2 of B [10, 20), 4 of A [20, end).
EpochHistory three() { return EpochHistory({{in(1, 1), Offset(0)}, {in(2, 2), Offset(10)}, {in(4, 1), Offset(20)}}); }

TEST(EpochHistory, NamesWhoWroteTheLastRecord) {
  EXPECT_EQ(three().at_end(Offset(0)), Leadership());
  EXPECT_EQ(three().at_end(Offset(10)), in(1, 1));
  EXPECT_EQ(three().at_end(Offset(11)), in(2, 2));
  EXPECT_EQ(three().at_end(Offset(99)), in(4, 1));
}

TEST(EpochHistory, AnEpochWithoutRecordsMakesRoomForTheNext) {
  EpochHistory history = three();
  history.begin(in(5, 2), Offset(20));
  EXPECT_EQ(history.lines().size(), 3u);
  EXPECT_EQ(history.at_end(Offset(21)), in(5, 2));
}

TEST(EpochHistory, ABeginningOfTheLogDoesNotDiverge) {
  EXPECT_FALSE(three().compare({}, Offset(0), Offset(30)));
  EXPECT_FALSE(three().compare(in(1, 1), Offset(10), Offset(30)));
  EXPECT_FALSE(three().compare(in(2, 2), Offset(15), Offset(30)));
  EXPECT_FALSE(three().compare(in(4, 1), Offset(30), Offset(30)));
}

TEST(EpochHistory, ALogThatPartsIsToldWhere) {
  using Divergence = EpochHistory::Divergence;
  EXPECT_EQ(three().compare(in(4, 1), Offset(31), Offset(30)), (Divergence{in(4, 1), Offset(30)}));
  EXPECT_EQ(three().compare(in(1, 1), Offset(12), Offset(30)), (Divergence{in(1, 1), Offset(10)}));
  EXPECT_EQ(three().compare(in(3, 2), Offset(12), Offset(30)), (Divergence{in(2, 2), Offset(20)}));
  EXPECT_EQ(three().compare(in(2, 3), Offset(12), Offset(30)), (Divergence{in(1, 1), Offset(10)}))
      << "the same number, led by another";
  EXPECT_EQ(three().compare(in(0, 3), Offset(12), Offset(30)), (Divergence{{}, Offset(0)}));
}

TEST(EpochHistory, TheCutIsWhereBothStillAgree) {
  EXPECT_EQ(three().cut_for({in(4, 1), Offset(25)}, Offset(30)), Offset(25));
  EXPECT_EQ(three().cut_for({in(2, 2), Offset(15)}, Offset(30)), Offset(15));
  EXPECT_EQ(three().cut_for({in(3, 2), Offset(99)}, Offset(30)), Offset(20));
  EXPECT_EQ(three().cut_for({in(2, 3), Offset(15)}, Offset(30)), Offset(10));
  EXPECT_EQ(three().cut_for({{}, Offset(0)}, Offset(30)), Offset(0));
}

TEST(EpochHistory, TellsWhoseRecordsARangeHolds) {
  EXPECT_EQ(three().between(Offset(5), Offset(20)),
            (std::vector<EpochLine>{{in(1, 1), Offset(0)}, {in(2, 2), Offset(10)}}));
  EXPECT_TRUE(three().between(Offset(5), Offset(5)).empty());
}

}  // namespace
}  // namespace minod
