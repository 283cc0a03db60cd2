// A node that is killed under load loses nothing that it acknowledged, whatever the sync policy: a killed process takes
// nothing with it that the kernel has. (What a power failure takes is tests/sim's matter.)
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/fault/load.h"
#include "tests/fault/node.h"

namespace minod::live {
namespace {

using std::chrono::milliseconds;

constexpr int kWriters = 6;

std::uint64_t seed() {
  const char* given = std::getenv("MINOD_KILL_SEED");
  return given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
}

int rounds() {
  const char* given = std::getenv("MINOD_KILL_ROUNDS");
  return given == nullptr ? 8 : std::atoi(given);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size() && i < 10; ++i) text += "\n  " + lines[i];
  return text + (lines.size() > 10 ? "\n  and " + std::to_string(lines.size() - 10) + " more" : "");
}

struct Setting {
  const char* name;
  Options options;
};

class KillTest : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    std::printf("MINOD_KILL_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    Options options = GetParam().options;
    options.insert(options.end(), {"--segment-bytes", "1mb"});
    server_ = std::make_unique<ServerProcess>(minod_command(directory_ / "data", options), directory_ / "log");
    load_ = std::make_unique<Load>(kWriters, seed_);
  }

  void start() { ASSERT_TRUE(server_->start()) << server_->log_tail(); }

  void run_load_for(milliseconds time) {
    load_->start(server_->port());
    std::this_thread::sleep_for(time);
  }

  void expect_all_there() {
    const auto complaints = load_->complaints();
    EXPECT_TRUE(complaints.empty()) << joined(complaints);
    const auto wrong = load_->check(server_->port());
    EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\n" << server_->log_tail();
  }

  std::uint64_t seed_ = seed();
  Random random_{seed_};
  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<Load> load_;
};

TEST_P(KillTest, AcknowledgedWritesSurviveKill) {
  start();
  for (int round = 0; round < rounds() && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    run_load_for(milliseconds(20 + random_.below(600)));
    server_->kill_now();
    load_->stop();
    start();
    expect_all_there();
  }
  EXPECT_GT(load_->acknowledged_count(), 100U);
  std::printf("%llu writes acknowledged, %d kills\n", static_cast<unsigned long long>(load_->acknowledged_count()),
              rounds());
}

// Killed again while it reads its log, before it serves anyone.
TEST_P(KillTest, KillDuringRestart) {
  start();
  run_load_for(milliseconds(700));
  server_->kill_now();
  load_->stop();
  for (int round = 0; round < 5; ++round) {
    const bool was_ready = server_->start(milliseconds(random_.below(30)));
    std::printf("killed %s it was ready\n", was_ready ? "when" : "before");
    server_->kill_now();
  }
  start();
  expect_all_there();
}

TEST_P(KillTest, TerminateUnderLoadExitsCleanly) {
  start();
  for (int round = 0; round < 3 && !HasFailure(); ++round) {
    run_load_for(milliseconds(300));
    const auto status = server_->terminate();
    load_->stop();
    ASSERT_TRUE(status.has_value()) << "it did not end\n" << server_->log_tail();
    EXPECT_EQ(*status, 0) << server_->log_tail();
    start();
    expect_all_there();
  }
}

// The canary: a write that is undone behind the ledgers' back must be seen, or the tests above prove nothing.
TEST_P(KillTest, ALostWriteIsSeen) {
  start();
  run_load_for(milliseconds(1000));  // every kind of write has been acknowledged by then
  load_->stop();
  expect_all_there();
  auto wire = Wire::connect(server_->port());
  ASSERT_TRUE(wire.has_value());
  const auto wrong_after = [&](const Arguments& command) {
    EXPECT_TRUE(wire->call(command).has_value());
    return load_->check(server_->port()).size();
  };
  EXPECT_EQ(wrong_after({"SET", "w0:{group0}:3", "half an MSET"}), 1U);
  EXPECT_EQ(wrong_after({"SET", "w1:count1", "-7"}), 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, KillTest,
    testing::Values(Setting{"AlwaysPlain", {"--appendfsync", "always"}},
                    Setting{"AlwaysZstd",
                            {"--appendfsync", "always", "--compression-type", "zstd", "--partitions", "4"}},
                    Setting{"EverysecPlain", {"--appendfsync", "everysec", "--shards", "2", "--partitions", "2"}},
                    Setting{"EverysecZstd", {"--appendfsync", "everysec", "--compression-type", "zstd"}},
                    Setting{"No", {"--appendfsync", "no"}}),
    [](const auto& setting) { return setting.param.name; });

}  // namespace
}  // namespace minod::live
