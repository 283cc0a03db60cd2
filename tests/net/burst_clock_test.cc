#include "net/burst_clock.h"

#include <gtest/gtest.h>

namespace minod {
namespace {

class HandClock final : public Clock {
 public:
  UnixMillis now() const override {
    ++reads;
    return UnixMillis(5'000 + at_ns / 1'000'000);
  }
  MonotonicNanos monotonic() const override {
    ++reads;
    return MonotonicNanos(at_ns);
  }

  std::int64_t at_ns = 700'000;
  mutable int reads = 0;
};

TEST(BurstClock, LapsTouchAndTheWallClockGoesAlong) {
  HandClock clock;
  BurstClock burst;
  burst.start(clock);
  EXPECT_EQ(burst.wall(), UnixMillis(5'000));
  clock.at_ns += 400'000;
  EXPECT_EQ(burst.lap(clock), Nanos(400'000));
  EXPECT_EQ(burst.wall(), UnixMillis(5'000));  // the clock itself has just come to 5001
  clock.at_ns += 2'000'000;
  EXPECT_EQ(burst.lap(clock), Nanos(2'000'000));
  EXPECT_EQ(burst.wall(), UnixMillis(5'002));
  EXPECT_EQ(clock.reads, 4);

  clock.at_ns += 50'000'000;  // between two bursts the connection waits for its client
  burst.start(clock);
  EXPECT_EQ(burst.wall(), clock.now());
  clock.at_ns += 1;
  EXPECT_EQ(burst.lap(clock), Nanos(1));
}

TEST(BurstClock, IsNeverAheadOfTheClock) {
  HandClock clock;
  BurstClock burst;
  burst.start(clock);
  for (int i = 0; i < 10'000; ++i) {
    clock.at_ns += 12'345;
    burst.lap(clock);
    ASSERT_LE(burst.wall(), clock.now());
    ASSERT_GE(burst.wall() + Millis(1), clock.now());
  }
}

}  // namespace
}  // namespace minod
