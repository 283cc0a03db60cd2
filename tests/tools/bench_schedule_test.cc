#include "tools/bench_schedule.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cmath>
#include <vector>

#include "tools/bench_connection.h"

namespace minod::bench {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

class FakeClock final : public Clock {
 public:
  UnixMillis now() const override { return UnixMillis(0); }
  MonotonicNanos monotonic() const override { return at; }
  void to_milliseconds(std::int64_t value) { at = MonotonicNanos(value * kMillisecond); }

  MonotonicNanos at;
};

TEST(Schedule, EvenSlotsDoNotDrift) {
  Schedule schedule(3, false, MonotonicNanos(1000), {}, 1);  // a third of a second is no whole number of nanoseconds
  for (int i = 0; i < 3'000'000; ++i) schedule.take();
  EXPECT_NEAR(static_cast<double>(schedule.next().value()), 1e15 + 1000, 1000);
}

TEST(Schedule, ThreadsInterleave) {
  std::vector<std::int64_t> slots;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    Schedule schedule(1000, false, MonotonicNanos(0), Stripe{thread, 4}, 1);
    for (int i = 0; i < 5; ++i) {
      slots.push_back(schedule.next().value());
      schedule.take();
    }
  }
  std::sort(slots.begin(), slots.end());
  for (std::size_t i = 0; i < slots.size(); ++i) EXPECT_EQ(slots[i], static_cast<std::int64_t>(i) * kMillisecond);
}

TEST(Schedule, PoissonHasItsRateAndItsSpread) {
  Schedule schedule(1000, true, MonotonicNanos(0), Stripe{1, 2}, 99);  // this thread: 500 a second, 2 ms apart
  constexpr int kSlots = 200'000;
  double sum = 0;
  double squares = 0;
  MonotonicNanos last;
  for (int i = 0; i < kSlots; ++i) {
    const double gap = static_cast<double>((schedule.next() - last).value()) / kMillisecond;
    ASSERT_GE(gap, 0);
    sum += gap;
    squares += gap * gap;
    last = schedule.next();
    schedule.take();
  }
  const double mean = sum / kSlots;
  EXPECT_NEAR(mean, 2, 0.03);
  EXPECT_NEAR(std::sqrt(squares / kSlots - mean * mean), 2, 0.05);  // an exponential's deviation is its mean
}

TEST(Schedule, BacklogIsWhatIsDueAndNotTaken) {
  Schedule schedule(1000, false, MonotonicNanos(0), {}, 1);
  EXPECT_EQ(schedule.backlog(MonotonicNanos(-1)), 0u);
  EXPECT_EQ(schedule.backlog(MonotonicNanos(0)), 1u);
  EXPECT_EQ(schedule.backlog(MonotonicNanos(10 * kMillisecond)), 11u);
  for (int i = 0; i < 11; ++i) schedule.take();
  EXPECT_EQ(schedule.backlog(MonotonicNanos(10 * kMillisecond)), 0u);
}

// A connection to this test, which plays the server.
class OpenLoop : public testing::Test {
 protected:
  OpenLoop() : tally_({MonotonicNanos(0), MonotonicNanos(0), MonotonicNanos(1'000'000 * kMillisecond)}) {
    options_.mix = Mix::of(Operation::kPing);
    int sockets[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    server_ = Fd(sockets[1]);
    RequestSource source({options_, newest_, nullptr}, Stripe{}, 1000);
    connection_.emplace(Fd(sockets[0]), std::move(source), 16, nullptr);
  }

  void send_due(Schedule& schedule) {
    while (schedule.next() <= clock_.at && connection_->has_room()) {
      connection_->request(schedule.next());
      tally_.sent(schedule.next(), clock_.at);
      schedule.take();
    }
    ASSERT_TRUE(connection_->flush().has_value());
  }

  void answer(int replies) {
    for (int i = 0; i < replies; ++i) ASSERT_EQ(::send(server_.get(), "+PONG\r\n", 7, 0), 7);
    std::array<std::byte, 4096> scratch;
    ASSERT_TRUE(connection_->receive(clock_, scratch, tally_).has_value());
  }

  FakeClock clock_;
  Options options_;
  std::atomic<std::uint64_t> newest_{1};
  Tally tally_;
  Fd server_;
  std::optional<Connection> connection_;
};

TEST_F(OpenLoop, LatencyCountsFromTheIntendedTimeWhenTheSendIsLate) {
  Schedule schedule(1000, false, MonotonicNanos(0), {}, 1);
  clock_.to_milliseconds(9);  // the generator slept through ten slots
  send_due(schedule);
  EXPECT_EQ(connection_->under_way(), 10u);
  EXPECT_EQ(tally_.lateness().max(), 9u * kMillisecond);
  EXPECT_EQ(tally_.lateness().min(), 0u);

  clock_.to_milliseconds(20);
  answer(10);
  const Histogram latency = tally_.latency(Operation::kPing);
  EXPECT_EQ(latency.count(), 10u);
  EXPECT_EQ(latency.max(), 20u * kMillisecond);  // of slot 0, although it was sent at 9
  EXPECT_EQ(latency.min(), 11u * kMillisecond);  // of slot 9
}

TEST_F(OpenLoop, SlotsThatFindNoRoomWaitAndAreNotSkipped) {
  Schedule schedule(1000, false, MonotonicNanos(0), {}, 1);
  clock_.to_milliseconds(39);  // 40 slots are due, 16 fit
  send_due(schedule);
  EXPECT_EQ(connection_->under_way(), 16u);
  EXPECT_EQ(schedule.backlog(clock_.at), 24u);

  clock_.to_milliseconds(50);
  answer(16);
  send_due(schedule);
  EXPECT_EQ(connection_->under_way(), 16u);
  clock_.to_milliseconds(60);
  answer(16);
  EXPECT_EQ(tally_.latency(Operation::kPing).count(), 32u);
  EXPECT_EQ(tally_.latency(Operation::kPing).max(), 50u * kMillisecond);  // slot 0
  EXPECT_EQ(tally_.latency(Operation::kPing).min(), 29u * kMillisecond);  // slot 31, sent at 50, answered at 60
  EXPECT_EQ(schedule.next(), MonotonicNanos(32 * kMillisecond));
}

TEST_F(OpenLoop, RepliesThatNobodyAskedForBreakTheConnection) {
  ASSERT_EQ(::send(server_.get(), "+PONG\r\n", 7, 0), 7);
  std::array<std::byte, 64> scratch;
  EXPECT_EQ(connection_->receive(clock_, scratch, tally_).error().code, Errc::kInvalid);
}

TEST_F(OpenLoop, WhatIsUnderWayFailsWithItsConnection) {
  Schedule schedule(1000, false, MonotonicNanos(0), {}, 1);
  clock_.to_milliseconds(2);
  send_due(schedule);
  server_ = Fd();
  std::array<std::byte, 64> scratch;
  // A closed unix socket that had unread bytes resets instead of ending.
  ASSERT_FALSE(connection_->receive(clock_, scratch, tally_).has_value());
  connection_->drop("gone", tally_);
  EXPECT_EQ(tally_.errors(), 3u);
  EXPECT_EQ(tally_.failures().at("unanswered").count, 3u);
}

}  // namespace
}  // namespace minod::bench
