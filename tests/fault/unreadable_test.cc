// A disk that does not give some of its sectors back: who reads one gets an error, nobody a wrong value, everybody else
// what he asked for; the node goes on, and serves all of it when the disk does. A restart that can't read the log does
// not start, and does not take what it can't read for a torn write.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/fault/node.h"

namespace minod::live {
namespace {

#ifdef MINOD_UNREADABLE_SECTORS

class UnreadableTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    std::vector<std::string> command{"env", "LD_PRELOAD=" MINOD_UNREADABLE_SECTORS, "MINOD_UNREADABLE=" + flag_};
    const auto node = minod_command(directory_ / "data",
                                    {"--segment-bytes", "4mb", "--maxmemory", "16mb", "--checkpoint-bytes", "0"});
    command.insert(command.end(), node.begin(), node.end());
    server_ = std::make_unique<ServerProcess>(command, directory_ / "log");
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    wire_ = Wire::connect(server_->port());
    ASSERT_TRUE(wire_);
    for (int i = 0; i < kKeys; ++i) ASSERT_EQ(wire_->call({"SET", key(i), value(i)}), kOk);
  }

  void lose() { std::ofstream(flag_) << "\n"; }
  void find_again() { std::filesystem::remove(flag_); }

  static constexpr int kKeys = 2000;  // 40 MB, of which 16 at most stay in RAM
  static std::string key(int i) { return "key" + std::to_string(i); }
  static std::string value(int i) {
    return std::to_string(i) + ":" + std::string(20'000, static_cast<char>('a' + i % 26));
  }

  TempDirectory directory_;
  std::string flag_ = directory_ / "unreadable";
  std::unique_ptr<ServerProcess> server_;
  std::optional<Wire> wire_;
};

TEST_F(UnreadableTest, AnErrorToWhoReadsItAndToNobodyElse) {
  lose();
  int errors = 0;
  int values = 0;
  for (int i = 0; i < kKeys; ++i) {
    const auto reply = wire_->call({"GET", key(i)});
    ASSERT_TRUE(reply) << server_->log_tail();
    if (reply == bulk(value(i))) {
      ++values;
    } else {
      ASSERT_TRUE(reply->starts_with("-IOERR")) << key(i) << ": " << shown(*reply);
      ++errors;
    }
  }
  EXPECT_GT(errors, 100);
  EXPECT_GT(values, 100);
  EXPECT_EQ(wire_->call({"SET", "after", "1"}), kOk);
  EXPECT_EQ(wire_->call({"GET", "after"}), bulk("1"));
  EXPECT_EQ(wire_->call({"SET", key(0), "again"}), kOk) << "what can't be read can be overwritten";
  EXPECT_EQ(wire_->call({"GET", key(0)}), bulk("again"));

  find_again();
  for (int i = 1; i < kKeys; ++i) ASSERT_EQ(wire_->call({"GET", key(i)}), bulk(value(i))) << key(i);
  EXPECT_TRUE(server_->running());
}

TEST_F(UnreadableTest, ARestartThatCannotReadRefusesAndChangesNothing) {
  server_->kill_now();
  lose();
  EXPECT_FALSE(server_->start());
  EXPECT_NE(server_->exit_status(), 0);
  EXPECT_NE(server_->log_tail().find("Input/output error"), std::string::npos) << server_->log_tail();
  EXPECT_NE(server_->log_tail().find(".log"), std::string::npos) << server_->log_tail();

  find_again();
  ASSERT_TRUE(server_->start()) << server_->log_tail();
  wire_ = Wire::connect(server_->port());
  ASSERT_TRUE(wire_);
  for (int i = 0; i < kKeys; ++i) ASSERT_EQ(wire_->call({"GET", key(i)}), bulk(value(i))) << key(i);
}

#else

TEST(UnreadableTest, AnErrorToWhoReadsItAndToNobodyElse) {
  GTEST_SKIP() << "a sanitizer's runtime has to be the first library of all";
}

#endif

}  // namespace
}  // namespace minod::live
