// The limit that docs/DURABILITY.md states under "Not promised": a process that is started after a sync has failed, and
// without a reboot between, reads what the kernel has dropped, and cannot know it. With a kernel that drops nothing
// there is no such limit, so it is this and nothing else.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "tests/sim/seeds.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class FailedSync : public StoreFixture {
 protected:
  static std::string key(int i) { return "key" + std::to_string(i); }
  static std::string value(int i) { return std::to_string(i) + std::string(2000, 'v'); }
  void set_keys(int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_EQ(run({"SET", key(i), value(i)}), "+OK\r\n");
  }
  void expect_keys(int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string reply = run({"GET", key(i)});
      ASSERT_EQ(reply.substr(std::min(reply.size(), reply.find('\n') + 1)), value(i) + "\r\n") << key(i);
    }
  }

  // Under everysec: a sync that fails, a new process, ten more keys that a sync has covered, a power loss. Whether a
  // start refuses then; if not, everything is there.
  bool refused_after(std::uint64_t seed, bool drops) {
    options_ = StoreOptions();
    options_.segment_bytes = std::int64_t{1} << 20;
    options_.sync = SyncPolicy::kEverySec;
    use_disk({.seed = seed, .failed_sync_drops = drops});
    set_keys(0, 10);
    store_->sync_logs();
    settle();
    set_keys(10, 20);
    settle();
    disk_->fail(SimOperation::kSync, 1, EIO);
    store_->sync_logs();
    for (int i = 0; i < 50 && failures_.empty(); ++i) turn();
    EXPECT_EQ(failures_.size(), 1u);
    disk_->kill();
    failures_.clear();
    store_->abandon();
    store_.reset();
    start();
    expect_keys(0, 20);
    set_keys(20, 30);
    store_->sync_logs();
    settle();
    crash(Survival::kNothing);
    const auto started = try_start();
    if (started) {
      expect_keys(0, 30);
      return false;
    }
    EXPECT_EQ(started.error().code, Errc::kCorrupt);
    EXPECT_NE(started.error().message().find("is damaged at position"), std::string::npos) << started.error().message();
    return true;
  }
};

TEST_F(FailedSync, WhatTheKernelDroppedIsMissedByTheStartAfterTheNextPowerLoss) {
  std::size_t refused = 0;
  for (const std::uint64_t seed : seeds(share_of(30))) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    if (refused_after(seed, true)) ++refused;
    if (HasFailure()) return;
  }
  EXPECT_GT(refused, 0u);
}

TEST_F(FailedSync, WithAKernelThatDropsNothingNothingIsMissed) {
  for (const std::uint64_t seed : seeds(share_of(30))) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_FALSE(refused_after(seed, false));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace minod
