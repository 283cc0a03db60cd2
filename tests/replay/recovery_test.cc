// What a restart makes of a log that was cut, flipped or swapped: the truth, or a refusal that names the damage.
#include <gtest/gtest.h>

#include <string>

#include "log/epoch_file.h"
#include "log/segment_name.h"
#include "tests/sim/seeds.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class RecoveryTest : public StoreFixture {
 protected:
  // Each SET is a group of its own: the reply is waited for.
  void set_keys(int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_EQ(run({"SET", "key" + std::to_string(i), value(i)}), "+OK\r\n");
  }
  static std::string value(int i) { return "value " + std::to_string(i); }
  std::string get(int i) {
    const std::string reply = run({"GET", "key" + std::to_string(i)});
    return reply == "$-1\r\n" ? "" : reply.substr(reply.find('\n') + 1, reply.size() - reply.find('\n') - 3);
  }

  std::int64_t log_end() {
    std::int64_t end = 0;
    store_->for_each_partition(
        [&](Partition& partition) { end = partition.log().segments().rbegin()->second.end.value(); });
    return end;
  }
  void kill() {
    settle();
    disk_->kill();
    store_->abandon();
    store_.reset();
  }
  void flip(std::int64_t position, Offset segment = kFirstOffset) {
    auto file = disk_->open("data/db0-0/" + segment_name(segment, kLogSuffix), OpenMode::kReadWrite);
    ASSERT_TRUE(file);
    std::byte byte;
    ASSERT_TRUE((*file)->read_now(FilePosition(position), {&byte, 1}));
    byte ^= std::byte{0x10};
    ASSERT_TRUE((*file)->write_now(FilePosition(position), {&byte, 1}));
    ASSERT_TRUE((*file)->sync_now());
  }
  void expect_refusal(const std::string& about) {
    const auto started = try_start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Errc::kCorrupt);
    EXPECT_NE(started.error().message().find(about), std::string::npos) << started.error().message();
    EXPECT_NE(started.error().message().find("--force-truncate"), std::string::npos);
    store_->abandon();
    store_.reset();
  }
};

TEST_F(RecoveryTest, ACleanStopComesBackWhole) {
  set_keys(0, 50);
  stop();
  start();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(get(i), value(i));
  EXPECT_TRUE(report_.cuts.empty());
}

TEST_F(RecoveryTest, EveryStartTakesANewEpoch) {
  set_keys(0, 1);
  for (int i = 0; i < 3; ++i) {
    stop();
    start();
    set_keys(i, i + 1);
  }
  stop();
  const auto text = read_file(*disk_, "data/db0-0/leader-epoch-checkpoint", 1000);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "0\n4\n1 0\n2 1\n3 2\n4 3\n");
  start();
}

TEST_F(RecoveryTest, AnEpochFileThatIsNoneIsToldFromAnEmptyOne) {
  for (const std::string_view text : {"", "epochs", "0\n", "0\n2\n1 0\n", "1\n0\n"}) {
    ASSERT_TRUE(replace_file(*disk_, "data", "leader-epoch-checkpoint", as_bytes(text)));
    const auto epochs = read_epochs(*disk_, "data");
    ASSERT_FALSE(epochs) << text;
    EXPECT_EQ(epochs.error().code, Errc::kCorrupt);
  }
}

TEST_F(RecoveryTest, AFlippedByteBelowTheDurableEndIsRefusedWhereverItIs) {
  options_.segment_bytes = std::int64_t{1} << 20;  // each start reads the segment to its end
  use_disk({});
  set_keys(0, 3);
  const std::int64_t end = log_end();
  // Of the last group, nothing that follows vouches for it.
  set_keys(3, 5);
  kill();
  const auto step = end / static_cast<std::int64_t>(share_of(static_cast<std::size_t>(end)));
  for (std::int64_t position = 0; position < end; position += step) {
    flip(position);
    const auto started = try_start();
    if (started) {
      // Only the epoch may change unseen: it is not under the CRC. The records are then all there.
      settle();
      for (int i = 0; i < 5; ++i) ASSERT_EQ(get(i), value(i)) << "byte " << position;
      stop();
      ASSERT_TRUE(disk_->remove("data/db0-0/clean-end-offset"));
    } else {
      ASSERT_EQ(started.error().code, Errc::kCorrupt) << started.error().message();
      store_->abandon();
      store_.reset();
    }
    flip(position);
  }
  start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get(i), value(i));
}

TEST_F(RecoveryTest, ATornLastGroupIsCutAndWritingGoesOn) {
  set_keys(0, 12);
  const std::int64_t end = log_end();
  set_keys(12, 13);
  kill();
  flip(end + 70);
  start();
  ASSERT_EQ(report_.cuts.size(), 1u);
  EXPECT_EQ(report_.cuts[0].first_lost, Offset(12));
  EXPECT_FALSE(report_.cuts[0].forced);
  EXPECT_EQ(get(11), value(11));
  EXPECT_EQ(get(12), "");
  set_keys(12, 20);
  lose_power();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get(i), value(i));
}

TEST_F(RecoveryTest, AfterACleanStopEvenTheLastGroupIsKnown) {
  set_keys(0, 12);
  const std::int64_t end = log_end();
  stop();
  flip(end - 3);
  expect_refusal("00000000000000000000.log");
  ASSERT_TRUE(try_start(true));
  ASSERT_EQ(report_.cuts.size(), 1u);
  EXPECT_TRUE(report_.cuts[0].forced);
  EXPECT_EQ(get(10), value(10));
  EXPECT_EQ(get(11), "");
}

TEST_F(RecoveryTest, ADamagedSealedSegmentNamesItself) {
  options_.segment_bytes = std::int64_t{1} << 20;
  use_disk({});
  const std::string large(60'000, 'v');
  for (int i = 0; i < 40; ++i) ASSERT_EQ(run({"SET", "key" + std::to_string(i), large}), "+OK\r\n");
  stop();
  flip(200'000);
  // Its hint spares the reading of it, and so the damage is found when the record is read.
  start();
  EXPECT_GT(report_.hint_records, 0);
  settle();
  evict_all();
  EXPECT_EQ(run({"GET", "key3"}).substr(0, 6), "-IOERR");
  stop();
  ASSERT_TRUE(disk_->remove("data/db0-0/" + segment_name(kFirstOffset, kHintSuffix)));
  expect_refusal("00000000000000000000.log is damaged at position");
  ASSERT_TRUE(try_start(true));
  EXPECT_EQ(run({"EXISTS", "key0"}), ":1\r\n");
  EXPECT_EQ(run({"EXISTS", "key39"}), ":0\r\n");
  EXPECT_EQ(run({"SET", "after", "1"}), "+OK\r\n");
  stop();
  start();
  EXPECT_EQ(run({"GET", "after"}), "$1\r\n1\r\n");
}

TEST_F(RecoveryTest, AMissingSegmentIsRefused) {
  options_.segment_bytes = std::int64_t{1} << 20;
  use_disk({});
  const std::string large(60'000, 'v');
  for (int i = 0; i < 60; ++i) ASSERT_EQ(run({"SET", "key" + std::to_string(i), large}), "+OK\r\n");
  Offset second;
  store_->for_each_partition(
      [&](Partition& partition) { second = std::next(partition.log().segments().begin())->first; });
  stop();
  ASSERT_TRUE(disk_->remove("data/db0-0/" + segment_name(second, kLogSuffix)));
  expect_refusal("the next segment begins at");
}

TEST_F(RecoveryTest, FlushedSegmentsGoAndStayGone) {
  options_.segment_bytes = std::int64_t{1} << 20;
  use_disk({});
  const std::string large(60'000, 'v');
  for (int i = 0; i < 60; ++i) ASSERT_EQ(run({"SET", "key" + std::to_string(i), large}), "+OK\r\n");
  ASSERT_EQ(run({"FLUSHALL"}), "+OK\r\n");
  for (int i = 0; i < 40; ++i) ASSERT_EQ(run({"SET", "new" + std::to_string(i), large}), "+OK\r\n");
  settle();
  auto entries = disk_->list("data/db0-0");
  ASSERT_TRUE(entries);
  for (const DirectoryEntry& entry : *entries) EXPECT_NE(entry.name, segment_name(kFirstOffset, kLogSuffix));
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), ":40\r\n");
  EXPECT_EQ(run({"EXISTS", "key1"}), ":0\r\n");
}

TEST_F(RecoveryTest, SealedSegmentsAreExactAndHaveIndexFiles) {
  options_.segment_bytes = std::int64_t{1} << 20;
  use_disk({});
  const std::string large(60'000, 'v');
  for (int i = 0; i < 40; ++i) ASSERT_EQ(run({"SET", "key" + std::to_string(i), large}), "+OK\r\n");
  settle();
  store_->for_each_partition([&](Partition& partition) {
    ASSERT_GT(partition.log().segments().size(), 1u);
    for (const auto& [base, segment] : partition.log().segments()) {
      if (!segment.full) continue;
      EXPECT_TRUE(segment.sealed);
      EXPECT_EQ(*segment.file->size_now(), segment.end.value());
      for (const std::string_view suffix : {kIndexSuffix, kTimeIndexSuffix}) {
        EXPECT_TRUE(disk_->open("data/db0-0/" + segment_name(base, suffix), OpenMode::kRead));
      }
    }
  });
}

}  // namespace
}  // namespace minod
