#include "base/size_text.h"

#include <gtest/gtest.h>

namespace minod {
namespace {

TEST(SizeText, RedisUnits) {
  EXPECT_EQ(*parse_size("1024"), 1024u);
  EXPECT_EQ(*parse_size("1k"), 1000u);
  EXPECT_EQ(*parse_size("2MB"), 2u << 20);
  EXPECT_EQ(*parse_size("3gb"), 3ull << 30);
}

TEST(SizeText, RefusesWhatIsNotASize) {
  for (const char* text : {"", "mb", "12x", "-1", "99999999999999999999", "99999999999gb", "1 mb"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_NE(size.error().message().find("is not a size"), std::string::npos);
  }
}

TEST(SizeText, ForPeople) {
  EXPECT_EQ(size_text(17), "17 B");
  EXPECT_EQ(size_text(1536), "1.50 KiB");
}

}  // namespace
}  // namespace minod
