#include "log/segment_name.h"

#include <gtest/gtest.h>

#include <limits>

#include "log/format.h"

namespace minod {
namespace {

TEST(SegmentName, ComesBack) {
  EXPECT_EQ(segment_name(Offset(42), kLogSuffix), "00000000000000000042.log");
  for (const std::int64_t base : {std::int64_t{0}, std::int64_t{42}, std::numeric_limits<std::int64_t>::max()}) {
    for (const std::string_view suffix : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix}) {
      EXPECT_EQ(parse_segment_name(segment_name(Offset(base), suffix), suffix), Offset(base));
    }
  }
}

TEST(SegmentName, OtherNamesAreNone) {
  for (const char* name : {"", ".log", "42.log", "00000000000000000042.index", "00000000000000000042.log.tmp",
                           "000000000000000000042.log", "0000000000000000042.log", "-0000000000000000042.log",
                           "+0000000000000000042.log", "0000000000000000004x.log", " 0000000000000000042.log",
                           "99999999999999999999.log", "09223372036854775808.log", "00000000000000000042xlog"}) {
    EXPECT_EQ(parse_segment_name(name, kLogSuffix), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace minod
