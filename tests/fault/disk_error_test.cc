// A disk that fails under load: no acknowledgement after it, the node says why and ends with an error; what it had
// acknowledged is there when the disk is. Needs root, for a small file system of its own.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/fault/load.h"
#include "tests/fault/node.h"
#include "tests/fault/small_disk.h"

namespace minod::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DiskErrorTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    const std::string reason = disk_.mount("160M");
    if (!reason.empty()) GTEST_SKIP() << reason;
    server_ = std::make_unique<ServerProcess>(
        minod_command(disk_.path() + "/data", {"--segment-bytes", "4mb", "--maxmemory", "64mb"}), directory_ / "log");
  }
  void TearDown() override { server_.reset(); }

  bool ends_by_itself() {
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (server_->running()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return true;
  }
  // Loads the node, breaks the disk, and looks at both afterwards.
  void expect_stop_and_recovery(bool (SmallDisk::*fail)(), const std::string& error) {
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    Load load(6, 1);
    load.start(server_->port());
    std::this_thread::sleep_for(milliseconds(500));
    ASSERT_TRUE((disk_.*fail)());
    ASSERT_TRUE(ends_by_itself()) << server_->log_tail();
    load.stop();
    EXPECT_NE(server_->exit_status(), 0);
    EXPECT_NE(server_->log().find("writing to the log has failed"), std::string::npos) << server_->log_tail();
    EXPECT_NE(server_->log().find(error), std::string::npos) << server_->log_tail();
    for (const std::string& complaint : load.complaints()) {
      EXPECT_NE(complaint.find("IOERR"), std::string::npos) << complaint;
    }
    EXPECT_GT(load.acknowledged_count(), 100u);
    ASSERT_TRUE(disk_.unmount());
    ASSERT_TRUE(disk_.mount_again());
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    const auto wrong = load.check(server_->port());
    EXPECT_TRUE(wrong.empty()) << wrong.front() << "\n" << server_->log_tail();
    server_.reset();
  }

  TempDirectory directory_;
  SmallDisk disk_{directory_ / "."};
  std::unique_ptr<ServerProcess> server_;
};

TEST_F(DiskErrorTest, IoErrorUnderLoad) { expect_stop_and_recovery(&SmallDisk::shut_down, "Input/output error"); }

TEST_F(DiskErrorTest, ReadOnlyUnderLoad) { expect_stop_and_recovery(&SmallDisk::abort, "Read-only file system"); }

TEST_F(DiskErrorTest, ReadOnlyAtTheStart) {
  ASSERT_TRUE(server_->start()) << server_->log_tail();
  ASSERT_EQ(server_->terminate(), 0);
  ASSERT_TRUE(disk_.unmount());
  ASSERT_TRUE(disk_.mount_again("ro"));
  EXPECT_FALSE(server_->start());
  EXPECT_NE(server_->log().find("Read-only file system"), std::string::npos) << server_->log_tail();
  EXPECT_NE(server_->log().find(disk_.path() + "/data"), std::string::npos) << server_->log_tail();
  server_.reset();
}

}  // namespace
}  // namespace minod::live
