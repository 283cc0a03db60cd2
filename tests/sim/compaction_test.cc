// Compaction of a store on a simulated disk: what comes of the segments, and what a crash at each step leaves.
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

TEST_F(Compaction, KeepsTheNewestRecordOfEachKeyAtItsOffset) {
  for (int i = 0; i < 300; ++i) set("key" + std::to_string(i % 10), "value" + std::to_string(i));
  ASSERT_TRUE(compact_all());
  EXPECT_EQ(records_on_disk().size(), 10u);
  EXPECT_EQ(records_on_disk().begin()->first, Offset(290));
  EXPECT_EQ(segments(), (std::vector<Offset>{Offset(0), Offset(300)}));
  evict_all();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("key" + std::to_string(i)), "value" + std::to_string(290 + i));
  lose_power();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("key" + std::to_string(i)), "value" + std::to_string(290 + i));
  set("key0", "new");
  EXPECT_EQ(get("key0"), "new");
}

TEST_F(Compaction, MakesOneSegmentOfNeighbours) {
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 20; ++i) set("key" + std::to_string(round * 5 + i), std::string(2000, 'a'));
    seal();
  }
  ASSERT_EQ(segments().size(), 5u);
  ASSERT_TRUE(compact_all());
  EXPECT_EQ(segments().size(), 2u);
  EXPECT_EQ(records_on_disk().size(), 35u);
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), ":35\r\n");
}

// The place where a checkpoint begins is not there any more when its segment is rewritten: a new one follows by itself.
TEST_F(Compaction, ACheckpointThatARewriteMakesUselessIsReplaced) {
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted);
    begin({});
    options_.checkpoint_bytes = std::int64_t{1} << 20;
    use_disk({});
    for (int i = 0; i < 150; ++i) set("key" + std::to_string(i % 100), std::string(10'000, 'a'));
    write_checkpoint();
    for (int i = 0; i < 20; ++i) set("key" + std::to_string(i), "b");
    if (restarted) {
      lose_power();
      EXPECT_GT(report_.checkpoint_records, 0);
    }
    const std::uint64_t before = store_->checkpointer().counters().written;
    const Offset begun = partition().newest_checkpoint();
    ASSERT_NE(begun, kNoCheckpoint);
    ASSERT_TRUE(compact_all());
    for (int i = 0; i < 200 && store_->checkpointer().counters().written == before; ++i) {
      store_->tick();
      turn();
    }
    EXPECT_EQ(store_->checkpointer().counters().written, before + 1);
    EXPECT_GT(partition().newest_checkpoint(), begun);
    settle();
    lose_power();
    EXPECT_EQ(report_.checkpoint_records, 100);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(get("key" + std::to_string(i)), "b");
    EXPECT_EQ(get("key99"), std::string(10'000, 'a'));
    for (int i = 0; i < 50; ++i) {
      store_->tick();
      turn();
    }
    EXPECT_EQ(store_->checkpointer().counters().written, 0u) << "one is enough";
  }
}

TEST_F(Compaction, ASegmentWithNothingLiveKeepsItsOffsets) {
  for (int i = 0; i < 20; ++i) set("key", "old" + std::to_string(i));
  const Offset first = seal();
  set("key", "new");
  seal();
  ASSERT_TRUE(compact(Offset(0), first));
  EXPECT_EQ(records_on_disk().size(), 1u);
  EXPECT_EQ(partition().log().segments().begin()->second.end, FilePosition(61));
  lose_power();
  EXPECT_EQ(get("key"), "new");
}

// What a restart does not count batch by batch is known to be garbage all the same.
TEST_F(Compaction, SegmentsThatARestartHasNotReadAreChosen) {
  for (const bool from_checkpoint : {false, true}) {
    SCOPED_TRACE(from_checkpoint ? "checkpoint" : "hint");
    begin({});
    options_.checkpoint_bytes = from_checkpoint ? 1 : 0;
    use_disk({});
    for (int i = 0; i < 300; ++i) set("key" + std::to_string(i % 10), "value" + std::to_string(i));
    seal();
    set("more", "1");
    if (from_checkpoint) write_checkpoint();
    options_.compaction.enabled = true;
    lose_power();
    EXPECT_EQ(from_checkpoint ? report_.checkpoint_records : report_.hint_records, from_checkpoint ? 11 : 300);
    for (int i = 0; i < 1000 && store_->compaction_report().runs == 0; ++i) {
      turn();
      advance(Millis(100));
    }
    EXPECT_EQ(store_->compaction_report().runs, 1u);
    EXPECT_EQ(store_->compaction_report().records_dropped, 290u);
    EXPECT_EQ(records_on_disk().size(), 11u);
    for (int i = 0; i < 100; ++i) {
      turn();
      advance(Millis(100));
    }
    lose_power();
    EXPECT_EQ(run({"DBSIZE"}), ":11\r\n");
    for (int i = 0; i < 100; ++i) {
      turn();
      advance(Millis(100));
    }
    EXPECT_EQ(store_->compaction_report().runs, 0u) << "what was compacted is not chosen again";
  }
}

// Traps 8 and 12: power fails at each operation of a compaction, with a second failure in the restart.
TEST_F(Compaction, ACrashAtAnyStepLeavesTheOldSegmentsOrTheNewOne) {
  for (const Survival survival : {Survival::kSome, Survival::kNothing, Survival::kAll}) {
    int steps = 0;
    for (bool crashed = true; crashed; ++steps) {
      begin({.seed = static_cast<std::uint64_t>(steps)});
      for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 30; ++i) set("key" + std::to_string(i % (10 + round)), "r" + std::to_string(round));
        if (round == 1) del("key10");
        seal();
      }
      set("key0", "last");
      settle();
      disk_->crash_at_operation(disk_->operations() + 1 + static_cast<std::uint64_t>(steps));
      const bool started = compactor().compact(partition(), segments()[0], segments()[3]);
      ASSERT_TRUE(started);
      finish_compaction();
      crashed = disk_->crashed();
      crash(survival);
      const std::size_t shown = records_on_disk().size();
      EXPECT_TRUE(shown == 12 || shown == 92) << "tools see " << shown << " records";
      if (crashed) {
        disk_->crash_at_operation(disk_->operations() + 1 + static_cast<std::uint64_t>(steps % 9));
        if (try_start()) settle();
        crash(survival);
      }
      start();
      for (int i = 0; i < 12; ++i) {
        const std::string expected = i == 0 ? "last" : "r2";
        EXPECT_EQ(get("key" + std::to_string(i)), expected) << "step " << steps << ", key " << i;
      }
      EXPECT_EQ(run({"DBSIZE"}), ":12\r\n");
      EXPECT_EQ(files().find(".cleaned"), std::string::npos);
      EXPECT_EQ(files().find(".swap"), std::string::npos);
      const std::size_t count = records_on_disk().size();
      EXPECT_TRUE(count == 12 || count == 92) << count << " records";
      if (HasFailure()) return;
      ASSERT_LT(steps, 500);
    }
    EXPECT_GT(steps, 10) << "a compaction has more operations than this";
  }
}

// Trap 12: reads, overwrites and a flush between all steps of a compaction.
TEST_F(Compaction, OthersGoOnBetweenItsSteps) {
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    begin({.seed = seed, .delay_max = 1 + static_cast<unsigned>(seed % 5)});
    Random chance(seed);
    std::map<std::string, std::string> model;
    const auto write = [&] {
      const std::string key = "key" + std::to_string(chance.below(20));
      model[key] = std::to_string(chance.next());
      set(key, model[key]);
    };
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 40; ++i) write();
      seal();
    }
    evict_all();
    const std::vector<Offset> bases = segments();
    ASSERT_TRUE(compactor().compact(partition(), bases[0], bases[3]));
    const std::uint64_t flush_at = seed % 4 == 0 ? chance.below(40) : 1000;
    for (std::uint64_t i = 0; i < 60; ++i) {
      turn();
      if (chance.one_in(3)) write();
      if (chance.one_in(3)) store_->tick();
      if (chance.one_in(3)) {
        const std::string key = "key" + std::to_string(chance.below(20));
        EXPECT_EQ(get(key), model.contains(key) ? model[key] : "-");
      }
      if (chance.one_in(8)) evict_all();
      if (i == flush_at) {
        ASSERT_EQ(run({"FLUSHDB"}), "+OK\r\n");
        model.clear();
      }
    }
    finish_compaction();
    for (int pass = 0; pass < 2; ++pass) {
      EXPECT_EQ(run({"DBSIZE"}), ":" + std::to_string(model.size()) + "\r\n");
      for (const auto& [key, value] : model) EXPECT_EQ(get(key), value);
      lose_power();
    }
    if (HasFailure()) return;
  }
}

// Overwrites fill the disk with garbage only; there is always room to compact it.
TEST_F(Compaction, MakesRoomOnAFullDisk) {
  begin({.capacity = std::uint64_t{6} << 20});
  options_.compaction.enabled = true;
  store_->compactor().set_options(options_.compaction);
  const std::string value(50'000, 'x');
  int refused = 0;
  for (int i = 0; i < 600; ++i) {
    const std::string reply = run({"SET", "key" + std::to_string(i % 20), value + std::to_string(i)});
    if (reply == "+OK\r\n") continue;
    EXPECT_EQ(reply.substr(0, 8), "-NOSPACE");
    ++refused;
    for (int j = 0; j < 30; ++j) {
      turn();
      if (j % 3 == 0) advance(Millis(100));
    }
  }
  EXPECT_LT(refused, 300);
  EXPECT_GT(store_->compaction_report().runs, 5u);
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), ":20\r\n");
}

}  // namespace
}  // namespace minod
