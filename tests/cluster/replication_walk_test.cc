// Three nodes at random: writes, power losses, cut links, promotions, restarts. Whatever was acknowledged is at every
// node when all is well again, and the logs are the same bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/cluster/group_fixture.h"
#include "tests/sim/seeds.h"

namespace minod {
namespace {

class ReplicationWalk : public GroupFixture, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  struct Write {
    std::size_t at;
    int key;
    std::unique_ptr<GroupNode::Running> running;
  };

  void forget_writes_at(std::size_t at) {
    std::erase_if(writes_, [&](const Write& write) { return write.at == at; });
  }
  void step_writes() {
    std::erase_if(writes_, [&](Write& write) {
      if (!node(write.at).step(*write.running)) return false;
      if (write.running->reply == "+OK\r\n") acknowledged_.push_back(write.key);
      return true;
    });
  }
  void some_turns(int count) {
    for (int i = 0; i < count; ++i) {
      turns(5);
      step_writes();
    }
    for (const auto& one : nodes) one->tick(Millis(static_cast<std::int64_t>(random_.below(300))));
  }
  void write() {
    if (!node(leader_).is_up() || writes_.size() > 20) return;
    const int key = next_key_++;
    const std::string value(1 + random_.below(random_.below(4) == 0 ? 60'000 : 3000), 'v');
    // Its log may be away, or not be made yet: then it says so, or waits.
    if (!node(leader_).replication().leads(0, 0)) return;
    writes_.push_back({leader_, key, node(leader_).begin({"SET", "key" + std::to_string(key), value})});
  }
  // Ends what was acknowledged, and with it segments; a member that was away has to copy what is left.
  void flush() {
    if (!node(leader_).is_up() || !node(leader_).replication().leads(0, 0)) return;
    acknowledged_.clear();
    writes_.clear();
    const auto flushing = node(leader_).begin({"FLUSHALL"});
    some_turns(20);
  }
  void crash(std::size_t at) {
    if (!node(at).is_up()) return;
    forget_writes_at(at);
    random_.below(2) == 0 ? node(at).kill() : node(at).crash();
  }
  void restart(std::size_t at) {
    if (node(at).is_up()) return;
    node(at).start();
    if (at == leader_) {
      node(at).replication().lead();
      follow_leader();
    } else if (node(leader_).is_up()) {
      link(at, leader_);
    }
  }
  void follow_leader() {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i != leader_ && node(i).is_up()) link(i, leader_);
    }
  }
  // One of the followers, while the leader is away or not.
  void promote(std::size_t at) {
    if (!node(at).is_up() || node(at).replication().leads(0, 0)) return;
    std::vector<MemberId> others;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i != at) others.push_back(node(i).self());
    }
    node(at).replication().promote(others, false);
    const std::size_t refused = node(at).refused.size();
    for (int i = 0; i < 200 && node(at).refused.size() == refused; ++i) {
      if (node(at).replication().leads(0, 0)) break;
      some_turns(2);
    }
    if (!node(at).replication().leads(0, 0)) {
      if (node(leader_).is_up()) link(at, leader_);
      return;
    }
    forget_writes_at(leader_);
    leader_ = at;
    follow_leader();
  }
  void act() {
    const auto any = static_cast<std::size_t>(random_.below(nodes.size()));
    const auto other = static_cast<std::size_t>(random_.below(nodes.size()));
    switch (random_.below(24)) {
      case 0:
        return crash(any);
      case 1:
      case 2:
      case 3:
        return restart(any);
      case 4:
        if (any != other) cut(any, other);
        return;
      case 5:
      case 6:
        return heal();
      case 7:
        return promote(any);
      case 8:
        return random_.below(3) == 0 ? flush() : some_turns(3);
      default:
        write();
        write();
        some_turns(static_cast<int>(random_.below(6)));
    }
  }
  std::string standing() {
    std::string text = "asked to lead last: " + std::to_string(leader_) + "\n";
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const ReplicationReport report = node(i).replication().report();
      text += std::to_string(i) + ": role " + std::to_string(static_cast<int>(report.role)) + ", follows " +
              text_of(report.leader) + ", term " + std::to_string(report.term) + ", end " + std::to_string(report.end) +
              ", committed " + std::to_string(report.committed) + (report.loading ? ", loading" : "") +
              (node(i).refused.empty() ? "" : ", refused: " + node(i).refused.back()) + "\n";
    }
    return text;
  }
  Random random_{GetParam()};
  std::size_t leader_ = 0;
  int next_key_ = 0;
  std::vector<int> acknowledged_;
  std::vector<Write> writes_;
};

TEST_P(ReplicationWalk, WhatWasAcknowledgedIsEverywhereInTheEnd) {
  compaction = GetParam() % 2 == 0;
  options.ring_bytes = 4000;
  options.answer_bytes_max = 8000;
  options.apply_queue_bytes = 10'000;
  make(3, 2);
  begin();
  ASSERT_EQ(run(0, {"SET", "first", "1"}), "+OK\r\n");
  for (int i = 0; i < 150; ++i) {
    act();
    if (HasFatalFailure()) return;
  }
  heal();
  for (std::size_t i = 0; i < nodes.size(); ++i) restart(i);
  follow_leader();
  // Whoever led last may have been replaced by a promotion that came true after a restart had forgotten it.
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (until([&] { return node(leader_).replication().leads(0, 0); })) break;
    promote(i);
  }
  ASSERT_TRUE(node(leader_).replication().leads(0, 0)) << standing();
  ASSERT_EQ(run(leader_, {"SET", "last", "1"}, 20'000), "+OK\r\n");
  step_writes();
  writes_.clear();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i != leader_) {
      ASSERT_TRUE(caught_up(i, leader_)) << i;
    }
    // What is committed is applied a little later.
    const std::string size = run(leader_, {"DBSIZE"});
    EXPECT_TRUE(until([&] { return run(i, {"DBSIZE"}) == size; })) << i;
    for (const int key : acknowledged_) {
      ASSERT_EQ(run(i, {"EXISTS", "key" + std::to_string(key)}), ":1\r\n") << "node " << i << " key " << key;
    }
    ASSERT_EQ(node(i).log().marks().appended(), node(leader_).log().marks().appended());
    // A flush may have cost one of them a segment that the other still has: their borders differ.
    const std::vector<std::byte> here = node(i).log_bytes();
    const std::vector<std::byte> there = node(leader_).log_bytes();
    const std::size_t both = std::min(here.size(), there.size());
    ASSERT_TRUE(compaction || std::ranges::equal(Bytes(here).last(both), Bytes(there).last(both))) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReplicationWalk, ::testing::ValuesIn(seeds(30)));

}  // namespace
}  // namespace minod
