// What a compaction may drop, and what has to stay because something older could come back.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "log/segment_name.h"
#include "tests/sim/compaction_fixture.h"
#include "tests/sim/seeds.h"

namespace minod {
namespace {

// Trap 9. The index knows a record that is not durable yet; what it replaces must not go before it is.
TEST_F(Compaction, NothingIsDroppedForARecordThatACrashTakesBack) {
  for (const std::uint64_t seed : seeds(40)) {
    begin({.seed = seed, .delay_max = 1 + static_cast<unsigned>(seed % 6)});
    set("key", "acknowledged");
    const Offset end = seal();
    append_only("key", "in flight");
    ASSERT_TRUE(compactor().compact(partition(), Offset(0), end));
    for (std::uint64_t i = 0; i < seed; ++i) {
      disk_->poll();
      if (i % 3 == 0) store_->tick();
    }
    lose_power(Survival::kNothing);
    EXPECT_EQ(get("key"), "acknowledged") << "seed " << seed;
  }
}

// As above, for one that comes when a part of the segment has been judged already.
TEST_F(Compaction, NothingIsDroppedForARecordThatComesBetweenTwoSlices) {
  for (std::uint64_t polls = 0; polls < 30; ++polls) {
    begin({.seed = polls});
    for (int i = 0; i < 40; ++i) set("other" + std::to_string(i), std::string(20'000, 'o'));
    set("key", "acknowledged");  // in the last slice
    const Offset end = seal();
    ASSERT_TRUE(compactor().compact(partition(), Offset(0), end));
    const auto go_on = [this](std::uint64_t count) {
      for (std::uint64_t i = 0; i < count; ++i) {
        disk_->poll();
        store_->tick();
      }
    };
    go_on(polls);
    append_only("key", "in flight");
    go_on(200);
    lose_power(Survival::kNothing);
    EXPECT_EQ(get("key"), "acknowledged") << "after " << polls << " polls";
  }
}

TEST_F(Compaction, UnderEverySecTheJudgementIsMadeDurableFirst) {
  store_->set_sync_policy(SyncPolicy::kEverySec);
  set("key", "old");
  store_->sync_logs();
  const Offset end = seal();
  set("key", "new");
  ASSERT_TRUE(compact(Offset(0), end));
  lose_power(Survival::kNothing);
  EXPECT_EQ(get("key"), "new");
}

// Trap 11.
TEST_F(Compaction, NothingComesBackWhicheverSegmentsAreCompacted) {
  const std::vector<std::string> endings{"expire", "del", "flush", "set and del"};
  for (const std::string& ending : endings) {
    for (unsigned subset = 0; subset < 64; ++subset) {
      begin({.seed = subset});
      set("k", "without a time");
      set("stays", "1");
      seal();
      ASSERT_EQ(run({"SET", "k", "with a time", "PX", "1000"}), "+OK\r\n");
      seal();
      if (ending == "expire") advance(Millis(2000));
      if (ending == "del") del("k");
      if (ending == "flush") {
        EXPECT_TRUE(run({"FLUSHDB"}) == "+OK\r\n");
      }
      if (ending == "set and del") set("k", "again"), del("k");
      EXPECT_EQ(get("k"), "-");
      set("other", "x");
      const Offset end = seal();
      ASSERT_NE(end, Offset(0));
      // Two passes, of three segments each, in the order of the bits.
      for (unsigned pass = 0; pass < 2; ++pass) {
        for (unsigned bit = 0; bit < 3; ++bit) {
          const unsigned which = subset & 1 ? bit : 2 - bit;
          if ((subset >> (pass * 3 + bit) & 1) == 0) continue;
          const std::vector<Offset> bases = segments();
          if (which + 1 < bases.size()) {
            ASSERT_TRUE(compact(bases[which], bases[which + 1]));
          }
        }
      }
      lose_power();
      EXPECT_EQ(get("k"), "-") << ending << ", subset " << subset;
      EXPECT_EQ(get("other"), "x");
      EXPECT_EQ(get("stays"), ending == "flush" ? "-" : "1");
    }
  }
}

TEST_F(Compaction, AnErasureGoesOnceNothingOlderIsLeft) {
  set("k", "v");
  set("stays", "1");
  const Offset first = seal();
  del("k");
  set("other", "2");
  const Offset second = seal();
  set("more", "3");
  seal();
  ASSERT_TRUE(compact(first, second));
  EXPECT_EQ(records_on_disk()[Offset(2)], "k del") << "the first segment still has an older version";
  ASSERT_TRUE(compact(Offset(0), first));
  ASSERT_TRUE(compact(first, second));
  EXPECT_EQ(records_on_disk(),
            (std::map<Offset, std::string>{{Offset(1), "stays=1"}, {Offset(3), "other=2"}, {Offset(4), "more=3"}}));
  lose_power();
  EXPECT_EQ(get("k"), "-");
}

TEST_F(Compaction, AnErasureStaysForItsRetention) {
  options_.compaction.delete_retention = Millis(60'000);
  lose_power();
  set("k", "v");
  del("k");
  ASSERT_TRUE(compact_all());
  EXPECT_EQ(records_on_disk(), (std::map<Offset, std::string>{{Offset(1), "k del"}}));
  advance(Millis(61'000));
  set("x", "y");
  ASSERT_TRUE(compact_all());
  EXPECT_EQ(records_on_disk(), (std::map<Offset, std::string>{{Offset(2), "x=y"}}));
}

// A checkpoint that holds the key knows of its end only by the log.
TEST_F(Compaction, AnErasureStaysWhileACheckpointReplaysFromBelowIt) {
  set("k", "v");
  partition().set_replay_begin(Offset(1));
  del("k");
  ASSERT_TRUE(compact_all());
  EXPECT_EQ(records_on_disk(), (std::map<Offset, std::string>{{Offset(1), "k del"}}));
}

// Two checkpoints are on disk, and a restart may have to stand on the older one: it still holds the key.
TEST_F(Compaction, AnErasureStaysWhileTheOlderCheckpointReplaysFromBelowIt) {
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted ? "restarted" : "not restarted");
    begin({});
    options_.checkpoint_bytes = 1;
    use_disk({});
    set("k", "v");
    set("stays", "1");
    const Offset second = seal();
    write_checkpoint();
    if (restarted) lose_power();
    EXPECT_EQ(partition().replay_begin(), second);
    del("k");
    set("other", "2");
    write_checkpoint();
    EXPECT_EQ(partition().replay_begin(), second);
    const Offset third = seal();
    ASSERT_TRUE(compact(Offset(0), second));
    ASSERT_TRUE(compact(second, third));
    EXPECT_EQ(records_on_disk(),
              (std::map<Offset, std::string>{{Offset(1), "stays=1"}, {Offset(2), "k del"}, {Offset(3), "other=2"}}));
    ASSERT_TRUE(disk_->remove("data/db0-0/checkpoint.b"));
    ASSERT_TRUE(disk_->sync_directory("data/db0-0"));
    lose_power();
    EXPECT_EQ(report_.checkpoint_records, 2);
    EXPECT_EQ(get("k"), "-");
    EXPECT_EQ(get("stays"), "1");
    EXPECT_EQ(run({"DBSIZE"}), ":2\r\n");
  }
}

TEST_F(Compaction, ALogStartGoesWithTheSegmentsItSpeaksOf) {
  for (int i = 0; i < 10; ++i) set("k" + std::to_string(i), "v");
  ASSERT_EQ(run({"FLUSHDB"}), "+OK\r\n");
  set("after", "1");
  ASSERT_TRUE(compact_all());
  EXPECT_EQ(records_on_disk(), (std::map<Offset, std::string>{{Offset(11), "after=1"}}));
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), ":1\r\n");
}

// A restart knows by it that what is before the first segment was dropped, and is not missing.
TEST_F(Compaction, ALogStartStaysWhenTheSegmentsItSpeaksOfAreGone) {
  for (int i = 0; i < 10; ++i) set("k" + std::to_string(i), "v");
  const Offset second = seal();
  ASSERT_EQ(run({"FLUSHDB"}), "+OK\r\n");
  set("after", "1");
  const Offset third = seal();
  ASSERT_EQ(segments(), (std::vector<Offset>{second, third}));
  ASSERT_TRUE(compact(second, third));
  EXPECT_EQ(records_on_disk(), (std::map<Offset, std::string>{{Offset(10), "flush"}, {Offset(11), "after=1"}}));
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), ":1\r\n");
}

}  // namespace
}  // namespace minod
