// Restarts from checkpoints and hints: what comes out is what the whole log says, or these files are ignored. Trap 14:
// checkpoint and log disagree.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "index/checkpoint_file.h"
#include "index/hint_file.h"
#include "log/segment_name.h"
#include "tests/replay/whole_log.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class CheckpointTest : public StoreFixture {
 protected:
  CheckpointTest() {
    options_.segment_bytes = std::int64_t{1} << 20;
    options_.checkpoint_bytes = 1;
    use_disk({});
  }
  ~CheckpointTest() override { stop(); }

  static std::string path(std::string_view name) { return "data/db0-0/" + std::string(name); }
  Partition& partition() { return *store_->partition(0, 0); }

  // Keys that stay, change, go and expire.
  void write_some(int round) {
    for (int i = 0; i < 60; ++i) {
      const std::string key = "key" + std::to_string((round * 37 + i) % 200);
      if (i % 7 == 3) {
        run({"DEL", key});
      } else if (i % 5 == 2) {
        run({"SET", key, "expires", "PX", std::to_string(100'000 + i)});
      } else {
        run({"SET", key, std::to_string(round) + std::string(static_cast<std::size_t>(i) * 10, 'v')});
      }
    }
  }
  void write_checkpoint() {
    settle();
    const std::uint64_t before = store_->checkpointer().counters().written;
    for (int i = 0; i < 1000 && store_->checkpointer().counters().written == before; ++i) {
      store_->tick();
      for (int j = 0; j < 50; ++j) turn();
    }
    ASSERT_EQ(store_->checkpointer().counters().written, before + 1);
    settle();
  }
  void kill() {
    settle();
    disk_->kill();
    store_->abandon();
    store_.reset();
  }
  // The next writes make no checkpoint.
  void restart() {
    kill();
    start();
    expect_whole_log();
  }
  void expect_whole_log() {
    const auto whole = test::read_whole_log(*disk_, "data/db0-0", store_->hasher());
    test::expect_same(partition(), *whole);
  }

  std::string contents(const std::string& path) {
    const auto text = read_file(*disk_, path, std::size_t{64} << 20);
    EXPECT_TRUE(text) << path;
    return text ? *text : "";
  }
  void put(const std::string& name, std::string_view text) {
    ASSERT_TRUE(replace_file(*disk_, "data/db0-0", name, as_bytes(text)));
  }
  void remove_checkpoints() {
    for (const std::string_view name : kCheckpointNames) (void)disk_->remove(path(name));
  }
  std::vector<std::string> names_with(std::string_view part) {
    std::vector<std::string> names;
    const auto entries = disk_->list("data/db0-0");
    for (const DirectoryEntry& entry : *entries) {
      if (entry.name.find(part) != std::string::npos) names.push_back(entry.name);
    }
    return names;
  }
};

TEST_F(CheckpointTest, ARestartStandsOnIt) {
  write_some(0);
  write_checkpoint();
  write_some(1);
  restart();
  EXPECT_GT(report_.checkpoint_records, 0);
  EXPECT_LT(report_.checkpoint_records, report_.records);
  EXPECT_TRUE(report_.ignored.empty());
  write_some(2);
  write_checkpoint();
  restart();
  EXPECT_EQ(report_.records, report_.checkpoint_records);
  lose_power();
  expect_whole_log();
}

TEST_F(CheckpointTest, TwoFilesTakeTurns) {
  for (int round = 0; round < 4; ++round) {
    write_some(round);
    write_checkpoint();
  }
  EXPECT_EQ(names_with("checkpoint."), (std::vector<std::string>{"checkpoint.a", "checkpoint.b"}));
  restart();
  EXPECT_EQ(report_.records, report_.checkpoint_records) << "the newer one is chosen";
}

TEST_F(CheckpointTest, ACleanStopWritesOne) {
  options_.checkpoint_bytes = 10'000;
  use_disk({});
  write_some(0);
  settle();
  store_->checkpoint_now();
  stop();
  start();
  EXPECT_GT(report_.checkpoint_records, 0);
  expect_whole_log();
}

TEST_F(CheckpointTest, WhatIsDamagedAnywhereIsIgnored) {
  write_some(0);
  write_checkpoint();
  write_some(1);
  kill();
  const std::string whole = contents(path("checkpoint.a"));
  ASSERT_GT(whole.size(), 1000u);
  for (std::size_t at = 0; at < whole.size(); at += at < 200 || at + 60 > whole.size() ? 1 : 53) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    put("checkpoint.a", flipped);
    start();
    ASSERT_EQ(report_.ignored.size(), 1u) << "byte " << at;
    ASSERT_EQ(report_.checkpoint_records, 0);
    expect_whole_log();
    ASSERT_TRUE(names_with("checkpoint.a").empty()) << "it is gone before the log grows";
    kill();
  }
  for (std::size_t size = 0; size < whole.size(); size += 71) {
    put("checkpoint.a", std::string_view(whole).substr(0, size));
    start();
    ASSERT_EQ(report_.ignored.size(), 1u) << "cut at " << size;
    expect_whole_log();
    kill();
  }
  put("checkpoint.a", whole);
  start();
  EXPECT_GT(report_.checkpoint_records, 0);
}

TEST_F(CheckpointTest, TheOlderOneServesWhenTheNewerIsDamaged) {
  write_some(0);
  write_checkpoint();
  write_some(1);
  write_checkpoint();
  write_some(2);
  kill();
  std::string newer = contents(path("checkpoint.b"));
  newer[newer.size() / 2] = static_cast<char>(newer[newer.size() / 2] ^ 1);
  put("checkpoint.b", newer);
  start();
  EXPECT_EQ(report_.ignored.size(), 1u);
  EXPECT_GT(report_.checkpoint_records, 0);
  expect_whole_log();
}

TEST_F(CheckpointTest, OneOfAnotherSeedOrDirectoryOrLogIsIgnored) {
  write_some(0);
  write_checkpoint();
  kill();
  const std::string whole = contents(path("checkpoint.a"));
  options_.hash_seed[0] = 99;
  start();
  EXPECT_EQ(report_.ignored.size(), 1u);
  expect_whole_log();
  kill();

  options_.hash_seed[0] = 0;
  start();
  select(1);
  ASSERT_EQ(run({"SET", "key1", "of another database"}), "+OK\r\n");
  select(0);
  kill();
  ASSERT_TRUE(replace_file(*disk_, "data/db1-0", "checkpoint.a", as_bytes(whole)));
  start();
  EXPECT_EQ(report_.ignored.size(), 1u);
  select(1);
  EXPECT_EQ(run({"DBSIZE"}), ":1\r\n");
  select(0);
}

TEST_F(CheckpointTest, OneThatIsNewerThanTheLogIsIgnored) {
  write_some(0);
  const Offset cut_at = partition().log().marks().durable();
  const FilePosition position = partition().log().segments().rbegin()->second.end;
  write_some(1);
  write_checkpoint();
  kill();
  const std::string segment = path(segment_name(kFirstOffset, kLogSuffix));
  {
    auto file = disk_->open(segment, OpenMode::kReadWrite);
    ASSERT_TRUE(file);
    const auto size = *(*file)->size_now();
    ASSERT_TRUE((*file)->truncate_now(position.value()));
    ASSERT_TRUE((*file)->prepare_now(position.value(), size));
  }
  start();
  EXPECT_EQ(report_.ignored.size(), 1u);
  EXPECT_EQ(partition().log().marks().appended(), cut_at);
  expect_whole_log();
  // What is appended now takes the offsets that the checkpoint spoke of.
  write_some(5);
  write_some(6);
  kill();
  start();
  EXPECT_EQ(report_.checkpoint_records, 0);
  expect_whole_log();
}

TEST_F(CheckpointTest, OneOfAnotherHistoryIsIgnored) {
  write_some(0);
  kill();
  const std::string segment = path(segment_name(kFirstOffset, kLogSuffix));
  const std::string before = contents(segment);
  start();
  write_some(1);
  write_checkpoint();
  kill();
  const std::string checkpoint = contents(path("checkpoint.a"));
  // The log goes another way from there on, and gets as long.
  remove_checkpoints();
  put(segment_name(kFirstOffset, kLogSuffix), before);
  start();
  for (int round = 0; round < 6; ++round) write_some(round + 7);
  kill();
  remove_checkpoints();
  put("checkpoint.a", checkpoint);
  start();
  EXPECT_EQ(report_.ignored.size(), 1u);
  expect_whole_log();
}

// The walk is under way while keys come, change and go, and sub-tables are split.
TEST_F(CheckpointTest, ItIsRightWhateverHappensMeanwhile) {
  for (const bool flush : {false, true}) {
    SCOPED_TRACE(flush);
    use_disk({.seed = 7, .delay_max = 3});
    for (int part = 0; part < 6; ++part) {
      std::vector<std::string> many{"MSET"};
      for (int i = 0; i < 10'000; ++i) {
        many.push_back("base" + std::to_string(part * 10'000 + i));
        many.push_back(std::string(60, 'v'));
      }
      ASSERT_EQ(run(many), "+OK\r\n");
    }
    settle();
    store_->tick();
    int rounds = 0;
    while (store_->checkpointer().counters().written == 0 && rounds < 2000) {
      std::vector<std::string> more{"MSET"};
      for (int i = 0; i < 40 && rounds < 300; ++i) {
        more.push_back("more" + std::to_string(rounds * 40 + i));
        more.push_back("w");
      }
      if (more.size() > 1) {
        ASSERT_EQ(run(more), "+OK\r\n");
        run({"DEL", "base" + std::to_string(rounds * 11), "more" + std::to_string(rounds)});
        run({"SET", "base" + std::to_string(rounds * 7), "again", "PX", "1000000"});
      }
      if (flush && rounds == 1) run({"FLUSHALL"});
      ++rounds;
      turn();
      if (rounds % 50 == 0) store_->tick();
    }
    ASSERT_GT(store_->checkpointer().counters().written, 0u);
    EXPECT_GT(rounds, 2);
    restart();
    EXPECT_GT(report_.checkpoint_records, 0);
  }
}

TEST_F(CheckpointTest, SegmentsHaveHintsAndARestartReadsThem) {
  options_.checkpoint_bytes = 0;
  use_disk({});
  const std::string large(9'000, 'v');
  for (int i = 0; i < 400; ++i) {
    const std::string key = "key" + std::to_string(i % 150);
    if (i % 11 == 5) {
      run({"DEL", key});
    } else if (i % 4 == 1) {
      run({"SET", key, large, "PX", "1000000"});
    } else {
      run({"SET", key, large});
    }
    if (i == 200) run({"FLUSHALL"});
  }
  settle();
  ASSERT_GT(names_with(".hint").size(), 0u);
  restart();
  EXPECT_GT(report_.hint_records, 0);
  EXPECT_TRUE(report_.ignored.empty());
  kill();

  const std::string name = names_with(".hint").front();
  const std::string whole = contents(path(name));
  for (std::size_t at = 0; at < whole.size(); at += at < 200 || at + 60 > whole.size() ? 1 : 97) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    put(name, flipped);
    start();
    ASSERT_EQ(report_.ignored.size(), 1u) << "byte " << at;
    expect_whole_log();
    kill();
  }
}

TEST_F(CheckpointTest, AHintThatIsMissingIsWrittenAtTheNextStart) {
  options_.checkpoint_bytes = 0;
  use_disk({});
  const std::string large(60'000, 'v');
  for (int i = 0; i < 40; ++i) run({"SET", "key" + std::to_string(i), large});
  kill();
  const auto hints = names_with(".hint");
  ASSERT_FALSE(hints.empty());
  for (const auto& name : hints) ASSERT_TRUE(disk_->remove(path(name)));
  const std::string index = segment_name(kFirstOffset, kIndexSuffix);
  const std::string index_before = contents(path(index));
  ASSERT_TRUE(disk_->remove(path(index)));
  start();
  settle();
  EXPECT_EQ(names_with(".hint"), hints);
  EXPECT_EQ(contents(path(index)), index_before);
}

// A write error of a checkpoint leaves the one before and the log in place.
TEST_F(CheckpointTest, ItsFailureHarmsNothing) {
  write_some(0);
  write_checkpoint();
  write_some(1);
  disk_->fail(SimOperation::kRename, 1, EIO);
  for (int i = 0; i < 300 && store_->checkpointer().counters().failed == 0; ++i) {
    store_->tick();
    turn();
  }
  EXPECT_EQ(store_->checkpointer().counters().failed, 1u);
  EXPECT_EQ(run({"SET", "after", "1"}), "+OK\r\n");
  restart();
  EXPECT_GT(report_.checkpoint_records, 0);
}

}  // namespace
}  // namespace minod
