// BGSAVE on the real program: a copy made under load starts, and has what was there at its moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/fault/load.h"
#include "tests/fault/node.h"

namespace minod::live {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    start({"--segment-bytes", "1mb", "--shards", "2", "--partitions", "4"});
  }
  void start(const Options& options) {
    server_ = std::make_unique<ServerProcess>(minod_command(directory_ / "data", options), directory_ / "log");
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    wire_ = Wire::connect(server_->port());
    ASSERT_TRUE(wire_.has_value());
  }
  std::string stat(const std::string& name) {
    const std::string text = wire_->call({"INFO", "persistence"}).value_or("");
    const std::size_t at = text.find("\n" + name + ":");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size() + 2;
    return text.substr(begin, text.find('\r', begin) - begin);
  }
  bool wait_for_end() {
    for (int i = 0; i < 600 && stat("rdb_bgsave_in_progress") == "1"; ++i)
      std::this_thread::sleep_for(milliseconds(50));
    return stat("rdb_bgsave_in_progress") == "0";
  }
  std::vector<std::string> backups() {
    std::vector<std::string> names;
    if (!fs::exists(directory_ / "data/backup")) return names;
    for (const auto& entry : fs::directory_iterator(directory_ / "data/backup")) names.push_back(entry.path().string());
    std::ranges::sort(names);
    return names;
  }

  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::optional<Wire> wire_;
};

TEST_F(BackupTest, ACopyMadeUnderLoadStartsAndIsOfItsMoment) {
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(wire_->call({"SET", "key" + std::to_string(i), "old" + std::string(2000, 'x')}), kOk);
  }
  EXPECT_EQ(stat("rdb_saves"), "0");
  ASSERT_EQ(wire_->call({"BGSAVE"}), "+Background saving started\r\n");
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(wire_->call({"SET", "key" + std::to_string(i), "new" + std::string(2000, 'y')}), kOk);
  }
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(stat("rdb_last_bgsave_status"), "ok") << server_->log_tail();
  EXPECT_EQ(stat("rdb_saves"), "1");
  ASSERT_EQ(backups().size(), 1u);

  // In place, beside the running node: its files are shared with it, and are not changed.
  ServerProcess copy(minod_command(backups()[0], {}), directory_ / "copy.log");
  ASSERT_TRUE(copy.start()) << copy.log_tail();
  auto wire = Wire::connect(copy.port());
  ASSERT_TRUE(wire.has_value());
  EXPECT_EQ(wire->call({"DBSIZE"}), ":3000\r\n");
  int old = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string value = wire->call({"GET", "key" + std::to_string(i)}).value_or("");
    ASSERT_TRUE(value.substr(7, 3) == "old" || value.substr(7, 3) == "new") << shown(value);
    old += value.substr(7, 3) == "old" ? 1 : 0;
  }
  EXPECT_GT(old, 0);
  EXPECT_EQ(wire->call({"FLUSHALL"}), kOk);
  EXPECT_EQ(copy.terminate(), 0);
  server_->kill_now();
  ASSERT_TRUE(server_->start()) << server_->log_tail();
  wire_ = Wire::connect(server_->port());
  EXPECT_EQ(wire_->call({"DBSIZE"}), ":3000\r\n");
  EXPECT_EQ(wire_->call({"GET", "key9"}), bulk("new" + std::string(2000, 'y')));
}

TEST_F(BackupTest, OneAtATimeAndLastsaveMoves) {
  ASSERT_EQ(wire_->call({"SET", "a", "b"}), kOk);
  const std::string before = wire_->call({"LASTSAVE"}).value_or("");
  std::this_thread::sleep_for(milliseconds(1100));
  wire_->queue({"BGSAVE"});
  wire_->queue({"BGSAVE"});
  wire_->queue({"SAVE"});
  ASSERT_TRUE(wire_->flush());
  EXPECT_EQ(wire_->receive(), "+Background saving started\r\n");
  EXPECT_EQ(wire_->receive(), "-ERR Background save already in progress\r\n");
  wire_->receive();
  ASSERT_TRUE(wait_for_end());
  EXPECT_EQ(wire_->call({"SAVE"}), kOk);
  EXPECT_NE(wire_->call({"LASTSAVE"}), before);
  EXPECT_EQ(wire_->call({"BGSAVE", "NOW"}), "-ERR syntax error\r\n");
  EXPECT_GE(backups().size(), 2u);
}

TEST_F(BackupTest, AKillLeavesNoPartialOne) {
  for (int i = 0; i < 500; ++i)
    ASSERT_EQ(wire_->call({"SET", "key" + std::to_string(i), std::string(20'000, 'x')}), kOk);
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(wire_->call({"BGSAVE"}), "+Background saving started\r\n");
    std::this_thread::sleep_for(milliseconds(round * 3));
    server_->kill_now();
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    wire_ = Wire::connect(server_->port());
    for (const std::string& name : backups()) EXPECT_EQ(name.find(".partial"), std::string::npos) << name;
  }
  for (const std::string& name : backups()) {
    ServerProcess copy(minod_command(name, {}), directory_ / "copy.log");
    ASSERT_TRUE(copy.start()) << copy.log_tail();
    EXPECT_EQ(Wire::connect(copy.port())->call({"DBSIZE"}), ":500\r\n");
  }
}

}  // namespace
}  // namespace minod::live
