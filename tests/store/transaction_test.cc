// Transactions in the store: what is told by one run, with values in RAM and only on disk; that nothing is done when
// something stands in the way; and that after a power loss all of it is there or nothing.
#include "store/transaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "tests/sim/seeds.h"
#include "tests/store/commands_fixture.h"

namespace minod {
namespace {

using Commands = std::vector<std::vector<std::string>>;

class TransactionTest : public CommandsTest {
 protected:
  // An EXEC on its way. Stays where it is.
  struct Running {
    Transaction transaction;
    Request request;
    bool again = true;
    bool done = false;
  };

  std::unique_ptr<Running> begin(const Commands& commands, const std::vector<WatchedKey>& watched = {}) {
    auto running = std::make_unique<Running>();
    int db = db_;
    for (const auto& args : commands) {
      if (args[0] == "SELECT") {
        db = std::stoi(args[1]);
        continue;
      }
      const CommandSpec* spec = find_command(args[0]);
      if (has_subcommands(*spec)) spec = find_subcommand(spec->name, args[1]);
      running->transaction.commands.push_back({spec, args, db});
    }
    running->transaction.watched = watched;
    running->request.resume = [at = running.get()] { at->again = true; };
    return running;
  }
  // Runs until it is done, `turns_max` turns long.
  bool go_on(Running& running, int turns_max = 10'000) {
    for (int i = 0; i < turns_max && !disk_->crashed(); ++i) {
      if (std::exchange(running.again, false)) {
        running.done = store_->run(running.transaction, running.request) == Store::Outcome::kDone;
        if (running.done) return true;
      }
      turn();
      if (i % 100 == 99) {
        clock_.advance(Millis(100));
        store_->tick();
      }
    }
    return false;
  }
  // The reply once it may leave; "" when it never can.
  std::string outcome(Running& running) {
    const auto waits = [](const Dependency& dependency) { return dependency.end > dependency.log->released(); };
    for (int i = 0; i < 10'000 && std::ranges::any_of(running.request.dependencies, waits); ++i) {
      if (disk_->crashed()) return "";
      turn();
    }
    const Transaction& transaction = running.transaction;
    if (transaction.result == Transaction::Result::kChanged) return "(nil)";
    if (transaction.result == Transaction::Result::kRefused) return transaction.error;
    std::string text;
    for (const std::string& reply : transaction.replies) text += reply;
    return text;
  }
  std::string exec(const Commands& commands, const std::vector<WatchedKey>& watched = {}) {
    if (GetParam()) evict_all();
    const auto running = begin(commands, watched);
    return go_on(*running) ? outcome(*running) : "";
  }
  WatchedKey watch(const std::string& key) { return {db_, key, store_->newest_record(db_, 0, key)}; }
};

INSTANTIATE_TEST_SUITE_P(Store, TransactionTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Cold" : "Warm"; });

TEST_P(TransactionTest, CommandsSeeWhatThoseBeforeThemWrote) {
  EXPECT_EQ(run({"MSET", "a", "1", "b", "two", "c", "3"}), kOk);
  EXPECT_EQ(exec({{"INCR", "a"},
                  {"APPEND", "b", "!"},
                  {"RENAME", "b", "d"},
                  {"GET", "b"},
                  {"GET", "d"},
                  {"DEL", "c", "none"},
                  {"EXISTS", "a", "b", "c", "d"},
                  {"SETNX", "c", "again"},
                  {"EXPIRE", "c", "10"},
                  {"TTL", "c"},
                  {"MGET", "a", "b", "c"},
                  {"SET", "a", "x", "GET"}}),
            integer(2) + integer(4) + kOk + kNull + bulk("two!") + integer(1) + integer(2) + integer(1) + integer(1) +
                integer(10) + array({bulk("2"), kNull, bulk("again")}) + bulk("2"));
  EXPECT_EQ(run({"MGET", "a", "b", "c", "d"}), array({bulk("x"), kNull, bulk("again"), bulk("two!")}));
  EXPECT_EQ(run({"TTL", "c"}), integer(10));
}

TEST_P(TransactionTest, ErrorsStandAmongTheReplies) {
  EXPECT_EQ(run({"SET", "a", "text"}), kOk);
  EXPECT_EQ(exec({{"SET", "b", "1"}, {"INCR", "a"}, {"INCR", "b"}, {"SET", "k", "v", "FOO"}}),
            kOk + kNotInteger + integer(2) + kSyntax);
  EXPECT_EQ(run({"GET", "b"}), bulk("2"));
  const std::string key(kKeySizeMax + 1, 'k');
  EXPECT_EQ(exec({{"SET", "b", "3"}, {"SET", key, "v"}}).substr(0, 9), kOk + "-ERR");
  EXPECT_EQ(run({"GET", "b"}), bulk("3"));
}

// Such a time is on the record only, so to tell whether the key is there may take a read.
TEST_P(TransactionTest, TimesThatTheIndexCannotHold) {
  const std::string late = "300000000000000";
  EXPECT_EQ(run({"SET", "a", "1"}), kOk);
  EXPECT_EQ(run({"SET", "b", "2", "PXAT", late}), kOk);
  EXPECT_EQ(run({"SET", "c", "3", "PXAT", late}), kOk);
  EXPECT_EQ(exec({{"DEL", "a", "b"}, {"MSETNX", "d", "4", "c", "5"}, {"PEXPIRETIME", "c"}, {"EXISTS", "b", "c"}}),
            integer(2) + integer(0) + ":" + late + "\r\n" + integer(1));
  EXPECT_EQ(exec({{"DEL", "c"}, {"SETNX", "c", "6"}, {"TTL", "c"}}), integer(1) + integer(1) + integer(-1));
}

TEST_P(TransactionTest, TheKeyspaceAsItIsWithin) {
  EXPECT_EQ(exec({{"DBSIZE"}, {"KEYS", "*"}, {"RANDOMKEY"}}), integer(0) + "*0\r\n" + kNull);
  EXPECT_EQ(run({"MSET", "a", "1", "b", "2"}), kOk);
  EXPECT_EQ(exec({{"KEYS", "*"},
                  {"GET", "a"},
                  {"DEL", "a"},
                  {"SET", "c", "3"},
                  {"SET", "b", "4"},
                  {"DEL", "none"},
                  {"DBSIZE"},
                  {"DEL", "b"},
                  {"KEYS", "*"},
                  {"RANDOMKEY"},
                  {"SCAN", "0", "COUNT", "100"}}),
            array({bulk("a"), bulk("b")}) + bulk("1") + integer(1) + kOk + kOk + integer(0) + integer(2) + integer(1) +
                array({bulk("c")}) + bulk("c") + array({bulk("0"), array({bulk("c")})}));
  EXPECT_EQ(run({"DBSIZE"}), integer(1));
}

TEST_P(TransactionTest, FlushIsPartOfIt) {
  EXPECT_EQ(run({"MSET", "a", "1", "b", "2"}), kOk);
  EXPECT_EQ(exec({{"SET", "x", "1"}, {"FLUSHDB"}, {"DBSIZE"}, {"GET", "a"}, {"SET", "b", "3"}, {"DBSIZE"}}),
            kOk + kOk + integer(0) + kNull + kOk + integer(1));
  EXPECT_EQ(run({"KEYS", "*"}), array({bulk("b")}));
  lose_power();
  EXPECT_EQ(run({"KEYS", "*"}), array({bulk("b")}));
  EXPECT_EQ(exec({{"SET", "c", "1"}, {"FLUSHALL"}}), kOk + kOk);
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), integer(0));
}

TEST_P(TransactionTest, SeveralDatabasesAreWritten) {
  EXPECT_EQ(exec({{"SET", "a", "1"}, {"SELECT", "2"}, {"GET", "a"}}), kOk + kNull);
  EXPECT_EQ(exec({{"SET", "c", "9"}, {"SELECT", "2"}, {"SET", "b", "2"}, {"GET", "b"}}), kOk + kOk + bulk("2"));
  EXPECT_EQ(exec({{"MOVE", "a", "2"}, {"EXISTS", "a"}}), integer(1) + integer(0));
  lose_power();
  EXPECT_EQ(run({"MGET", "a", "c"}), array({kNull, bulk("9")}));
  select(2);
  EXPECT_EQ(run({"MGET", "a", "b"}), array({bulk("1"), bulk("2")}));
  EXPECT_EQ(exec({{"FLUSHALL"}, {"SET", "d", "4"}}), kOk + kOk);
  lose_power();
  EXPECT_EQ(run({"KEYS", "*"}), array({bulk("d")}));
  select(0);
  EXPECT_EQ(run({"DBSIZE"}), integer(0));
}

TEST_P(TransactionTest, WatchedKeys) {
  const Commands mark{{"SET", "mark", "1"}};
  EXPECT_EQ(run({"SET", "k", "1"}), kOk);
  const auto fails_after = [&](std::initializer_list<std::string_view> change) {
    const std::vector<WatchedKey> watched{watch("none"), watch("k")};
    if (change.size() != 0) {
      run(change);
    } else {
      advance(Millis(2000));
    }
    const std::string reply = exec(mark, watched);
    return reply == "(nil)" ? "nil" : reply == kOk ? "ok" : reply;
  };
  EXPECT_EQ(fails_after({"GET", "k"}), "ok");
  EXPECT_EQ(fails_after({"SETNX", "k", "other"}), "ok");
  EXPECT_EQ(fails_after({"SET", "other", "1"}), "ok");
  EXPECT_EQ(fails_after({"SET", "k", "1"}), "nil");
  EXPECT_EQ(fails_after({"EXPIRE", "k", "1"}), "nil");
  EXPECT_EQ(fails_after({}), "nil") << "expired";
  EXPECT_EQ(fails_after({}), "ok") << "not there before and after";
  EXPECT_EQ(fails_after({"SET", "k", "2"}), "nil") << "made";
  EXPECT_EQ(fails_after({"DEL", "k"}), "nil");
  EXPECT_EQ(run({"SET", "k", "1"}), kOk);
  EXPECT_EQ(fails_after({"FLUSHDB"}), "nil");
  EXPECT_EQ(run({"SET", "k", "1"}), kOk);
  const WatchedKey before = watch("k");
  EXPECT_EQ(run({"DEL", "k"}), integer(1));
  EXPECT_EQ(run({"SET", "k", "1"}), kOk);
  EXPECT_EQ(exec(mark, {before}), "(nil)") << "deleted and made again";
}

// While it waits for its values, another client writes and values leave RAM: it runs on what is there in the end.
TEST_P(TransactionTest, OthersWriteWhileItWaits) {
  const std::string large(200'000, 'x');
  EXPECT_EQ(run({"MSET", "a", "1", "b", large, "c", "3"}), kOk);
  evict_all();
  const WatchedKey watched = watch("c");
  const auto plain = begin({{"INCR", "a"}, {"STRLEN", "b"}, {"INCR", "c"}});
  const auto watching = begin({{"INCR", "a"}}, {watched});
  EXPECT_FALSE(go_on(*plain, 1));
  EXPECT_FALSE(go_on(*watching, 1));
  EXPECT_EQ(StoreFixture::run({"INCR", "c"}), integer(4));
  evict_all();
  EXPECT_TRUE(go_on(*plain));
  EXPECT_EQ(outcome(*plain), integer(2) + integer(200'000) + integer(5));
  EXPECT_TRUE(go_on(*watching));
  EXPECT_EQ(outcome(*watching), "(nil)");
  EXPECT_EQ(run({"MGET", "a", "c"}), array({bulk("2"), bulk("5")}));
}

TEST_P(TransactionTest, AClientThatLeavesHasDoneNothing) {
  EXPECT_EQ(run({"SET", "a", "1"}), kOk);
  evict_all();
  auto running = begin({{"SET", "b", "1"}, {"INCR", "a"}});
  EXPECT_FALSE(go_on(*running, 1));
  running.reset();
  EXPECT_TRUE(settle());
  EXPECT_EQ(run({"MGET", "a", "b"}), array({bulk("1"), kNull}));
}

TEST_P(TransactionTest, WhatHasNoRoomIsRefusedWhole) {
  SimDiskOptions disk;
  disk.capacity = std::uint64_t{3} << 20;
  options_.segment_bytes = std::int64_t{1} << 20;
  use_disk(disk);
  EXPECT_EQ(run({"SET", "a", "1"}), kOk);
  const std::string value(1'500'000, 'x');
  EXPECT_EQ(exec({{"SET", "a", "2"}, {"SET", "b", value}, {"SET", "c", value}}).substr(0, 7), "NOSPACE");
  EXPECT_EQ(run({"MGET", "a", "b", "c"}), array({bulk("1"), kNull, kNull}));
  EXPECT_EQ(exec({{"DEL", "a"}, {"GET", "a"}}), integer(1) + kNull);
}

TEST_P(TransactionTest, TooManyBytesAreRefusedWhole) {
  if (GetParam()) GTEST_SKIP() << "half a gigabyte, and the limits do not ask where values come from";
  const std::string large(32 << 20, 'x');
  EXPECT_EQ(run({"SET", "a", large}), kOk);
  Commands copies{{"SET", "mark", "1"}};
  for (int i = 0; i < 17; ++i) copies.push_back({"COPY", "a", "copy" + std::to_string(i)});
  EXPECT_NE(exec(copies).find("transaction write limit"), std::string::npos);
  EXPECT_EQ(run({"DBSIZE"}), integer(1));
  EXPECT_NE(exec(Commands(17, {"GET", "a"})).find("transaction reply limit"), std::string::npos);
}

// The batch is larger than what is prepared, and larger than a segment.
TEST_P(TransactionTest, ManyRecordsAreOneBatch) {
  options_.segment_bytes = std::int64_t{1} << 20;
  use_disk({.seed = 1, .delay_max = 4});
  Commands commands;
  for (int i = 0; i < 30; ++i) commands.push_back({"SET", "k" + std::to_string(i), std::string(100'000, 'v')});
  EXPECT_EQ(run({"SET", "first", "1"}), kOk);
  const std::uint64_t before = store_->partition(0, 0)->log().counters().batches;
  EXPECT_EQ(exec(commands).size(), 30 * kOk.size());
  EXPECT_EQ(store_->partition(0, 0)->log().counters().batches, before + 1);
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), integer(31));
}

// Power goes at each operation of the disk, and each time other sectors of the last write are on it.
TEST_P(TransactionTest, AfterAPowerLossAllOrNothing) {
  std::size_t all = 0;
  std::size_t none = 0;
  for (const std::uint64_t seed : seeds(GetParam() ? 40 : 160)) {
    SCOPED_TRACE("MINOD_SEED=" + std::to_string(seed));
    Random chance(seed);
    SimDiskOptions disk;
    disk.seed = seed;
    disk.delay_max = 3;
    disk.tear_sectors = true;
    options_.segment_bytes = std::int64_t{1} << 20;
    use_disk(disk);
    const std::string old(300, 'o');
    ASSERT_EQ(run({"MSET", "a", old, "b", old, "c", old, "gone", old}), kOk);
    const auto running = begin({{"SET", "a", std::string(700 + chance.below(9000), 'n')},
                                {"APPEND", "b", std::string(700, 'n')},
                                {"DEL", "gone"},
                                {"RENAME", "c", "d"},
                                {"SET", "e", "n"}});
    disk_->crash_at_operation(disk_->operations() + 1 + chance.below(8));
    std::string acknowledged;
    if (go_on(*running)) acknowledged = outcome(*running);
    disk_->crash_at_operation(0);
    lose_power();
    const std::string keys = run({"EXISTS", "d", "e"});
    ASSERT_EQ(run({"EXISTS", "c", "gone"}), integer(keys == integer(2) ? 0 : 2));
    ASSERT_TRUE(keys == integer(2) || keys == integer(0)) << keys;
    ASSERT_EQ(run({"STRLEN", "b"}), integer(keys == integer(2) ? 1000 : 300));
    ASSERT_EQ(run({"STRLEN", "a"}) == integer(300), keys == integer(0));
    if (!acknowledged.empty()) {
      ASSERT_EQ(keys, integer(2)) << "acknowledged";
    }
    ++(keys == integer(2) ? all : none);
  }
  EXPECT_GT(none, 0u);
  EXPECT_GT(all, 0u);
}

}  // namespace
}  // namespace minod
