#include "cluster/high_watermark.h"

#include <gtest/gtest.h>

#include <array>

namespace minod {
namespace {

TEST(HighWatermark, IsWhatEveryCountedMemberHas) {
  const std::array ends{Offset(9), Offset(7), Offset(8)};
  EXPECT_EQ(high_watermark(ends, 3, 2, Offset(5)), Offset(7));
}

TEST(HighWatermark, StandsStillBelowTheLeast) {
  const std::array ends{Offset(9)};
  EXPECT_EQ(high_watermark(ends, 1, 2, Offset(5)), Offset(5));
  EXPECT_EQ(high_watermark(ends, 1, 1, Offset(5)), Offset(9));
}

TEST(HighWatermark, NeverGoesBack) {
  const std::array ends{Offset(9), Offset(0)};
  EXPECT_EQ(high_watermark(ends, 2, 2, Offset(5)), Offset(5));
  EXPECT_EQ(high_watermark({}, 0, 0, Offset(5)), Offset(5));
}

}  // namespace
}  // namespace minod
