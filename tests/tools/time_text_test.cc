#include "tools/time_text.h"

#include <gtest/gtest.h>

namespace minod {
namespace {

constexpr UnixMillis kNow{1'700'000'000'000};

std::int64_t parsed(std::string_view text) {
  const auto time = parse_time(text, kNow);
  EXPECT_TRUE(time) << text;
  return time ? time->value() : -1;
}

TEST(ParseTime, Rfc3339) {
  EXPECT_EQ(parsed("2023-11-14T22:13:20Z"), 1'700'000'000'000);
  EXPECT_EQ(parsed("2023-11-14T22:13:20.1Z"), 1'700'000'000'100);
  EXPECT_EQ(parsed("2023-11-14t22:13:20.123456789z"), 1'700'000'000'123);
  EXPECT_EQ(parsed("2023-11-15 00:13:20+02:00"), 1'700'000'000'000);
  EXPECT_EQ(parsed("2023-11-14T16:43:20-05:30"), 1'700'000'000'000);
  EXPECT_EQ(parsed("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parsed("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(ParseTime, EpochAndRelative) {
  EXPECT_EQ(parsed("@1700000000"), 1'700'000'000'000);
  EXPECT_EQ(parsed("@1700000000.25"), 1'700'000'000'250);
  EXPECT_EQ(parsed("1700000000123"), 1'700'000'000'123);
  EXPECT_EQ(parsed("now"), kNow.value());
  EXPECT_EQ(parsed("-15m"), kNow.value() - 900'000);
  EXPECT_EQ(parsed("-500ms"), kNow.value() - 500);
  EXPECT_EQ(parsed("-30s"), kNow.value() - 30'000);
  EXPECT_EQ(parsed("-2h"), kNow.value() - 7'200'000);
  EXPECT_EQ(parsed("-7d"), kNow.value() - 604'800'000);
}

TEST(ParseTime, RefusesWhatIsNoTime) {
  for (const char* text : {"",
                           "yesterday",
                           "2023-11-14",
                           "2023-11-14T22:13:20",
                           "2023-13-01T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2023-11-14T24:00:00Z",
                           "2023-11-14T22:60:00Z",
                           "2023-11-14T22:13:60Z",
                           "2023-11-14T22:13:20.Z",
                           "2023-11-14T22:13:20+0200",
                           "2023-11-14T22:13:20Zx",
                           "@",
                           "@1.",
                           "@-1",
                           "@1x",
                           "-15",
                           "-m",
                           "-15w",
                           "--15m",
                           "@9223372036854775807",
                           "99999999999999999999"}) {
    const auto time = parse_time(text, kNow);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, Errc::kInvalid);
    EXPECT_NE(time.error().detail.find(text), std::string::npos);
  }
}

TEST(TimeText, IsReadBack) {
  for (const std::int64_t time :
       {std::int64_t{0}, std::int64_t{1'700'000'000'123}, std::int64_t{253'402'300'799'999}}) {
    EXPECT_EQ(parsed(time_text(UnixMillis(time))), time);
  }
  EXPECT_EQ(time_text(UnixMillis(1'700'000'000'005)), "2023-11-14T22:13:20.005Z");
  EXPECT_EQ(time_text(UnixMillis(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(SpanText, NamesTwoUnits) {
  EXPECT_EQ(span_text(Millis(250)), "250ms");
  EXPECT_EQ(span_text(Millis(59'950)), "59.9s");
  EXPECT_EQ(span_text(Millis(900'000)), "15m0s");
  EXPECT_EQ(span_text(Millis(7'500'000)), "2h5m");
  EXPECT_EQ(span_text(Millis(273'600'000)), "3d4h");
  EXPECT_EQ(span_text(Millis(-1500)), "-1.5s");
}

}  // namespace
}  // namespace minod
