// What several clients see of a real node, across kills, pauses and jumps of its clock, is one order of their
// operations that agrees with real time: the whole history is linearizable.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "tests/fault/clients.h"
#include "tests/fault/node.h"

namespace minod::live {
namespace {

using std::chrono::milliseconds;

std::uint64_t seed() {
  const char* given = std::getenv("MINOD_KILL_SEED");
  return given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
}

int rounds() {
  const char* given = std::getenv("MINOD_KILL_ROUNDS");
  return given == nullptr ? 8 : std::atoi(given);
}

struct Setting {
  const char* name;
  Options options;
};

class LinearTest : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    std::printf("MINOD_KILL_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    make_server({});
  }
  // `before`: words before the program's name on its command line.
  void make_server(std::vector<std::string> before) {
    Options options = GetParam().options;
    options.insert(options.end(), {"--segment-bytes", "1mb", "--maxmemory", "24mb"});
    const auto command = minod_command(directory_ / "data", options);
    before.insert(before.end(), command.begin(), command.end());
    server_ = std::make_unique<ServerProcess>(before, directory_ / "log");
    clients_ = std::make_unique<Clients>(server_->port(), seed_, ClientsOptions{.fillers = 1, .errors = {}});
  }
  void start() { ASSERT_TRUE(server_->start()) << server_->log_tail(); }
  void kill_and_start() {
    server_->kill_now();
    clients_->server_is_gone();
    start();
  }
  void wait(std::uint64_t millis_max) { std::this_thread::sleep_for(milliseconds(20 + random_.below(millis_max))); }
  void expect_linearizable() {
    clients_->stop();
    for (const std::string& wrong : clients_->check()) ADD_FAILURE() << wrong << "\n" << server_->log_tail();
    EXPECT_GT(clients_->answered_count(), 500u);
    std::printf("%llu operations, %llu of unknown outcome\n",
                static_cast<unsigned long long>(clients_->answered_count() + clients_->unanswered_count()),
                static_cast<unsigned long long>(clients_->unanswered_count()));
  }

  std::uint64_t seed_ = seed();
  Random random_{seed_};
  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<Clients> clients_;
};

TEST_P(LinearTest, KilledAndStarted) {
  start();
  clients_->start();
  for (int round = 0; round < rounds() && !HasFatalFailure(); ++round) {
    wait(600);
    kill_and_start();
  }
  wait(200);
  expect_linearizable();
}

// Stopped for a while, going on as if nothing had been; or killed meanwhile.
TEST_P(LinearTest, Paused) {
  start();
  clients_->start();
  for (int round = 0; round < rounds() && !HasFatalFailure(); ++round) {
    wait(200);
    ASSERT_EQ(kill(server_->pid(), SIGSTOP), 0);
    wait(400);
    if (random_.below(3) == 0) {
      kill_and_start();
    } else {
      ASSERT_EQ(kill(server_->pid(), SIGCONT), 0);
    }
  }
  wait(200);
  expect_linearizable();
}

// The time of day jumps ahead and back, by milliseconds and by years; also while the node is down.
TEST_P(LinearTest, ClockJumps) {
#ifdef MINOD_SHIFTED_CLOCK
  const std::string shift_file = directory_ / "shift";
  const auto jump_to = [&](std::int64_t shift) {
    std::ofstream(shift_file, std::ios::binary).write(reinterpret_cast<const char*>(&shift), sizeof shift);
  };
  // Not truncated: it is mapped.
  const auto jump = [&](std::int64_t shift) {
    std::fstream(shift_file, std::ios::binary | std::ios::in | std::ios::out)
        .write(reinterpret_cast<const char*>(&shift), sizeof shift);
  };
  constexpr std::int64_t kMilli = 1'000'000;
  constexpr std::int64_t kHour = std::int64_t{3'600'000} * kMilli;
  constexpr std::int64_t kShifts[] = {-kHour, 20 * kHour,           -3 * kMilli, 3 * kMilli, -24 * 365 * 20 * kHour,
                                      0,      24 * 365 * 20 * kHour};
  jump_to(0);
  make_server({"env", "LD_PRELOAD=" MINOD_SHIFTED_CLOCK, "MINOD_CLOCK_SHIFT=" + shift_file});
  start();
  clients_->start();
  for (int round = 0; round < rounds() && !HasFatalFailure(); ++round) {
    wait(300);
    jump(kShifts[random_.below(std::size(kShifts))]);
    wait(300);
    if (random_.below(2) == 0) kill_and_start();
  }
  // It does see the time that it is told: a key that expires in an hour is gone an hour later.
  auto wire = Wire::connect(server_->port());
  ASSERT_TRUE(wire);
  jump(0);
  EXPECT_EQ(wire->call({"SET", "expiring", "v", "EX", "3500"}), kOk);
  EXPECT_EQ(wire->call({"GET", "expiring"}), bulk("v"));
  jump(kHour);
  EXPECT_EQ(wire->call({"GET", "expiring"}), kNull);
  expect_linearizable();
#else
  GTEST_SKIP() << "a sanitizer's runtime has to be loaded first";
#endif
}

// The canary: a value that comes back behind the clients' backs must be seen, or the tests above prove nothing.
TEST_P(LinearTest, AStaleValueIsSeen) {
  start();
  clients_->start();
  auto wire = Wire::connect(server_->port());
  ASSERT_TRUE(wire);
  std::string stale;
  for (int i = 0; i < 1000 && !stale.starts_with("$"); ++i) {
    wait(5);
    stale = wire->call({"GET", clients_->key(0)}).value_or("");
    if (stale == kNull) stale.clear();
  }
  ASSERT_TRUE(stale.starts_with("$"));
  wait(300);
  clients_->stop();
  const std::size_t begin = stale.find("\r\n") + 2;
  EXPECT_EQ(wire->call({"SET", clients_->key(0), stale.substr(begin, stale.size() - begin - 2)}), kOk);
  EXPECT_EQ(clients_->check().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, LinearTest,
    testing::Values(Setting{"Always", {"--appendfsync", "always"}},
                    Setting{"AlwaysSharded", {"--appendfsync", "always", "--shards", "2", "--partitions", "4"}},
                    Setting{"EverysecZstd", {"--appendfsync", "everysec", "--compression-type", "zstd"}},
                    Setting{"No", {"--appendfsync", "no"}}),
    [](const auto& setting) { return setting.param.name; });

}  // namespace
}  // namespace minod::live
