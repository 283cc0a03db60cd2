// A full disk: writes are refused, everything else goes on, and writing resumes by itself when there is space again.
// Needs root, for a small file system of its own.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/fault/node.h"
#include "tests/fault/small_disk.h"

namespace minod::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DiskFullTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    const std::string reason = disk_.mount("160M");
    if (!reason.empty()) GTEST_SKIP() << reason;
    ASSERT_TRUE(shell("head -c 48M /dev/urandom > " + ballast()));
    server_ = std::make_unique<ServerProcess>(
        minod_command(disk_.path() + "/data", {"--segment-bytes", "4mb", "--maxmemory", "64mb"}), directory_ / "log");
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    wire_ = Wire::connect(server_->port());
    ASSERT_TRUE(wire_.has_value());
  }

  void TearDown() override { server_.reset(); }

  std::string ballast() const { return disk_.path() + "/ballast"; }

  static std::string key(int i) { return "key" + std::to_string(i); }
  static std::string value(int i) {
    std::string text = std::to_string(i) + ":";
    text.append(20'000, static_cast<char>('a' + i % 26));
    return text;
  }

  // Writes new keys until one is refused; returns the refusal.
  std::string fill() {
    constexpr int kMany = 20'000;
    for (; written_ < kMany; ++written_) {
      const auto reply = wire_->call({"SET", key(written_), value(written_)});
      if (reply != kOk) return reply.value_or("(no reply)");
    }
    return "(never refused)";
  }

  void expect_all_there() {
    for (int i = 0; i < written_; ++i) ASSERT_EQ(wire_->call({"GET", key(i)}), bulk(value(i))) << key(i);
  }

  TempDirectory directory_;
  SmallDisk disk_{directory_ / "."};
  std::unique_ptr<ServerProcess> server_;
  std::optional<Wire> wire_;
  int written_ = 0;
};

TEST_F(DiskFullTest, WritesAreRefusedAndResume) {
  const std::string refusal = fill();
  ASSERT_TRUE(refusal.starts_with("-NOSPACE ")) << shown(refusal) << "\n" << server_->log_tail();
  std::printf("refused after %d values: %s\n", written_, shown(refusal).c_str());
  EXPECT_GT(written_, 500) << "much earlier than full";
  ASSERT_TRUE(server_->running()) << server_->log_tail();
  expect_all_there();

  // Deleting, and what only reads, goes on.
  EXPECT_EQ(wire_->call({"EXISTS", key(0)}), ":1\r\n");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(wire_->call({"DEL", "extra" + std::to_string(i)}), ":0\r\n");
  for (int i = written_ - 20; i < written_; ++i)
    EXPECT_EQ(wire_->call({"DEL", key(i)}), ":1\r\n") << "a delete needs little room";
  written_ -= 20;
  const auto again = wire_->call({"MSET", "big1", std::string(900'000, 'x'), "big2", std::string(900'000, 'y')});
  EXPECT_TRUE(again && (again->starts_with("-NOSPACE ") || *again == kOk)) << shown(again.value_or(""));

  std::filesystem::remove(ballast());
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  std::optional<std::string> reply;
  do {
    reply = wire_->call({"SET", key(written_), value(written_)});
    std::this_thread::sleep_for(milliseconds(100));
  } while (reply != kOk && std::chrono::steady_clock::now() < deadline);
  ASSERT_EQ(reply, kOk) << "it does not resume: " << server_->log_tail();
  ++written_;
  expect_all_there();
}

// Nobody frees space but the node itself: what a flush ends is written again.
TEST_F(DiskFullTest, FlushAllOnAFullDiskMakesRoom) {
  ASSERT_TRUE(fill().starts_with("-NOSPACE "));
  ASSERT_EQ(wire_->call({"FLUSHALL"}), kOk) << "it needs no more than the reserve";
  written_ = 0;
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  while (written_ < 500 && std::chrono::steady_clock::now() < deadline) {
    if (wire_->call({"SET", key(written_), value(written_)}) == kOk) {
      ++written_;
    } else {
      std::this_thread::sleep_for(milliseconds(50));
    }
  }
  EXPECT_EQ(written_, 500) << server_->log_tail();
  expect_all_there();
  const auto info = wire_->call({"INFO", "persistence"});
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->find("minod_segments_recycled:0\r"), std::string::npos) << *info;
}

TEST_F(DiskFullTest, RestartOnFullDisk) {
  ASSERT_TRUE(fill().starts_with("-NOSPACE "));
  server_->kill_now();
  const bool started = server_->start();
  if (!started) {
    // No room even to begin: it must say so, and start when there is some.
    EXPECT_NE(server_->log().find("space"), std::string::npos) << server_->log_tail();
    std::filesystem::remove(ballast());
    ASSERT_TRUE(server_->start()) << server_->log_tail();
  }
  wire_ = Wire::connect(server_->port());
  expect_all_there();
  EXPECT_TRUE(started) << "it refused to start on a full disk, though reads and deletes would have room";
}

}  // namespace
}  // namespace minod::live
