// Compaction of a store on a simulated disk: what is kept, what may go, and what a crash at each step leaves.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "log/segment_name.h"
#include "replay/log_walk.h"
#include "tests/sim/seeds.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class Compaction : public StoreFixture {
 protected:
  Compaction() { begin({}); }

  void begin(SimDiskOptions disk) {
    options_ = StoreOptions();
    options_.segment_bytes = std::int64_t{1} << 20;
    options_.compaction.enabled = false;  // these tests say when
    options_.compaction.bytes_per_second = 0;
    options_.compaction.delete_retention = Millis(0);
    use_disk(disk);
  }

  Partition& partition() { return *store_->partition(0, 0); }
  Compactor& compactor() { return store_->compactor(); }

  void set(const std::string& key, const std::string& value) { EXPECT_EQ(run({"SET", key, value}), "+OK\r\n"); }
  void del(const std::string& key) { EXPECT_EQ(run({"DEL", key}), ":1\r\n"); }
  std::string get(const std::string& key) {
    const std::string reply = run({"GET", key});
    if (reply == "$-1\r\n") return "-";
    return reply.substr(std::min(reply.find('\n') + 1, reply.size()), reply.size() - reply.find('\n') - 3);
  }

  // It is in the index, and not on its way to the disk yet.
  void append_only(std::string_view key, std::string_view value) {
    const std::vector<std::string_view> args{"SET", key, value};
    Request request;
    request.args = args;
    request.resume = [] {};
    ByteQueue out;
    Reply reply(out, Protocol::kResp2);
    ASSERT_EQ(store_->run(*find_command("SET"), request, reply, out), Store::Outcome::kDone);
  }

  // What was written so far is in sealed segments; returns the base offset of the active one.
  Offset seal() {
    settle();
    for (int i = 0; i < 100 && !partition().log().leave_active(); ++i) settle();
    settle();
    return partition().log().segments().rbegin()->first;
  }

  std::vector<Offset> segments() {
    std::vector<Offset> bases;
    for (const auto& [base, segment] : partition().log().segments()) bases.push_back(base);
    return bases;
  }

  // Runs until the compaction has ended; false when the power is gone.
  bool finish_compaction(int rounds = 2000) {
    for (int i = 0; i < rounds && !disk_->crashed(); ++i) {
      turn();
      if (i % 10 == 9) advance(Millis(100));
      if (!compactor().busy()) return settle();
    }
    return false;
  }
  bool compact(Offset base, Offset end) { return compactor().compact(partition(), base, end) && finish_compaction(); }
  bool compact_all() {
    const Offset end = seal();
    return end == segments().front() || compact(segments().front(), end);
  }

  void write_checkpoint() {
    settle();
    const std::uint64_t before = store_->checkpointer().counters().written;
    for (int i = 0; i < 1000 && store_->checkpointer().counters().written == before; ++i) {
      store_->tick();
      turn();
    }
    EXPECT_EQ(store_->checkpointer().counters().written, before + 1);
    settle();
  }

  // Everything that tools see: no damage, and the records.
  std::map<Offset, std::string> records_on_disk() {
    std::map<Offset, std::string> records;
    LogVisitor visitor;
    visitor.record = [&](const BatchHeader& header, const RecordView& record) {
      std::string text = header.is_control() ? "flush" : std::string(record.key);
      if (!header.is_control()) text += record.has_value ? "=" + std::string(record.value.substr(0, 8)) : " del";
      records[record.offset] = text;
      return true;
    };
    visitor.damage = [&](const LogDamage& damage) {
      ADD_FAILURE() << damage_text(damage);
      return true;
    };
    const auto found = list_segments(*disk_, "data/db0-0");
    EXPECT_TRUE(found);
    LogWalk walk(*disk_, LogRange{}, std::move(visitor));
    EXPECT_TRUE(walk.run(*found, std::nullopt));
    return records;
  }

  std::string files() {
    std::string names;
    const auto entries = disk_->list("data/db0-0");
    for (const DirectoryEntry& entry : *entries) names += entry.name + " ";
    return names;
  }
};

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
