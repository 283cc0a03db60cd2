// The store when space for its log is short, or has to be made.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class StoreSpace : public StoreFixture {};

// A value that the prepared next segment can't take has it made larger; meanwhile small writes go on and roll.
TEST_F(StoreSpace, TheNextSegmentGrowsWhileOthersWrite) {
  options_.segment_bytes = std::int64_t{1} << 20;
  use_disk({.seed = 1, .delay_max = 6});
  const std::string small(90'000, 's');
  const std::string large(3'000'000, 'l');
  for (int round = 0; round < 6; ++round) {
    const std::string name = std::to_string(round);
    for (int i = 0; i < 9; ++i) ASSERT_EQ(run({"SET", "small" + name + std::to_string(i), small}), "+OK\r\n");
    const std::vector<std::string_view> args{"SET", "large", large};
    Request waiting;
    ByteQueue out;
    Reply reply(out, Protocol::kResp2);
    waiting.args = args;
    waiting.resume = [] {};
    EXPECT_EQ(store_->run(*find_command("SET"), waiting, reply, out), Store::Outcome::kParked);
    for (int i = 0; i < 9; ++i) ASSERT_EQ(run({"SET", "other" + name + std::to_string(i), small}), "+OK\r\n");
    ASSERT_EQ(run({"SET", "large", large}), "+OK\r\n");
  }
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), ":109\r\n");
  EXPECT_EQ(run({"STRLEN", "large"}), ":3000000\r\n");
  EXPECT_EQ(run({"STRLEN", "other58"}), ":90000\r\n");
}

TEST_F(StoreSpace, FullDiskRefusesWritesAndResumes) {
  options_.segment_bytes = std::int64_t{1} << 20;
  SimDiskOptions disk;
  disk.capacity = std::uint64_t{3} << 20;
  use_disk(disk);
  const std::string value(50'000, 'x');
  int written = 0;
  std::string reply;
  while (written < 1000 && (reply = run({"SET", "key" + std::to_string(written), value})) == "+OK\r\n") ++written;
  EXPECT_EQ(reply.substr(0, 26), "-NOSPACE the disk is full:");
  EXPECT_GT(written, 20);
  EXPECT_EQ(run({"GET", "key0"}).size(), value.size() + 10);
  EXPECT_EQ(run({"DEL", "key0"}), ":1\r\n");
  disk_->set_capacity(std::uint64_t{100} << 20);
  clock_.advance(Millis(2000));
  EXPECT_EQ(run({"SET", "again", value}), "+OK\r\n");
  lose_power();
  EXPECT_EQ(run({"GET", "key0"}), "$-1\r\n");
  EXPECT_EQ(run({"GET", "again"}).size(), value.size() + 10);
  EXPECT_EQ(run({"DBSIZE"}), ":" + std::to_string(written) + "\r\n");
}

}  // namespace
}  // namespace minod
