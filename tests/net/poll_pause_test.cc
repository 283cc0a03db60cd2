#include "net/poll_pause.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace minod {
namespace {

constexpr Nanos kMilli{1'000'000};

class PollPauseTest : public testing::Test {
 protected:
  bool look(MonotonicNanos now) {
    return pause.paused(now, [this] {
      ++reads;
      return times;
    });
  }

  PollPause pause;
  std::optional<SchedulerTimes> times = SchedulerTimes{Nanos(0), Nanos(0)};
  MonotonicNanos at{1'000'000'000};
  int reads = 0;
};

TEST_F(PollPauseTest, WhoNeverWaitsIsNotPaused) {
  for (int i = 0; i < 100; ++i) {
    at += kMilli;
    times->run += kMilli;
    EXPECT_FALSE(look(at));
  }
  EXPECT_EQ(reads, 20);
}

TEST_F(PollPauseTest, WhoWaitsIsPausedAndTriesAgain) {
  EXPECT_FALSE(look(at));
  times->run += Nanos(4'000'000);
  times->waited += kMilli;
  at += PollPause::kWindow;
  EXPECT_TRUE(look(at));
  EXPECT_TRUE(look(at + PollPause::kPause - Nanos(1)));
  at += PollPause::kPause;
  times->waited += Nanos(100'000'000);  // while it slept
  EXPECT_FALSE(look(at));
  times->run += PollPause::kWindow;
  EXPECT_FALSE(look(at + PollPause::kWindow));
}

TEST_F(PollPauseTest, AKernelThatDoesNotCountPausesNobody) {
  times.reset();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(look(at += PollPause::kWindow));
}

TEST(SchedulerClock, CountsWhatThisThreadRuns) {
  const SchedulerClock clock;
  const auto before = clock.read();
  if (!before) GTEST_SKIP() << "this kernel does not count";
  std::atomic<std::uint64_t> work = 0;
  std::optional<SchedulerTimes> after;
  for (int i = 0; i < 1000; ++i) {
    for (int j = 0; j < 100'000; ++j) work.fetch_add(1, std::memory_order_relaxed);
    after = clock.read();
    ASSERT_TRUE(after);
    if (after->run - before->run > kMilli) break;
  }
  EXPECT_GT(after->run - before->run, kMilli);
  EXPECT_GE(after->waited, before->waited);
}

}  // namespace
}  // namespace minod
