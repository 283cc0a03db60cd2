#include "store/number.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace minod {
namespace {

TEST(Number, IntegersAsTheyArePrinted) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{1234567890},
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(parse_integer(std::to_string(value)), value);
  }
}

TEST(Number, RefusesWhatIsNotPrintedSo) {
  for (const char* text : {"", "-", "+1", " 1", "1 ", "01", "-0", "-01", "1.0", "1e3", "0x10", "abc",
                           "9223372036854775808", "-9223372036854775809", "99999999999999999999999", "--1"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << '"' << text << '"';
  }
  EXPECT_EQ(parse_integer(std::string_view("1\0", 2)), std::nullopt);
}

std::string sum_text(std::string_view a, std::string_view b) { return real_text(*parse_real(a) + *parse_real(b)); }

// Each line is what INCRBYFLOAT of Redis 7.0.15 replies.
TEST(Number, RealsAsRedisWritesThem) {
  EXPECT_EQ(real_text(*parse_real("1.5")), "1.5");
  EXPECT_EQ(real_text(*parse_real("0.1")), "0.1");
  EXPECT_EQ(real_text(*parse_real("1e5")), "100000");
  EXPECT_EQ(real_text(*parse_real("0x10")), "16");
  EXPECT_EQ(real_text(*parse_real("1e-20")), "0");
  EXPECT_EQ(real_text(*parse_real("-1e-20")), "0");
  EXPECT_EQ(real_text(*parse_real("1e17")), "100000000000000000");
  EXPECT_EQ(sum_text("10.50", "0.1"), "10.6");
  EXPECT_EQ(sum_text("3.0e3", "200"), "3200");
  EXPECT_EQ(sum_text("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum_text("-5", "5"), "0");
  EXPECT_EQ(real_text(*parse_real("1e4000")).size(), 4000u);
}

TEST(Number, RefusesWhatIsNoReal) {
  for (const char* text : {"", " 1", "1 ", "abc", "1.5x", "nan", "1e5000", "-1e5000", "1e-5000"}) {
    EXPECT_EQ(parse_real(text), std::nullopt) << '"' << text << '"';
  }
  EXPECT_EQ(parse_real(std::string(5 * 1024, '0')), std::nullopt);
  EXPECT_EQ(parse_real(std::string_view("1\0", 2)), std::nullopt);
}

TEST(Number, InfinityIsReadButIsNoSum) { EXPECT_TRUE(parse_real("inf")); }

}  // namespace
}  // namespace minod
