// Whole nodes in a group: what a leader acknowledges is on its followers' disks, what they serve was committed, and
// restarts, promotions and cuts keep it so.
#include "cluster/replication.h"

#include <gtest/gtest.h>

#include "store/limits.h"
#include "tests/cluster/group_fixture.h"

namespace minod {
namespace {

std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

class ReplicationTest : public GroupFixture {
 protected:
  void set(std::size_t at, int from, int to, const std::string& prefix = "value ") {
    for (int i = from; i < to; ++i) {
      ASSERT_EQ(run(at, {"SET", "key" + std::to_string(i), prefix + std::to_string(i)}), "+OK\r\n") << i;
    }
  }
  void expect(std::size_t at, int from, int to, const std::string& prefix = "value ") {
    for (int i = from; i < to; ++i) {
      ASSERT_EQ(run(at, {"GET", "key" + std::to_string(i)}), bulk(prefix + std::to_string(i))) << i;
    }
  }
  void three_in_sync() {
    make(3, 2);
    begin();
    set(0, 0, 10);
    for (const std::size_t other : {1u, 2u}) ASSERT_TRUE(caught_up(other, 0));
    ASSERT_TRUE(all_in_sync(0));
  }
  // The leader's database 5, which the third node does not hear of.
  void make_database_without_third() {
    cut(0, 2);
    cut(2, 0);
    ASSERT_EQ(run_in(5, 0, {"SET", "other", "1"}), "+OK\r\n");
    ASSERT_TRUE(until([&] { return node(1).store().partition(5, 0) != nullptr; }));
  }
  std::string run_in(int db, std::size_t at, std::vector<std::string> args) {
    const auto running = node(at).begin(std::move(args), db);
    until([&] { return node(at).step(*running); });
    return running->reply;
  }
};

TEST_F(ReplicationTest, AFollowerHasWhatTheLeaderAcknowledged) {
  make(2, 2);
  begin();
  set(0, 0, 30);
  ASSERT_TRUE(caught_up(1, 0));
  expect(1, 0, 30);
  EXPECT_TRUE(node(0).log_bytes() == node(1).log_bytes());
  EXPECT_EQ(run(1, {"SET", "key", "value"}), "-READONLY You can't write against a read only replica.\r\n");
  EXPECT_TRUE(node(0).replication().leads(0, 0));
  EXPECT_FALSE(node(1).replication().leads(0, 0));
}

TEST_F(ReplicationTest, NothingIsAcknowledgedThatTheFollowerLacks) {
  make(2, 2);
  begin();
  set(0, 0, 3);
  cut(0, 1);
  EXPECT_EQ(run(0, {"SET", "key1", "new"}, 1000), "");
  EXPECT_EQ(run(1, {"GET", "key1"}), bulk("value 1"));
  heal();
  ASSERT_TRUE(caught_up(1, 0));
  EXPECT_EQ(run(1, {"GET", "key1"}), bulk("new"));
}

TEST_F(ReplicationTest, EitherMayLosePowerAndGoOn) {
  make(2, 2);
  begin();
  set(0, 0, 10);
  node(1).crash();
  turns(20);
  node(1).start();
  link(1, 0);
  set(0, 10, 20);
  node(0).crash();
  turns(20);
  node(0).start();
  node(0).replication().lead();
  link(1, 0);
  set(0, 20, 30);
  ASSERT_TRUE(caught_up(1, 0));
  expect(0, 0, 30);
  expect(1, 0, 30);
}

TEST_F(ReplicationTest, APromotedFollowerHasAllAndTheOldLeaderIsCut) {
  make(3, 2);
  begin();
  set(0, 0, 10);
  ASSERT_TRUE(caught_up(1, 0));
  ASSERT_TRUE(caught_up(2, 0));
  ASSERT_TRUE(all_in_sync(0));
  for (const std::size_t other : {1u, 2u}) cut(0, other);
  EXPECT_EQ(run(0, {"SET", "key3", "lost"}, 500), "");
  node(0).crash(Survival::kAll);
  heal();
  node(1).replication().promote({node(2).self()}, false);
  ASSERT_TRUE(until([&] { return node(1).replication().leads(0, 0); }));
  link(2, 1);
  set(1, 10, 20);
  expect(1, 0, 20);
  node(0).start();
  EXPECT_GT(node(0).log().marks().appended(), Offset(10));
  link(0, 1);
  ASSERT_TRUE(caught_up(0, 1));
  expect(0, 0, 20);
  EXPECT_TRUE(node(0).log_bytes() == node(1).log_bytes());
  ASSERT_TRUE(caught_up(2, 1));
  expect(2, 0, 20);
}

TEST_F(ReplicationTest, WhoWasAwayForLongReadsFromTheDisk) {
  options.ring_bytes = 2000;
  make(2, 1);
  begin();
  set(0, 0, 5);
  ASSERT_TRUE(caught_up(1, 0));
  node(1).crash();
  const std::string large(40'000, 'v');
  for (int i = 0; i < 60; ++i) {
    const auto running = node(0).begin({"SET", "large" + std::to_string(i), large});
    turns(3);
  }
  for (int i = 0; i < 300; ++i) node(0).tick(Millis(100));
  node(1).start();
  link(1, 0);
  ASSERT_TRUE(caught_up(1, 0));
  EXPECT_EQ(run(1, {"GET", "large59"}), bulk(large));
  EXPECT_TRUE(node(0).log_bytes() == node(1).log_bytes());
}

TEST_F(ReplicationTest, ADatabaseThatIsMadeLaterIsReplicatedFromItsFirstRecord) {
  make(2, 2);
  begin();
  set(0, 0, 1);
  const auto running = node(0).begin({"SET", "other", "1"}, 5);
  ASSERT_TRUE(until([&] { return node(0).step(*running); }));
  EXPECT_EQ(running->reply, "+OK\r\n");
  std::string served;
  until([&] {
    Partition* const made = node(1).store().partition(5, 0);
    if (made == nullptr || !made->has_log() || !node(1).replication().may_read(5, 0)) return false;
    const auto reading = node(1).begin({"GET", "other"}, 5);
    served = until([&] { return node(1).step(*reading); }) ? reading->reply : "";
    return served == bulk("1");
  });
  EXPECT_EQ(served, bulk("1"));
}

// The third node was cut off when the database was made, and is promoted when only the second one has it.
TEST_F(ReplicationTest, WhoIsPromotedTakesOverALogThatItLacks) {
  ASSERT_NO_FATAL_FAILURE(three_in_sync());
  ASSERT_NO_FATAL_FAILURE(make_database_without_third());
  ASSERT_TRUE(node(2).store().partition(5, 0) == nullptr);
  heal();
  node(0).crash(Survival::kAll);
  node(2).replication().promote({node(1).self()}, false);
  ASSERT_TRUE(until([&] { return node(2).replication().leads(0, 0); }));
  ASSERT_TRUE(until([&] { return node(2).replication().leads(5, 0); }))
      << (node(2).refused.empty() ? "" : node(2).refused.front());
  EXPECT_FALSE(node(1).replication().leads(5, 0));
  EXPECT_EQ(run_in(5, 2, {"GET", "other"}), bulk("1"));
  EXPECT_EQ(run_in(5, 2, {"SET", "other", "2"}), "+OK\r\n");
  node(0).start();
  link(0, 2);
  ASSERT_TRUE(until([&] { return node(2).replication().report().in_sync_least == 3; }));
}

// Nobody has it: the one that was elected is elected for it, too.
TEST_F(ReplicationTest, WhoWasElectedMakesADatabase) {
  ASSERT_NO_FATAL_FAILURE(three_in_sync());
  node(0).crash(Survival::kAll);
  node(2).replication().promote({node(1).self()}, false);
  ASSERT_TRUE(until([&] { return node(2).replication().leads(0, 0); }));
  EXPECT_EQ(run_in(5, 2, {"SET", "other", "1"}), "+OK\r\n");
  ASSERT_TRUE(node(1).store().partition(5, 0) != nullptr);
}

// It is elected for the first log, and stops when it has made the other and knows nothing of it.
TEST_F(ReplicationTest, ARestartDoesNotTakeALogThatItHasOnlyMadeForNew) {
  ASSERT_NO_FATAL_FAILURE(three_in_sync());
  ASSERT_NO_FATAL_FAILURE(make_database_without_third());
  heal();
  node(0).crash(Survival::kAll);
  network.silent.insert(LogName{5, 0});
  node(2).replication().promote({node(1).self()}, false);
  ASSERT_TRUE(until([&] { return node(2).replication().leads(0, 0); }));
  node(2).crash(Survival::kAll);
  node(2).start();
  node(2).replication().lead();
  link(1, 2);
  turns(300);
  EXPECT_TRUE(node(2).replication().leads(0, 0));
  EXPECT_FALSE(node(2).replication().leads(5, 0));
  EXPECT_TRUE(node(2).replication().claimed_for(5, 0));
  network.silent.clear();
  ASSERT_TRUE(until([&] { return node(2).replication().leads(5, 0); }, 20'000));
  EXPECT_EQ(run_in(5, 2, {"GET", "other"}), bulk("1"));
}

TEST_F(ReplicationTest, ANodeWithoutAnyLogIsNotPromoted) {
  make(2, 1);
  node(1).replication().promote({node(0).self()}, false);
  ASSERT_EQ(node(1).refused.size(), 1u);
  EXPECT_TRUE(node(1).refused[0].starts_with("this node has no log yet")) << node(1).refused[0];
  EXPECT_FALSE(node(1).replication().leads(0, 0));
}

// Found by a fuzzer: such a name was looked up in the table of databases.
TEST_F(ReplicationTest, WhatIsSaidAboutALogThatThereCantBeChangesNothing) {
  make(2, 2);
  begin();
  const MemberId stranger{7, 7};
  for (const LogName name : {LogName{std::int16_t{kDatabases}, 0}, LogName{0, 999}}) {
    node(1).replication().receive(stranger, name, Message(Inquiry{}), {});
    node(1).replication().receive(stranger, name, Message(Promise{Leadership{first_of_term(9), stranger}}), {});
  }
  set(0, 0, 6);
  ASSERT_TRUE(caught_up(1, 0));
}

TEST_F(ReplicationTest, AnOldLeaderHearsOfTheNewOneThoughThatHasRestarted) {
  make(2, 2);
  begin();
  set(0, 0, 5);
  ASSERT_TRUE(caught_up(1, 0));
  node(0).crash(Survival::kAll);
  node(1).replication().promote({node(0).self()}, false);
  ASSERT_TRUE(until([&] { return node(1).replication().leads(0, 0); }));
  node(1).crash(Survival::kAll);
  for (const std::size_t at : {0u, 1u}) {
    node(at).start();
    node(at).replication().lead();
  }
  node(0).replication().connected(node(1).self());
  node(1).replication().connected(node(0).self());
  ASSERT_TRUE(until([&] { return node(1).replication().report().in_sync_least == 2; }));
  EXPECT_FALSE(node(0).replication().leads(0, 0));
  set(1, 5, 10);
  expect(1, 0, 10);
}

// What tells the others that there is a new leader is lost.
TEST_F(ReplicationTest, ANewLeaderIsHeardOfThoughItsGreetingIsLost) {
  ASSERT_NO_FATAL_FAILURE(three_in_sync());
  node(0).crash(Survival::kAll);
  node(1).replication().follow(kNobody);  // its link has gone, too
  node(2).replication().promote({node(1).self()}, false);
  while (!node(2).replication().leads(0, 0)) {
    turn();
    if (network.under_way.empty()) continue;
    const auto frame_of = [](const TestNetwork::Parcel& one) {
      Bytes bytes = one.frame;
      return take_frame(bytes)->message;
    };
    std::erase_if(network.under_way, [&](const auto& one) { return std::holds_alternative<Answer>(frame_of(one)); });
  }
  ASSERT_EQ(run(2, {"SET", "after", "1"}, 20'000), "+OK\r\n");
}

TEST_F(ReplicationTest, ALeaderHandsOverWithoutLosingAnything) {
  make(2, 2);
  begin();
  set(0, 0, 10);
  ASSERT_TRUE(caught_up(1, 0));
  ASSERT_TRUE(all_in_sync(0));
  node(0).replication().hand_over(node(1).self());
  const auto waiting = node(0).begin({"SET", "key1", "late"});
  ASSERT_TRUE(until([&] { return node(1).replication().leads(0, 0) && !node(0).replication().leads(0, 0); }));
  ASSERT_TRUE(until([&] { return node(0).step(*waiting); }));
  EXPECT_EQ(waiting->reply, "-READONLY You can't write against a read only replica.\r\n");
  node(1).replication().connected(node(0).self());
  set(1, 10, 20);
  ASSERT_TRUE(caught_up(0, 1));
  expect(0, 0, 20);
  expect(1, 0, 20);
  const auto running = node(1).begin({"SET", "other", "1"}, 7);
  ASSERT_TRUE(until([&] { return node(1).step(*running); })) << "a database that is made by the new leader";
  EXPECT_EQ(running->reply, "+OK\r\n");
}

TEST_F(ReplicationTest, ANewMemberCopiesALogWhoseBeginningIsGone) {
  make(2, 1);
  node(0).replication().lead();
  set(0, 0, 5);
  const std::string large(40'000, 'v');
  for (int i = 0; i < 60; ++i) ASSERT_EQ(run(0, {"SET", "large" + std::to_string(i), large}), "+OK\r\n");
  ASSERT_EQ(run(0, {"FLUSHALL"}), "+OK\r\n");
  set(0, 0, 5, "again ");
  ASSERT_TRUE(until([&] { return node(0).log().segments().begin()->first > kFirstOffset; }));
  for (int i = 0; i < 60; ++i) ASSERT_EQ(run(0, {"SET", "large" + std::to_string(i), large}), "+OK\r\n");
  turns(100);
  link(1, 0);
  ASSERT_TRUE(caught_up(1, 0));
  EXPECT_GT(node(1).replication().report().copied_bytes, 0u);
  expect(1, 0, 5, "again ");
  EXPECT_EQ(run(1, {"GET", "large59"}), bulk(large));
  EXPECT_TRUE(node(0).log_bytes() == node(1).log_bytes());
  set(0, 5, 10, "again ");
  ASSERT_TRUE(caught_up(1, 0));
  expect(1, 0, 10, "again ");
}

TEST_F(ReplicationTest, ANewMemberCopiesNoFasterThanItMay) {
  options.copy_rate = 2'000'000;
  options.copy_from = 1;
  make(2, 1);
  node(0).replication().lead();
  const std::string large(40'000, 'v');
  for (int i = 0; i < 300; ++i) ASSERT_EQ(run(0, {"SET", "large" + std::to_string(i), large}), "+OK\r\n");
  for (int i = 0; i < 30; ++i) turns(50);
  link(1, 0);
  turns(40);  // the first second's allowance is not filled yet
  std::uint64_t tenths = 0;
  const auto copied = [&] { return node(1).replication().report().copied_bytes; };
  for (; tenths < 300 && !node(1).replication().may_read(0, 0); ++tenths) {
    EXPECT_LE(copied(), (std::uint64_t{4} << 20) + (tenths + 1) * options.copy_rate / 10);
    turns(50);
  }
  EXPECT_GT(copied(), 10'000'000u);
  EXPECT_GT(tenths, 20u) << "12 MB at 2 MB a second, of which 4 MiB may come at once";
  ASSERT_TRUE(caught_up(1, 0));
  EXPECT_EQ(run(1, {"GET", "large299"}), bulk(large));
}

TEST_F(ReplicationTest, AFollowerThatIsDamagedWhereItWasCommittedFetchesAllAnew) {
  make(2, 2);
  begin();
  set(0, 0, 20);
  ASSERT_TRUE(caught_up(1, 0));
  for (int i = 0; i < 70; ++i) turns(50);  // what is committed is stored now and then
  node(1).stop();
  {
    auto file = node(1).disk().open("data/db0-0/00000000000000000000.log", OpenMode::kReadWrite);
    ASSERT_TRUE(file);
    std::vector<std::byte> byte(1);
    ASSERT_TRUE((*file)->read_now(FilePosition(300), byte));
    byte[0] ^= std::byte{0x10};
    ASSERT_TRUE((*file)->write_now(FilePosition(300), byte));
    ASSERT_TRUE((*file)->sync_now());
  }
  node(1).start();
  EXPECT_FALSE(node(1).replication().may_read(0, 0));
  link(1, 0);
  ASSERT_TRUE(caught_up(1, 0));
  expect(1, 0, 20);
  EXPECT_TRUE(node(0).log_bytes() == node(1).log_bytes());
}

TEST_F(ReplicationTest, WhoIsPromotedHasTransactionsWholeOrNotAtAll) {
  make(3, 2);
  begin();
  set(0, 0, 3);
  const auto other = node(0).begin({"SET", "other", "1"}, 5);
  ASSERT_TRUE(until([&] { return node(0).step(*other); }));
  for (const std::size_t follower : {1u, 2u}) {
    ASSERT_TRUE(until([&] {
      Partition* const made = node(follower).store().partition(5, 0);
      return made != nullptr && made->has_log() && made->log().marks().committed() == Offset(1);
    }));
    ASSERT_TRUE(caught_up(follower, 0));
  }
  ASSERT_TRUE(all_in_sync(0));
  network.silent.insert(LogName{5, 0});
  Store& store = node(0).store();
  const std::uint64_t joint = store.options().joints->begin(2);
  const Offset ends[] = {node(0).log(0).marks().appended(), node(0).log(5).marks().appended()};
  const std::string together =
      encode_together({LogReach{0, 0, ends[0] + OffsetCount(1)}, LogReach{5, 0, ends[1] + OffsetCount(1)}});
  for (const int db : {0, 5}) {
    Log& log = node(0).log(db);
    ASSERT_EQ(log.make_room(1000 + Log::joint_bytes(together.size(), false), false), Log::Room::kYes);
    log.begin_joint(1000, joint, together);
    log.append(NewRecord{"both", "1"}, UnixMillis(1));
    log.end_group();
  }
  turns(200);
  EXPECT_EQ(node(1).log(0).marks().durable(), ends[0] + OffsetCount(1));
  EXPECT_EQ(node(1).log(0).marks().safe(), ends[0]);
  EXPECT_EQ(node(0).log(0).marks().committed(), ends[0]);
  node(0).crash();
  network.silent.clear();
  node(1).replication().promote({node(2).self()}, false);
  ASSERT_TRUE(until([&] { return node(1).replication().leads(0, 0) && node(1).replication().leads(5, 0); }))
      << (node(1).refused.empty() ? "" : node(1).refused.front());
  EXPECT_EQ(node(1).log(0).marks().appended(), ends[0]);
  EXPECT_EQ(node(1).log(5).marks().appended(), ends[1]);
  link(2, 1);
  set(1, 3, 6);
  expect(1, 0, 6);
}

}  // namespace
}  // namespace minod
