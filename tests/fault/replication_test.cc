// Groups of two and three real nodes: killed, paused, promoted, handed over, cut off from each other. What their
// clients see is linearizable, and what was acknowledged is there.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/fault/clients.h"
#include "tests/fault/cut_network.h"
#include "tests/fault/group.h"

namespace minod::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::uint64_t seed() {
  const char* given = std::getenv("MINOD_KILL_SEED");
  return given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
}

// Of faults in one test.
milliseconds fault_time() {
  const char* given = std::getenv("MINOD_REPLICATION_SECONDS");
  return milliseconds(given == nullptr ? 2500 : static_cast<int>(std::atof(given) * 1000));
}

class ReplicationTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    std::printf("MINOD_KILL_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }
  void make(GroupSettings settings) {
    settings.options.insert(settings.options.end(), {"--segment-bytes", "1mb", "--maxmemory", "64mb"});
    group_ = std::make_unique<Group>(std::move(settings));
    ASSERT_TRUE(group_->start()) << group_->logs();
  }
  void start_clients() {
    ClientsOptions options;
    options.errors = {"-"};
    options.patience_ms = 1500;
    clients_ = std::make_unique<Clients>((*group_)[0].port(), seed_, options);
    clients_->start();
  }
  void wait(std::uint64_t millis_max) { std::this_thread::sleep_for(milliseconds(20 + random_.below(millis_max))); }
  // Runs `fault` again and again; each ends with a group that serves.
  void repeat(const std::function<void()>& fault) {
    const auto end = steady_clock::now() + fault_time();
    do {
      wait(300);
      fault();
    } while (steady_clock::now() < end && !HasFatalFailure());
    wait(200);
  }
  void expect_linearizable() {
    EXPECT_TRUE(wait_until([&] { return clients_->answered_count() > 200; })) << group_->logs();
    clients_->stop();
    ASSERT_TRUE(wait_until([&] { return !clients_->ask("k0").starts_with("-"); })) << group_->logs();
    for (const std::string& wrong : clients_->check()) ADD_FAILURE() << wrong << "\n" << group_->logs();
    std::printf("%llu operations, %llu errors, %llu of unknown outcome\n",
                static_cast<unsigned long long>(clients_->answered_count()),
                static_cast<unsigned long long>(clients_->error_count()),
                static_cast<unsigned long long>(clients_->unanswered_count()));
  }
  // All nodes hold the same keys and values.
  void expect_equal(int leader) {
    ASSERT_TRUE(wait_until([&] { return group_->in_sync(leader, group_->size()); })) << group_->logs();
    for (int i = 0; i < group_->size(); ++i) {
      if (i == leader) continue;
      EXPECT_TRUE(wait_until([&] { return contents(i) == contents(leader); })) << "node " << i << "\n"
                                                                               << group_->logs();
    }
  }
  std::string contents(int node) {
    auto wire = Wire::connect((*group_)[node].port());
    if (!wire || !wire->call({"READONLY"})) return "no answer";
    std::string all = wire->call({"DBSIZE"}).value_or("");
    for (int i = 0; clients_ && i < clients_->key_count(); ++i)
      all += wire->call({"GET", clients_->key(i)}).value_or("?");
    for (int i = 0; i < 200; ++i) all += wire->call({"GET", "k" + std::to_string(i)}).value_or("?");
    return all;
  }

  std::uint64_t seed_ = seed();
  Random random_{seed_};
  std::unique_ptr<Group> group_;
  std::unique_ptr<Clients> clients_;
};

TEST_F(ReplicationTest, AFollowerHasWhatItsLeaderHas) {
  make({.nodes = 2, .must_have = 1, .copies = 0, .options = {}});
  auto leader = Wire::connect((*group_)[0].port());
  auto follower = Wire::connect((*group_)[1].port());
  ASSERT_TRUE(leader && follower);
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_EQ(leader->call({"SET", "k" + number, "v" + number}), kOk);
  }
  ASSERT_EQ(leader->call({"SET", "gone", "v", "PX", "1"}), kOk);
  ASSERT_EQ(leader->call({"SELECT", "3"}), kOk);
  ASSERT_EQ(leader->call({"SET", "elsewhere", "v"}), kOk);
  EXPECT_EQ(leader->call({"WAIT", "1", "1000"}), ":1\r\n");
  EXPECT_EQ(leader->call({"WAITAOF", "1", "1", "1000"}), "*2\r\n:1\r\n:1\r\n");
  EXPECT_EQ(leader->call({"WAIT", "2", "50"}), ":1\r\n");
  EXPECT_EQ(follower->call({"GET", "k1"}),
            "-READONLY You can't read from a replica before READONLY: its leader may have newer values.\r\n");
  EXPECT_EQ(follower->call({"SET", "k1", "x"}), "-READONLY You can't write against a read only replica.\r\n");
  EXPECT_EQ(follower->call({"READONLY"}), kOk);
  EXPECT_EQ(follower->call({"SET", "k1", "x"}), "-READONLY You can't write against a read only replica.\r\n");
  expect_equal(0);
  EXPECT_EQ(follower->call({"GET", "gone"}), kNull);
  EXPECT_EQ(follower->call({"SELECT", "3"}), kOk);
  EXPECT_TRUE(wait_until([&] { return follower->call({"GET", "elsewhere"}) == bulk("v"); }));
  EXPECT_EQ(follower->call({"READWRITE"}), kOk);
  EXPECT_TRUE(follower->call({"GET", "elsewhere"}).value_or("").starts_with("-READONLY "));

  EXPECT_TRUE(leader->call({"ROLE"}).value_or("").starts_with("*3\r\n$6\r\nmaster\r\n:")) << group_->logs();
  EXPECT_TRUE(leader->call({"ROLE"}).value_or("").find("*1\r\n*3\r\n$9\r\n127.0.0.1\r\n") != std::string::npos);
  EXPECT_TRUE(follower->call({"ROLE"}).value_or("").starts_with(
      "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:" + std::to_string((*group_)[0].port()) + "\r\n$9\r\nconnected\r\n:"));
  EXPECT_EQ(group_->info(1, "master_link_status"), "up");
  EXPECT_EQ(group_->info(0, "connected_slaves"), "1");
  EXPECT_TRUE(follower->call({"WAIT", "0", "0"}).value_or("").starts_with("-ERR WAIT cannot be used with replica"));
}

TEST_F(ReplicationTest, WithoutEnoughReplicasNothingIsAcknowledged) {
  make({.nodes = 2, .must_have = 1, .copies = 0, .options = {"--replica-lag-time-max-ms", "300"}});
  ASSERT_EQ(group_->call(0, {"SET", "k", "v"}), kOk);
  (*group_)[1].kill_now();
  ASSERT_TRUE(wait_until([&] {
    return group_->call(0, {"SET", "k", "w"}, milliseconds(500)) ==
           "-NOREPLICAS Not enough good replicas to write.\r\n";
  })) << group_->logs();
  ASSERT_TRUE(group_->start(1));
  ASSERT_TRUE(wait_until([&] {
    return group_->call(0, {"SET", "k", "x"}, milliseconds(500)) == kOk;
  })) << group_->logs();
}

TEST_F(ReplicationTest, FollowersAreKilled) {
  make({.nodes = 2, .must_have = 0, .copies = 0, .options = {"--replica-lag-time-max-ms", "500"}});
  start_clients();
  repeat([&] {
    (*group_)[1].kill_now();
    wait(300);
    ASSERT_TRUE(group_->start(1)) << group_->logs();
    ASSERT_TRUE(wait_until([&] { return group_->in_sync(0, 2); })) << group_->logs();
  });
  expect_linearizable();
  expect_equal(0);
}

TEST_F(ReplicationTest, LeadersAreKilledAndStarted) {
  make({.nodes = 2, .must_have = 1, .copies = 0, .options = {}});
  start_clients();
  repeat([&] {
    (*group_)[0].kill_now();
    wait(100);
    ASSERT_TRUE(group_->start(0)) << group_->logs();
    ASSERT_TRUE(wait_until([&] { return group_->in_sync(0, 2); })) << group_->logs();
  });
  expect_linearizable();
  expect_equal(0);
}

// The old leader comes back with the options it had, and finds that it leads no longer.
TEST_F(ReplicationTest, LeadersAreKilledAndOthersPromoted) {
  make({.nodes = 3, .must_have = 1, .copies = 0, .options = {}});
  start_clients();
  int leader = 0;
  repeat([&] {
    const int next = (leader + 1 + static_cast<int>(random_.below(2))) % 3;
    (*group_)[leader].kill_now();
    ASSERT_TRUE(group_->promote(next)) << group_->logs();
    clients_->go_to((*group_)[next].port());
    wait(300);
    ASSERT_TRUE(group_->start(leader)) << group_->logs();
    leader = next;
    ASSERT_TRUE(wait_until([&] { return group_->in_sync(leader, 3); })) << group_->logs();
  });
  expect_linearizable();
  expect_equal(leader);
}

// The one that was paused wakes up and believes that it leads.
TEST_F(ReplicationTest, LeadersArePausedAndOthersPromoted) {
  make({.nodes = 3, .must_have = 1, .copies = 0, .options = {}});
  start_clients();
  int leader = 0;
  repeat([&] {
    const int next = (leader + 1) % 3;
    ASSERT_EQ(kill((*group_)[leader].pid(), SIGSTOP), 0);
    ASSERT_TRUE(group_->promote(next)) << group_->logs();
    // Some of the clients stay with the old one.
    wait(300);
    ASSERT_EQ(kill((*group_)[leader].pid(), SIGCONT), 0);
    wait(200);
    clients_->go_to((*group_)[next].port());
    leader = next;
    ASSERT_TRUE(wait_until([&] { return group_->in_sync(leader, 3); })) << group_->logs();
  });
  expect_linearizable();
  expect_equal(leader);
}

TEST_F(ReplicationTest, LeadershipIsHandedOver) {
  make({.nodes = 2, .must_have = 1, .copies = 0, .options = {}});
  start_clients();
  int leader = 0;
  std::vector<double> pauses;
  repeat([&] {
    const int next = 1 - leader;
    const auto begin = steady_clock::now();
    ASSERT_EQ(group_->call(leader, {"FAILOVER", "TO", "127.0.0.1", std::to_string((*group_)[next].port())}), kOk);
    ASSERT_TRUE(wait_until([&] { return group_->call(next, {"SET", "handed", "over"}) == kOk; })) << group_->logs();
    pauses.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count());
    clients_->go_to((*group_)[next].port());
    leader = next;
    ASSERT_TRUE(wait_until([&] { return group_->in_sync(leader, 2); })) << group_->logs();
  });
  std::ranges::sort(pauses);
  std::printf("%zu hand-overs; from FAILOVER to the first write at the new leader: median %.0f ms, longest %.0f ms\n",
              pauses.size(), pauses[pauses.size() / 2], pauses.back());
  expect_linearizable();
  expect_equal(leader);
}

TEST_F(ReplicationTest, ADeadLeadersLossMustBeAccepted) {
  make({.nodes = 2, .must_have = 0, .copies = 0, .options = {}});
  ASSERT_EQ(group_->call(0, {"SET", "k0", "v"}), kOk);
  (*group_)[0].kill_now();
  EXPECT_TRUE(group_->call(1, {"REPLICAOF", "NO", "ONE"}, std::chrono::seconds(15)).starts_with("-ERR "));
  EXPECT_FALSE(group_->leads(1));
  EXPECT_EQ(group_->call(1, {"FAILOVER", "TAKEOVER"}), kOk);
  EXPECT_TRUE(wait_until([&] { return group_->leads(1); })) << group_->logs();
  EXPECT_EQ(group_->call(1, {"GET", "k0"}), bulk("v"));
}

TEST_F(ReplicationTest, ANewNodeComesUnderLoad) {
  make({.nodes = 2, .must_have = 1, .copies = 3, .options = {}});
  start_clients();
  auto wire = Wire::connect((*group_)[0].port());
  ASSERT_TRUE(wire);
  for (int i = 0; i < 600; ++i) {
    ASSERT_EQ(wire->call({"SET", "k" + std::to_string(i), std::string(20'000, static_cast<char>('a' + i % 26))}), kOk);
  }
  const int added = group_->add();
  ASSERT_TRUE(group_->start(added)) << group_->logs();
  ASSERT_TRUE(wait_until([&] { return group_->in_sync(0, 3); }, std::chrono::seconds(40))) << group_->logs();
  wait(500);
  expect_linearizable();
  expect_equal(0);
}

// What a node without replication had written, by a release before there was any.
TEST_F(ReplicationTest, AnOlderDirectoryLeads) {
  GroupSettings settings{.nodes = 2, .must_have = 1, .copies = 0, .options = {"--segment-bytes", "1mb"}};
  group_ = std::make_unique<Group>(settings);
  const auto unpacked = run({"tar", "xzf", MINOD_FAULT_DATA "/directory_before_replication.tar.gz", "-C",
                             group_->parent(), "--transform", "s/^data/node0/"},
                            std::chrono::seconds(20));
  ASSERT_TRUE(unpacked && unpacked->status == 0) << (unpacked ? unpacked->output : "tar");
  ASSERT_TRUE(group_->start()) << group_->logs();
  ASSERT_TRUE(wait_until([&] { return group_->call(0, {"GET", "k0"}) == bulk("old0"); })) << group_->logs();
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(group_->call(0, {"GET", "k" + std::to_string(i)}), bulk("old" + std::to_string(i)));
  }
  ASSERT_EQ(group_->call(0, {"SET", "k7", "new"}), kOk);
  expect_equal(0);
}

// ---- the network between them

class CutNetworkTest : public ReplicationTest {
 protected:
  void SetUp() override {
    if (!network_.usable()) GTEST_SKIP() << "needs root, a network namespace of its own, and nft";
    ReplicationTest::SetUp();
  }
  CutNetwork network_;
};

TEST_F(CutNetworkTest, PartitionsFullAndOneWayAndLoss) {
  make({.nodes = 2, .must_have = 1, .copies = 0, .options = {"--replica-lag-time-max-ms", "500"}});
  start_clients();
  const std::vector<std::uint16_t> ports{group_->peer_port(0), group_->peer_port(1)};
  repeat([&] {
    switch (random_.below(4)) {
      case 0:
        ASSERT_TRUE(network_.drop_all(ports));
        break;
      case 1:
        ASSERT_TRUE(network_.drop_to(ports));
        break;
      case 2:
        ASSERT_TRUE(network_.drop_from(ports));
        break;
      default:
        ASSERT_TRUE(network_.lose(ports, 20));
    }
    wait(1200);
    ASSERT_TRUE(network_.heal());
    ASSERT_TRUE(wait_until([&] { return group_->in_sync(0, 2); }, std::chrono::seconds(30))) << group_->logs();
  });
  expect_linearizable();
  expect_equal(0);
}

// The leader is cut off, another is promoted, clients stay at either; then all see each other again.
TEST_F(CutNetworkTest, ALeaderThatIsCutOffIsReplaced) {
  make({.nodes = 2, .must_have = 1, .copies = 0, .options = {"--replica-lag-time-max-ms", "500"}});
  start_clients();
  ASSERT_TRUE(network_.drop_all({group_->peer_port(0), group_->peer_port(1)}));
  // Of two nodes of which two must agree, one is not enough to tell.
  wait(800);
  EXPECT_TRUE(group_->call(0, {"SET", "k0", "v"}, milliseconds(1000)) != kOk);
  ASSERT_TRUE(network_.heal());
  ASSERT_TRUE(wait_until([&] { return group_->in_sync(0, 2); }, std::chrono::seconds(30))) << group_->logs();
  ASSERT_TRUE(wait_until([&] { return group_->call(0, {"SET", "k0", "v"}) == kOk; })) << group_->logs();
  expect_linearizable();
  expect_equal(0);
}

}  // namespace
}  // namespace minod::live
