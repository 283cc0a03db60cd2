// What a TTL promises: the key is gone from its time on, for every reader and after every restart, however many expire
// at once and whatever the clock does.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>

#include "tests/store/store_fixture.h"

namespace minod {
namespace {

// Of this thread, so that what else the machine does is not counted.
std::int64_t cpu_micros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

class Expiry : public StoreFixture {
 protected:
  Offset log_end() { return store_->partition(0, 0)->log().marks().appended(); }

  // Many keys, some thousand a turn, all to expire at the same moment.
  void set_many(int count, UnixMillis at) {
    const std::string when = std::to_string(at.value());
    ReplyQueue replies;
    ASSERT_EQ(run({"SET", "first", "v"}), "+OK\r\n");
    for (int i = 0; i < count; ++i) {
      const std::string key = "key:" + std::to_string(i);
      const std::vector<std::string_view> args{"SET", key, "v", "PXAT", when};
      for (bool done = false; !done;) {
        Request request;
        request.args = args;
        request.resume = [] {};
        Reply reply(replies.bytes(), Protocol::kResp2);
        done = store_->run(*find_command("SET"), request, reply, replies.bytes()) == Store::Outcome::kDone;
        if (!done || i % 2000 == 0) turn();
      }
    }
    ASSERT_TRUE(settle());
  }
};

TEST_F(Expiry, AReadLogsATombstone) {
  ASSERT_EQ(run({"SET", "a", "v", "PX", "100"}), "+OK\r\n");
  const Offset before = log_end();
  clock_.advance(Millis(100));
  EXPECT_EQ(run({"GET", "a"}), "$-1\r\n");
  EXPECT_EQ(log_end(), before + OffsetCount(1));
  EXPECT_EQ(run({"GET", "a"}), "$-1\r\n");
  EXPECT_EQ(log_end(), before + OffsetCount(1)) << "once";
  EXPECT_EQ(store_->counters().expired, 1u);
}

TEST_F(Expiry, NobodyReadsAndItIsLoggedAllTheSame) {
  ASSERT_EQ(run({"SET", "a", "v", "PX", "100"}), "+OK\r\n");
  const Offset before = log_end();
  advance(Millis(99));
  EXPECT_EQ(log_end(), before);
  advance(Millis(1));
  EXPECT_EQ(log_end(), before + OffsetCount(1));
  EXPECT_EQ(run({"DBSIZE"}), ":0\r\n");
}

TEST_F(Expiry, AColdKeyIsExpiredByWhatIsOnDisk) {
  ASSERT_EQ(run({"SET", "a", "v", "PX", "100"}), "+OK\r\n");
  evict_all();
  for (int i = 0; i < 3; ++i) {
    advance(Millis(100));
    settle();
  }
  EXPECT_EQ(run({"DBSIZE"}), ":0\r\n");
}

// What was seen to be gone stays gone: the tombstone says so, not the clock.
TEST_F(Expiry, AClockThatGoesBackBringsNothingBack) {
  ASSERT_EQ(run({"SET", "read", "v", "PX", "100"}), "+OK\r\n");
  ASSERT_EQ(run({"SET", "swept", "v", "PX", "100"}), "+OK\r\n");
  clock_.advance(Millis(150));
  EXPECT_EQ(run({"GET", "read"}), "$-1\r\n");
  advance(Millis(0));
  clock_.advance(Millis(-1'000'000));
  EXPECT_EQ(run({"MGET", "read", "swept"}), "*2\r\n$-1\r\n$-1\r\n");
  lose_power();
  EXPECT_EQ(run({"MGET", "read", "swept"}), "*2\r\n$-1\r\n$-1\r\n");
  ASSERT_EQ(run({"SET", "later", "v", "PX", "100"}), "+OK\r\n");
  EXPECT_EQ(run({"PTTL", "later"}), ":100\r\n") << "a TTL counts from the time of its command";
}

TEST_F(Expiry, AnOlderVersionWithoutTtlDoesNotComeBack) {
  ASSERT_EQ(run({"SET", "a", "forever"}), "+OK\r\n");
  ASSERT_EQ(run({"SET", "a", "soon", "PX", "100"}), "+OK\r\n");
  lose_power();
  clock_.advance(Millis(200));
  EXPECT_EQ(run({"GET", "a"}), "$-1\r\n");
  lose_power();
  EXPECT_EQ(run({"GET", "a"}), "$-1\r\n");
}

TEST_F(Expiry, AMillionAtOnceTakeLittleMemoryAndStallNobody) {
  constexpr int kKeys = 1'000'000;
  const UnixMillis at = clock_.now() + Millis(1'000'000);
  set_many(kKeys, at);
  const ExpiryIndex& expiries = store_->partition(0, 0)->expiries();
  ASSERT_EQ(expiries.size(), static_cast<std::size_t>(kKeys));
  EXPECT_LE(static_cast<double>(expiries.memory_bytes()) / kKeys, 16.0);
  clock_.advance(Millis(1'000'000));
  std::int64_t longest = 0;
  int ticks = 0;
  for (; expiries.size() != 0 && ticks < 5000; ++ticks) {
    const std::int64_t begin = cpu_micros();
    store_->expire();
    EXPECT_TRUE(store_->expiry_behind() || expiries.size() < 1000);
    store_->end_turn();
    longest = std::max(longest, cpu_micros() - begin);
    disk_->poll();
    store_->poll();
  }
  std::printf("%d ticks, the longest %.2f ms\n", ticks, static_cast<double>(longest) / 1000);
  EXPECT_EQ(expiries.size(), 0u);
  EXPECT_EQ(run({"DBSIZE"}), ":1\r\n");
  EXPECT_LT(longest, 10'000);
}

}  // namespace
}  // namespace minod
