// Clients that misbehave. Whatever one does, another is answered within a second, and the node's memory stays bounded.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/random.h"
#include "tests/fault/node.h"

namespace minod::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// How far a server may go above what it had.
constexpr std::uint64_t at_most(std::uint64_t bytes) { return bytes * MINOD_MEMORY_FACTOR; }

// Another client, which PINGs all the time; its longest wait is what counts.
class Bystander {
 public:
  explicit Bystander(std::uint16_t port) : thread_([this, port] { watch(port); }) {}
  ~Bystander() { finish(); }

  milliseconds longest_wait() {
    finish();
    return longest_;
  }
  bool lost() const { return lost_; }

 private:
  void watch(std::uint16_t port) {
    auto wire = Wire::connect(port);
    while (!stopping_) {
      const auto begin = SteadyClock::now();
      if (!wire || wire->call({"PING"}) != "+PONG\r\n") {
        lost_ = true;
        return;
      }
      longest_ = std::max(longest_, std::chrono::duration_cast<milliseconds>(SteadyClock::now() - begin));
      std::this_thread::sleep_for(milliseconds(5));
    }
  }

  void finish() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::atomic<bool> stopping_ = false;
  std::atomic<bool> lost_ = false;
  milliseconds longest_{0};
  std::thread thread_;
};

class HostileTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    server_ = std::make_unique<ServerProcess>(
        minod_command(directory_ / "data",
                      {"--maxmemory", "256mb", "--appendfsync", "everysec", "--maxclients", "20000"}),
        directory_ / "log");
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    bystander_ = std::make_unique<Bystander>(server_->port());
  }

  void TearDown() override {
    if (!server_) return;
    EXPECT_LT(bystander_->longest_wait(), seconds(1) * MINOD_WAIT_FACTOR) << "another client was held up";
    EXPECT_FALSE(bystander_->lost());
    EXPECT_TRUE(server_->running()) << server_->log_tail();
  }

  Wire connect(milliseconds timeout = seconds(20)) {
    auto wire = Wire::connect(server_->port(), timeout);
    if (!wire) std::abort();
    return std::move(*wire);
  }

  void expect_alive() {
    auto wire = connect();
    EXPECT_EQ(wire.call({"PING"}), "+PONG\r\n");
  }

  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<Bystander> bystander_;
};

TEST_F(HostileTest, MalformedRequests) {
  const std::vector<std::string> all = {
      "*\r\n",
      "*abc\r\n",
      "*1\r\n+PING\r\n",
      "*1\r\n$\r\n",
      "*1\r\n$-5\r\nPING\r\n",
      "*1\r\n$abc\r\n",
      "*9223372036854775807\r\n",
      "*9223372036854775808\r\n",
      "*18446744073709551616\r\n",
      "*1048577\r\n",
      "*1\r\n$9223372036854775807\r\n",
      "*1\r\n$9223372036854775808\r\n",
      "*1\r\n$99999999999999999999999\r\n",
      "*2\r\n$3\r\nGET\r\n$536870913\r\n",
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n:5\r\n",
      "SET \"unbalanced\r\n",
      std::string(70'000, 'x'),
      "*2\r\n$3\r\nGET\r\n" + std::string(70'000, '$'),
  };
  for (const std::string& bytes : all) {
    SCOPED_TRACE(shown(bytes, 60));
    Wire wire = connect(seconds(5));
    wire.send(bytes);
    const auto reply = wire.receive();
    ASSERT_TRUE(reply.has_value()) << "no reply, or closed without one";
    EXPECT_TRUE(reply->starts_with("-ERR Protocol error")) << shown(*reply);
    EXPECT_FALSE(wire.receive().has_value()) << "the connection stays open";
  }
  // Nothing at all, which Redis takes too.
  for (const std::string bytes : {"*0\r\n", "*-1\r\n", "\r\n", "   \r\n"}) {
    SCOPED_TRACE(shown(bytes));
    Wire wire = connect();
    wire.send(bytes);
    EXPECT_EQ(wire.call({"PING"}), "+PONG\r\n");
  }
}

TEST_F(HostileTest, RandomBytes) {
  Random random(20261121);
  for (int round = 0; round < 300; ++round) {
    Wire wire = connect();
    std::string bytes = random.one_in(2) ? "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n" : "";
    for (std::uint64_t size = random.below(300); size > 0; --size) {
      bytes += random.one_in(3) ? "\r\n*$:-0123456789"[random.below(16)] : static_cast<char>(random.below(256));
    }
    wire.send(bytes);
  }
  expect_alive();
}

TEST_F(HostileTest, HalfCommandsHeldOpen) {
  const std::uint64_t before = server_->rss_bytes();
  std::vector<Wire> wires;
  for (int i = 0; i < 200; ++i) {
    wires.push_back(connect());
    wires.back().send("*3\r\n$3\r\nSET\r\n$5\r\nhalf" + std::to_string(i % 10) + "\r\n$60000000\r\nonly this");
  }
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(server_->rss_bytes(), before + at_most(64 * kMiB)) << "room for what was only announced";
  expect_alive();
  wires.clear();
  Wire wire = connect();
  EXPECT_EQ(wire.call({"EXISTS", "half0"}), ":0\r\n");
}

// A byte at a time is still a command.
TEST_F(HostileTest, SlowBytes) {
  Wire wire = connect();
  for (const char c : std::string("*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n")) {
    wire.send(std::string_view(&c, 1));
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_EQ(wire.receive(), bulk("hello"));
}

TEST_F(HostileTest, RepliesThatNobodyReads) {
  Wire setup = connect();
  ASSERT_EQ(setup.call({"SET", "big", std::string(kMiB, 'b')}), kOk);
  std::this_thread::sleep_for(milliseconds(200));
  const std::uint64_t before = server_->rss_bytes();
  std::vector<Wire> wires;
  for (int i = 0; i < 20; ++i) {
    wires.push_back(connect(milliseconds(200)));
    for (int j = 0; j < 500; ++j) wires.back().queue(Arguments{"GET", "big"});
    wires.back().flush();  // 10 GiB are asked for
  }
  std::uint64_t highest = 0;
  for (int i = 0; i < 20; ++i) {
    highest = std::max(highest, server_->rss_bytes());
    std::this_thread::sleep_for(milliseconds(100));
  }
  std::printf("before %llu MiB, at most %llu MiB\n", static_cast<unsigned long long>(before / kMiB),
              static_cast<unsigned long long>(highest / kMiB));
  EXPECT_LT(highest, before + at_most(300 * kMiB));
  expect_alive();
}

// The same client reads after all, and gets everything.
TEST_F(HostileTest, RepliesThatAreReadLate) {
  Wire wire = connect();
  const std::string value(300'000, 'l');
  ASSERT_EQ(wire.call({"SET", "late", value}), kOk);
  for (int i = 0; i < 100; ++i) wire.queue(Arguments{"GET", "late"});
  ASSERT_TRUE(wire.flush());
  std::this_thread::sleep_for(milliseconds(500));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(wire.receive(), bulk(value)) << i;
}

TEST_F(HostileTest, HugePipeline) {
  constexpr int kCommands = 300'000;
  Wire wire = connect();
  std::thread writer([&wire] {
    std::string chunk;
    for (int i = 0; i < kCommands; ++i) {
      chunk += "*2\r\n$4\r\nINCR\r\n$5\r\npiped\r\n";
      if (chunk.size() < kMiB && i != kCommands - 1) continue;
      wire.send(chunk);
      chunk.clear();
    }
  });
  int right = 0;
  for (int i = 1; i <= kCommands; ++i) {
    const auto reply = wire.receive();
    if (!reply) break;
    right += *reply == ":" + std::to_string(i) + "\r\n";
  }
  writer.join();
  EXPECT_EQ(right, kCommands);
}

TEST_F(HostileTest, TenThousandConnections) {
  constexpr std::size_t kConnections = 10'000;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < kConnections + 200) GTEST_SKIP() << "at most " << limit.rlim_max << " open files";
  // Started again, so that it has the raised limit.
  bystander_.reset();
  server_->kill_now();
  ASSERT_TRUE(server_->start()) << server_->log_tail();
  const std::uint64_t before = server_->rss_bytes();
  bystander_ = std::make_unique<Bystander>(server_->port());

  std::vector<Wire> wires;
  for (std::size_t i = 0; i < kConnections; ++i) {
    auto wire = Wire::connect(server_->port());
    ASSERT_TRUE(wire.has_value()) << "connection " << i;
    wires.push_back(std::move(*wire));
  }
  for (Wire& wire : wires) {
    wire.queue(Arguments{"INCR", "visits"});
    ASSERT_TRUE(wire.flush());
  }
  std::size_t answered = 0;
  for (Wire& wire : wires) answered += wire.receive().has_value();
  EXPECT_EQ(answered, kConnections);
  EXPECT_EQ(wires[0].call({"GET", "visits"}), bulk(std::to_string(kConnections)));
  const std::uint64_t each = (server_->rss_bytes() - before) / kConnections;
  std::printf("%llu bytes a connection\n", static_cast<unsigned long long>(each));
  EXPECT_LT(each, at_most(32 * 1024));
}

TEST_F(HostileTest, MoreClientsThanAllowed) {
  bystander_.reset();
  server_->kill_now();
  ServerProcess few(minod_command(directory_ / "few", {"--maxclients", "5"}), directory_ / "log");
  ASSERT_TRUE(few.start());
  std::vector<Wire> wires;
  for (int i = 0; i < 5; ++i) {
    wires.push_back(std::move(*Wire::connect(few.port())));
    ASSERT_EQ(wires.back().call({"PING"}), "+PONG\r\n");
  }
  auto sixth = Wire::connect(few.port());
  ASSERT_TRUE(sixth.has_value());
  EXPECT_EQ(sixth->receive(), "-ERR max number of clients reached\r\n");
  wires.clear();
  ASSERT_TRUE(server_->start());
  bystander_ = std::make_unique<Bystander>(server_->port());
}

TEST_F(HostileTest, LargestValueRoundTrip) {
  std::string value(64 * kMiB, '\0');
  Random random(7);
  for (std::size_t i = 0; i < value.size(); i += 8) {
    const std::uint64_t bits = random.next();
    std::copy_n(reinterpret_cast<const char*>(&bits), 8, value.data() + i);
  }
  Wire wire = connect();
  ASSERT_EQ(wire.call({"SET", "largest", value}), kOk);
  EXPECT_EQ(wire.call({"STRLEN", "largest"}), ":67108864\r\n");
  EXPECT_TRUE(wire.call({"GET", "largest"}) == bulk(value));
  server_->kill_now();
  bystander_.reset();
  ASSERT_TRUE(server_->start()) << server_->log_tail();
  bystander_ = std::make_unique<Bystander>(server_->port());
  Wire after = connect();
  EXPECT_TRUE(after.call({"GET", "largest"}) == bulk(value));
  EXPECT_EQ(after.call({"DEL", "largest"}), ":1\r\n");
}

// Refused with the limit's name or size, and the connection stays where the protocol allows it.
TEST_F(HostileTest, OverLimits) {
  Wire wire = connect();
  const auto long_key = wire.call({"SET", std::string(64 * 1024 + 1, 'k'), "v"});
  ASSERT_TRUE(long_key.has_value());
  EXPECT_TRUE(long_key->starts_with("-ERR") && long_key->find("65536") != std::string::npos) << shown(*long_key);
  EXPECT_EQ(wire.call({"SET", std::string(64 * 1024, 'k'), "v"}), kOk);

  const auto far = wire.call({"SETRANGE", "k", "67108864", "x"});
  ASSERT_TRUE(far.has_value());
  EXPECT_TRUE(far->starts_with("-ERR") && far->find("proto-max-bulk-len") != std::string::npos) << shown(*far);
  EXPECT_EQ(wire.call({"EXISTS", "k"}), ":0\r\n");

  wire.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$67108865\r\n");
  const auto large = wire.receive();
  ASSERT_TRUE(large.has_value());
  EXPECT_TRUE(large->starts_with("-ERR Protocol error: invalid bulk length")) << shown(*large);
}

// Before AUTH a client gets no large buffers.
TEST_F(HostileTest, UnauthenticatedClientsAreKeptSmall) {
  ServerProcess closed(minod_command(directory_ / "closed", {"--requirepass", "secret"}), directory_ / "log");
  EXPECT_FALSE(closed.start(seconds(2))) << "PING is answered without AUTH";
  ASSERT_TRUE(closed.running()) << closed.log_tail();
  for (const char* bytes : {"*100\r\n", "*2\r\n$4\r\nAUTH\r\n$20000\r\n"}) {
    auto wire = Wire::connect(closed.port(), seconds(5));
    ASSERT_TRUE(wire.has_value());
    wire->send(bytes);
    const auto reply = wire->receive();
    ASSERT_TRUE(reply.has_value());
    EXPECT_TRUE(reply->starts_with("-ERR Protocol error: unauthenticated")) << shown(*reply);
  }
  auto wire = Wire::connect(closed.port());
  EXPECT_EQ(wire->call({"GET", "k"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(wire->call({"AUTH", "wrong"}), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  EXPECT_EQ(wire->call({"AUTH", "secret"}), kOk);
  EXPECT_EQ(wire->call({"GET", "k"}), kNull);
}

}  // namespace
}  // namespace minod::live
