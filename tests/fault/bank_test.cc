// Transfers between accounts in eight partitions, by many clients, of one shard or of several: whoever looks, at any
// time, sees all the money; and so it is after kill -9, with every transfer that was acknowledged.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/fault/node.h"

namespace minod::live {
namespace {

using std::chrono::milliseconds;

constexpr int kAccounts = 24;
constexpr int kTellers = 4;
constexpr int kAuditors = 2;
constexpr long kStartBalance = 1000;

std::string account(std::uint64_t i) { return "account:" + std::to_string(i); }

// The integers of a reply of bulk strings.
std::vector<long> numbers_of(const std::string& reply) {
  std::vector<long> numbers;
  std::size_t at = reply.find('\n');
  while (at != std::string::npos && at + 1 < reply.size()) {
    const std::size_t line = reply.find('\n', at + 1);  // "$n\r\n"
    if (line == std::string::npos) break;
    numbers.push_back(std::strtol(reply.c_str() + line + 1, nullptr, 10));
    at = reply.find('\n', line + 1);
  }
  return numbers;
}

struct Setting {
  const char* name;
  Options options;
};

class BankTest : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    Options options = GetParam().options;
    options.insert(options.end(), {"--segment-bytes", "1mb"});
    server_ = std::make_unique<ServerProcess>(minod_command(directory_ / "data", options), directory_ / "log");
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    auto wire = Wire::connect(server_->port());
    ASSERT_TRUE(wire.has_value());
    Arguments open{"MSET"};
    for (int i = 0; i < kAccounts; ++i) {
      open.push_back(account(static_cast<std::uint64_t>(i)));
      open.push_back(std::to_string(kStartBalance));
    }
    ASSERT_EQ(wire->call(open), std::string(kOk));
  }

  void complain(const std::string& what) {
    const std::lock_guard guard(lock_);
    complaints_.push_back(what);
  }

  // Moves money about until the connection breaks. Every transfer says its number in keys of two partitions.
  void teller(int number) {
    auto wire = Wire::connect(server_->port());
    Random random(static_cast<std::uint64_t>(number) + 100 * static_cast<std::uint64_t>(round_));
    const std::string name = std::to_string(number);
    auto& done = acknowledged_[static_cast<std::size_t>(number)];
    while (wire && !stop_) {
      const std::string from = account(random.below(kAccounts));
      const std::string to = account(random.below(kAccounts));
      const std::string amount = std::to_string(random.below(50));
      const std::string next = std::to_string(done + 1);
      wire->queue(Arguments{"MULTI"});
      wire->queue(Arguments{"DECRBY", from, amount});
      wire->queue(Arguments{"INCRBY", to, amount});
      wire->queue(Arguments{"MSET", "left:" + name, next, "right:" + name, next});
      wire->queue(Arguments{"EXEC"});
      if (!wire->flush()) return;
      for (int i = 0; i < 4; ++i) {
        if (!wire->receive()) return;
      }
      const auto reply = wire->receive();
      if (!reply) return;
      if (!reply->starts_with("*3\r\n:")) return complain("EXEC said " + *reply);
      ++done;
    }
  }

  // Looks at all accounts at once, in one of three ways.
  void auditor(int number) {
    auto wire = Wire::connect(server_->port());
    Arguments all{"MGET"};
    for (int i = 0; i < kAccounts; ++i) all.push_back(account(static_cast<std::uint64_t>(i)));
    for (int i = 0; wire && !stop_; ++i) {
      const auto reply = wire->call(all);
      if (!reply) return;
      long sum = 0;
      for (const long balance : numbers_of(*reply)) sum += balance;
      if (sum != kAccounts * kStartBalance) complain("an MGET saw " + std::to_string(sum) + " in " + *reply);
      const std::string name = std::to_string((number + i) % kTellers);
      const auto pair = wire->call({"MGET", "left:" + name, "right:" + name});
      if (!pair) return;
      const auto sides = numbers_of(*pair);
      if (sides.size() == 2 && sides[0] != sides[1]) complain("half an MSET: " + *pair);
      ++audits_;
    }
  }

  void begin() {
    stop_ = false;
    for (int i = 0; i < kTellers; ++i) threads_.emplace_back([this, i] { teller(i); });
    for (int i = 0; i < kAuditors; ++i) threads_.emplace_back([this, i] { auditor(i); });
  }
  void end() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void expect_whole() {
    auto wire = Wire::connect(server_->port());
    ASSERT_TRUE(wire.has_value());
    Arguments all{"MGET"};
    for (int i = 0; i < kAccounts; ++i) all.push_back(account(static_cast<std::uint64_t>(i)));
    const auto reply = wire->call(all);
    ASSERT_TRUE(reply.has_value());
    long sum = 0;
    for (const long balance : numbers_of(*reply)) sum += balance;
    EXPECT_EQ(sum, kAccounts * kStartBalance) << *reply;
    for (int i = 0; i < kTellers; ++i) {
      auto& done = acknowledged_[static_cast<std::size_t>(i)];
      const std::string name = std::to_string(i);
      const auto pair = wire->call({"MGET", "left:" + name, "right:" + name});
      ASSERT_TRUE(pair.has_value());
      const auto sides = numbers_of(*pair);
      if (done == 0 && pair->find("$-1") != std::string::npos) continue;
      ASSERT_EQ(sides.size(), 2U) << *pair;
      EXPECT_EQ(sides[0], sides[1]);
      EXPECT_GE(sides[0], done) << "an acknowledged transfer is gone";
      EXPECT_LE(sides[0], done + 1);
      done = sides[0];
    }
    EXPECT_TRUE(complaints_.empty()) << complaints_.front();
  }

  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stop_{false};
  std::atomic<long> audits_{0};
  std::vector<long> acknowledged_ = std::vector<long>(kTellers);
  std::mutex lock_;
  std::vector<std::string> complaints_;
  int round_ = 0;
};

TEST_P(BankTest, AllTheMoneyIsThereAtAnyTimeAndAfterKill) {
  Random random(7);
  for (round_ = 0; round_ < 6 && !HasFailure(); ++round_) {
    begin();
    std::this_thread::sleep_for(milliseconds(100 + random.below(400)));
    server_->kill_now();
    end();
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    expect_whole();
  }
  long transfers = 0;
  for (const long done : acknowledged_) transfers += done;
  std::printf("%ld transfers, %ld audits\n", transfers, audits_.load());
  EXPECT_GT(transfers, 10);
  EXPECT_GT(audits_, 10);
}

// The number of shards may be another at each start.
TEST_P(BankTest, ShardsMayChangeBetweenStarts) {
  for (const char* shards : {"1", "3", "2", "5", "1"}) {
    begin();
    std::this_thread::sleep_for(milliseconds(150));
    stop_ = true;
    end();
    EXPECT_EQ(server_->terminate(), 0) << server_->log_tail();
    auto& command = server_->command();
    command.insert(command.end(), {"--shards", shards});
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    expect_whole();
  }
}

TEST_P(BankTest, ACleanStopUnderTransfersEndsWell) {
  for (int i = 0; i < 3 && !HasFailure(); ++i) {
    begin();
    std::this_thread::sleep_for(milliseconds(200));
    const auto status = server_->terminate();
    end();
    EXPECT_EQ(status, 0) << server_->log_tail();
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    complaints_.clear();  // of those that were told that it stops
    expect_whole();
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, BankTest,
                         testing::Values(Setting{"OneShard", {"--partitions", "8"}},
                                         Setting{"ThreeShards", {"--partitions", "8", "--shards", "3"}},
                                         Setting{"TwoShardsEverysec",
                                                 {"--partitions", "8", "--shards", "2", "--appendfsync", "everysec"}}),
                         [](const auto& setting) { return setting.param.name; });

}  // namespace
}  // namespace minod::live
