// `replication-state` with a bit flipped, cut, gone, as it was some time ago, or as the other member's: at the leader
// and at the follower. The start refuses and names the file; or what is served is the newest acknowledged value, an
// error, or nothing: a member whose state is gone may keep the group from acknowledging anything until its
// data directory is replaced (docs/DURABILITY.md), but nothing older is ever read.
#include <gtest/gtest.h>

#include "tests/cluster/group_fixture.h"

namespace minod {
namespace {

constexpr const char* kDirectory = "data/db0-0";
constexpr const char* kState = "data/db0-0/replication-state";
constexpr int kKeys = 12;

std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

class DamagedState : public GroupFixture, public ::testing::WithParamInterface<std::size_t> {
 protected:
  std::size_t harmed() const { return GetParam(); }  // 0 leads

  // Two epochs, and values of each.
  void SetUp() override {
    make(2, 2);
    begin();
    write("old");
    ASSERT_TRUE(all_in_sync(0));
    older_ = state_of(harmed());
    node(0).crash();
    node(0).start();
    node(0).replication().lead();
    link(1, 0);
    write("new");
    ASSERT_TRUE(all_in_sync(0) && caught_up(1, 0));
    for (std::size_t i : {0u, 1u}) {
      node(i).kill();
      disks_.push_back(node(i).disk().after_power_loss(Survival::kAll, {}));
    }
    good_ = state_of(harmed());
    ASSERT_FALSE(good_.empty());
    ASSERT_NE(good_, older_);
  }
  void write(const std::string& value) {
    for (int i = 0; i < kKeys; ++i) ASSERT_EQ(run(0, {"SET", key(i), value + std::to_string(i)}), "+OK\r\n");
  }
  static std::string key(int i) { return "key" + std::to_string(i); }
  std::string state_of(std::size_t i) {
    const auto text = read_file(node(i).disk(), kState, 1 << 20);
    return text ? *text : "";
  }

  // The group as it was, one file as `contents` has it; nothing: gone.
  void try_with(const std::string& what, const std::optional<std::string>& contents) {
    SCOPED_TRACE(what);
    ++tries_;
    network.under_way.clear();
    for (const auto& one : nodes) {
      if (one->is_up()) one->kill();
    }
    put_disk(harmed());
    SimDisk& disk = node(harmed()).disk();
    if (contents) {
      ASSERT_TRUE(replace_file(disk, kDirectory, "replication-state", as_bytes(*contents)));
    } else {
      ASSERT_TRUE(disk.remove(kState) && disk.sync_directory(kDirectory));
    }
    const auto started = node(harmed()).try_start();
    if (!started) {
      ++refused_;
      EXPECT_NE(started.error().message().find(kState), std::string::npos) << started.error().message();
      return;
    }
    put_disk(1 - harmed());
    node(1 - harmed()).start();
    node(0).replication().lead();
    link(1, 0);
    for (int rounds = 0; rounds < 20; ++rounds) {
      for (std::size_t at : {0u, 1u}) expect_no_other_value(at);
      turns(100);
    }
    together_ = run(0, {"SET", "another", "one"}) == "+OK\r\n";
    for (std::size_t at : {0u, 1u}) expect_no_other_value(at);
    if (!together_) return;
    for (int i = 0; i < kKeys; ++i) EXPECT_EQ(run(0, {"GET", key(i)}), bulk("new" + std::to_string(i)));
  }
  void put_disk(std::size_t at) { node(at).use_disk(disks_[at]->after_power_loss(Survival::kAll, {})); }
  void expect_no_other_value(std::size_t at) {
    for (int i = 0; i < kKeys; ++i) {
      if (!node(at).replication().may_read(0, 0)) return;
      const std::string reply = run(at, {"GET", key(i)}, 20);
      EXPECT_TRUE(reply.empty() || reply.starts_with("-") || reply == bulk("new" + std::to_string(i))) << reply;
    }
  }

  std::vector<std::unique_ptr<SimDisk>> disks_;
  std::string good_;
  std::string older_;
  int tries_ = 0;
  int refused_ = 0;
  bool together_ = false;  // the group, in the end: it acknowledges
};

TEST_P(DamagedState, AFlippedBitOrACutIsRefused) {
  for (std::size_t bit = 0; bit < good_.size() * 8; ++bit) {
    std::string flipped = good_;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    try_with("bit " + std::to_string(bit), flipped);
    if (HasFailure()) return;
  }
  for (std::size_t size = 0; size < good_.size(); ++size) {
    try_with("cut to " + std::to_string(size), good_.substr(0, size));
    if (HasFailure()) return;
  }
  EXPECT_EQ(refused_, tries_);
}

TEST_P(DamagedState, AsItWasIsServed) {
  try_with("untouched", good_);
  EXPECT_TRUE(together_);
}

TEST_P(DamagedState, NothingOlderIsReadWhenItIsGone) { try_with("gone", std::nullopt); }

TEST_P(DamagedState, AnOlderOneIsRefused) {
  try_with("older", older_);
  EXPECT_EQ(refused_, 1);
}

TEST_P(DamagedState, NothingOlderIsReadWithTheOtherMembers) {
  node(harmed()).use_disk(disks_[1 - harmed()]->after_power_loss(Survival::kAll, {}));
  try_with("of the other", state_of(harmed()));
}

INSTANTIATE_TEST_SUITE_P(At, DamagedState, ::testing::Values(0, 1),
                         [](const auto& tested) { return tested.param == 0 ? "TheLeader" : "TheFollower"; });

}  // namespace
}  // namespace minod
