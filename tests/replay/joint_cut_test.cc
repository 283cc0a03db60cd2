// Where logs agree: each case is what was read of some logs, and the ends that come out.
#include "replay/joint_cut.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace minod {
namespace {

LogReach reach(int number, std::int64_t end) { return {0, static_cast<std::int16_t>(number), Offset(end)}; }

JointBatch joint(std::int64_t begin, std::vector<LogReach> logs) { return {Offset(begin), std::move(logs)}; }

std::vector<std::int64_t> ends(std::vector<LogEnd> logs) {
  std::vector<std::int64_t> numbers;
  for (const Offset end : agreeing_ends(logs)) numbers.push_back(end.value());
  return numbers;
}

using Ends = std::vector<std::int64_t>;

TEST(JointCut, WhatIsWholeStays) {
  const std::vector<LogReach> both = {reach(0, 5), reach(1, 9)};
  EXPECT_EQ(ends({{0, 0, Offset(5), {joint(4, both)}}, {0, 1, Offset(9), {joint(8, both)}}}), (Ends{5, 9}));
}

TEST(JointCut, APartWithoutTheOtherGoesWithAllBehindIt) {
  const std::vector<LogReach> both = {reach(0, 5), reach(1, 9)};
  EXPECT_EQ(ends({{0, 0, Offset(50), {joint(4, both)}}, {0, 1, Offset(8), {}}}), (Ends{4, 8}));
}

TEST(JointCut, ALogThatIsNotThereReachesNowhere) {
  EXPECT_EQ(ends({{0, 0, Offset(5), {joint(4, {reach(0, 5), reach(3, 1)})}}}), (Ends{4}));
}

// 2 lacks its part of the second, so 1 loses that and, behind it, its part of the third, which 0 has.
TEST(JointCut, ACutMayMakeAnother) {
  const std::vector<LogReach> first = {reach(0, 2), reach(1, 2)};
  const std::vector<LogReach> second = {reach(1, 4), reach(2, 7)};
  const std::vector<LogReach> third = {reach(0, 9), reach(1, 6)};
  EXPECT_EQ(ends({{0, 0, Offset(20), {joint(1, first), joint(8, third)}},
                  {0, 1, Offset(6), {joint(1, first), joint(3, second), joint(5, third)}},
                  {0, 2, Offset(6), {}}}),
            (Ends{8, 3, 6}));
}

TEST(JointCut, ALogMayNeedItself) {
  const std::vector<LogReach> flush_and_write = {reach(0, 12)};
  EXPECT_EQ(ends({{0, 0, Offset(11), {joint(10, flush_and_write)}}}), (Ends{10})) << "a log start, and no batch behind";
  EXPECT_EQ(ends({{0, 0, Offset(12), {joint(10, flush_and_write), joint(11, flush_and_write)}}}), (Ends{12}));
}

TEST(JointCut, DatabasesAreLogsOfTheirOwn) {
  const std::vector<LogReach> move = {{0, 0, Offset(3)}, {1, 0, Offset(3)}};
  EXPECT_EQ(ends({{0, 0, Offset(3), {joint(2, move)}}, {1, 0, Offset(2), {}}}), (Ends{2, 2}));
}

}  // namespace
}  // namespace minod
