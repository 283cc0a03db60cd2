// JointOrder: what passes, and that it passes once, whoever arrives last and on whatever thread.
#include "log/joint_order.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "log/together.h"

namespace minod {
namespace {

using Level = JointOrder::Level;

class JointOrderTest : public ::testing::Test {
 protected:
  JointOrder& order() { return *order_; }
  std::uint64_t passed(Level level = Level::kDurable) const { return order_->passed(level); }

 private:
  std::unique_ptr<JointOrder> order_ = std::make_unique<JointOrder>();
};

TEST_F(JointOrderTest, PassesWhenAllOfItsLogsHaveArrived) {
  const std::uint64_t joint = order().begin(2);
  EXPECT_FALSE(order().arrived(Level::kDurable, joint));
  EXPECT_EQ(passed(), 0u);
  EXPECT_TRUE(order().arrived(Level::kDurable, joint));
  EXPECT_EQ(passed(), joint);
  EXPECT_EQ(passed(Level::kWritten), 0u) << "levels have nothing to do with each other";
}

TEST_F(JointOrderTest, ALaterOneWaitsForTheEarlier) {
  const std::uint64_t first = order().begin(1);
  const std::uint64_t second = order().begin(1);
  EXPECT_FALSE(order().arrived(Level::kWritten, second));
  EXPECT_EQ(passed(Level::kWritten), 0u);
  EXPECT_TRUE(order().arrived(Level::kWritten, first));
  EXPECT_EQ(passed(Level::kWritten), second);
}

TEST_F(JointOrderTest, SaysWhenThereIsNoRoomForMore) {
  std::vector<std::uint64_t> begun;
  while (order().has_room()) begun.push_back(order().begin(1));
  EXPECT_GT(begun.size(), JointOrder::kInFlightMax / 2);
  EXPECT_TRUE(order().crowded());
  for (const std::uint64_t joint : begun) order().arrived(Level::kDurable, joint);
  EXPECT_TRUE(order().has_room());
  EXPECT_FALSE(order().crowded());
}

// Two threads, each a log of every transaction: at the end nothing is left behind, and on_passed has told of the last.
TEST_F(JointOrderTest, NothingIsLeftBehindBetweenThreads) {
  std::atomic<std::uint64_t> told{0};
  order().on_passed = [&] {
    const std::uint64_t now = order().passed(Level::kDurable);
    std::uint64_t before = told.load();
    while (before < now && !told.compare_exchange_weak(before, now)) {
    }
  };
  constexpr std::uint64_t kRounds = 200;
  constexpr std::uint64_t kJoints = 1000;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    std::vector<std::uint64_t> joints;
    for (std::uint64_t i = 0; i < kJoints; ++i) joints.push_back(order().begin(2));
    const auto arrive = [&] {
      for (const std::uint64_t joint : joints) order().arrived(Level::kDurable, joint);
    };
    std::thread other(arrive);
    arrive();
    other.join();
    ASSERT_EQ(passed(), joints.back());
    ASSERT_EQ(told.load(), joints.back());
  }
}

TEST(Together, DecodesWhatItEncodes) {
  const std::vector<LogReach> logs = {{0, 0, Offset(1)}, {15, 16383, Offset(std::int64_t{1} << 60)}};
  const std::string value = encode_together(logs);
  EXPECT_EQ(value.size(), 2 * kLogReachSize);
  EXPECT_EQ(decode_together(value), logs);
}

}  // namespace
}  // namespace minod
