#include "store/glob.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace minod {
namespace {

TEST(Glob, PlainAndWildcards) {
  EXPECT_TRUE(glob_matches("hello", "hello"));
  EXPECT_FALSE(glob_matches("hello", "hellO"));
  EXPECT_TRUE(glob_matches("h?llo", "hallo"));
  EXPECT_FALSE(glob_matches("h?llo", "hllo"));
  EXPECT_TRUE(glob_matches("h*llo", "heeeello"));
  EXPECT_TRUE(glob_matches("*:*:tail", "a:b:c:tail"));
  EXPECT_TRUE(glob_matches("a***", "a"));
  EXPECT_FALSE(glob_matches("a*b", "a"));
}

TEST(Glob, Classes) {
  EXPECT_TRUE(glob_matches("h[ae]llo", "hello"));
  EXPECT_FALSE(glob_matches("h[ae]llo", "hillo"));
  EXPECT_TRUE(glob_matches("[a-c]1", "b1"));
  EXPECT_TRUE(glob_matches("[c-a]1", "b1"));
  EXPECT_FALSE(glob_matches("[^a-c]1", "b1"));
  EXPECT_TRUE(glob_matches("[\\]]", "]"));
  EXPECT_TRUE(glob_matches("[\xe0-\xff]", "\xf0"));
}

TEST(Glob, Escapes) {
  EXPECT_TRUE(glob_matches("a\\*b", "a*b"));
  EXPECT_FALSE(glob_matches("a\\*b", "axb"));
  EXPECT_TRUE(glob_matches("a\\", "a\\"));
}

TEST(Glob, EmptyTextMatchesOnlyALoneStar) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("**", ""));
  EXPECT_FALSE(glob_matches("", "a"));
}

TEST(Glob, ManyStarsCannotHang) {
  const std::string text(60'000, 'a');
  EXPECT_FALSE(glob_matches("*a*a*a*a*b", text));
  EXPECT_FALSE(glob_matches("*" + text.substr(1) + "b", text + text));
}

// Lines of "pattern TAB text TAB 1 or 0": what KEYS of Redis 7.0.15 said about random patterns, malformed ones among
// them.
TEST(Glob, AgreesWithRedis) {
  std::ifstream cases(MINOD_TEST_DATA "/redis_globs.txt");
  std::size_t count = 0;
  for (std::string line; std::getline(cases, line); ++count) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    ASSERT_NE(second, std::string::npos) << line;
    const std::string pattern = line.substr(0, first);
    const std::string text = line.substr(first + 1, second - first - 1);
    EXPECT_EQ(glob_matches(pattern, text), line.substr(second + 1) == "1") << pattern << " against " << text;
  }
  EXPECT_GT(count, 400u);
}

}  // namespace
}  // namespace minod
