#include "net/slow_log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/rate.h"

namespace minod {
namespace {

SlowLog::Entry entry(std::int64_t micros) {
  SlowLog::Entry made;
  made.micros = micros;
  return made;
}

TEST(SlowLog, KeepsTheNewest) {
  SlowLog log;
  for (std::int64_t i = 0; i < 5; ++i) log.add(entry(i), 3);
  EXPECT_EQ(log.size(), 3u);
  const auto newest = log.newest(2);
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].micros, 4);
  EXPECT_EQ(newest[0].id, 4u);
  EXPECT_EQ(newest[1].id, 3u);
  EXPECT_EQ(log.newest(100).size(), 3u);
}

TEST(SlowLog, NumbersGoOnAfterClear) {
  SlowLog log;
  log.add(entry(1), 3);
  log.clear();
  EXPECT_EQ(log.size(), 0u);
  log.add(entry(2), 3);
  EXPECT_EQ(log.newest(1)[0].id, 1u);
  log.add(entry(3), 0);
  EXPECT_EQ(log.size(), 0u);
}

TEST(SlowLog, CutsArgumentsAsRedis) {
  const std::string long_one(130, 'x');
  const std::vector<std::string_view> args{"set", long_one};
  EXPECT_EQ(SlowLog::cut(args), (std::vector<std::string>{"set", std::string(128, 'x') + "... (2 more bytes)"}));
  EXPECT_EQ(SlowLog::cut(std::vector<std::string_view>(32, "a")).back(), "a");
  const auto many = SlowLog::cut(std::vector<std::string_view>(33, "a"));
  ASSERT_EQ(many.size(), 32u);
  EXPECT_EQ(many.back(), "... (2 more arguments)");
}

TEST(Rate, IsTheMeanOfTheLastSamples) {
  Rate rate;
  EXPECT_EQ(rate.per_second(), 0u);
  const auto at = [](std::int64_t tenths) { return MonotonicNanos(tenths * 100'000'000); };
  rate.sample(at(0), 0);
  EXPECT_EQ(rate.per_second(), 0u);
  rate.sample(at(1), 50);
  EXPECT_EQ(rate.per_second(), 500u);
  for (std::int64_t i = 2; i <= 40; ++i) rate.sample(at(i), 50);
  EXPECT_EQ(rate.per_second(), 0u);
}

}  // namespace
}  // namespace minod
