// Two logs on simulated disks: what one has appended is shipped to the other as it stands. What is committed, released,
// dropped and written follows the high watermark that each is told.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "log/batch.h"
#include "log/log.h"
#include "log/reader.h"
#include "tests/sim/sim_disk.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

constexpr std::int64_t kSegmentBytes = std::int64_t{1} << 20;

// One log with its disk.
struct Node {
  explicit Node(std::uint64_t seed, std::int16_t db = 0, std::shared_ptr<JointReach> with = nullptr)
      : disk({.seed = seed}), reach(with ? std::move(with) : std::make_shared<JointReach>(2, 1)) {
    LogOptions options;
    options.directory = "log";
    options.segment_bytes = kSegmentBytes;
    options.joints = std::make_shared<JointOrder>();
    LogEvents events;
    events.placed = [](const BatchHeader&, Offset, FilePosition) {};
    events.released = [this] { ++released; };
    events.sealed = [](Offset) {};
    events.room = [this] { ++room; };
    events.failed = [](const Error& error) { FAIL() << error.message(); };
    EXPECT_TRUE(disk.make_directory("log"));
    auto opened = Log::open(disk, clock, options, {}, events);
    EXPECT_TRUE(opened);
    log = std::move(*opened);
    log->replicate(kFirstOffset, AckPolicy::kAll, LogReach{db, 0, {}}, reach);
    log->start();
    settle();
  }
  ~Node() { settle(); }
  void settle() {
    for (int i = 0; i < 1000; ++i) {
      log->dispatch();
      disk.poll();
      log->look_at_joints();
      log->look_at_reach();
      if (log->pending_bytes() == 0 && disk.in_flight() == 0) return;
    }
  }
  void lead() {
    log->begin_epoch(Epoch{3});
    log->set_writers(Log::Writers::kMay);
    log->keep_recent(std::size_t{1} << 20);
  }
  Offset append(const std::string& key, const std::string& value) {
    for (int i = 0; log->make_room(Log::record_bytes(key.size() + value.size()), false) == Log::Room::kWait; ++i) {
      EXPECT_LT(i, 1000);
      settle();
    }
    return log->append(NewRecord{key, value}, UnixMillis(5));
  }

  ManualClock clock;
  SimDisk disk;
  std::shared_ptr<JointReach> reach;
  int released = 0;
  int room = 0;
  std::unique_ptr<Log> log;
};

// All that `from` has in RAM from where `to` ends.
void ship(Node& from, Node& to, std::vector<LogReach> together = {}) {
  while (const auto run = from.log->recent()->from(to.log->marks().appended(), kSegmentBytes)) {
    for (Bytes rest = *run->bytes; !rest.empty();) {
      const auto batch = BatchView::open(rest);
      ASSERT_TRUE(batch);
      rest = rest.subspan(batch->bytes().size());
      while (to.log->append_shipped(batch->header(), batch->bytes(), together) != Log::Room::kYes) to.settle();
    }
  }
}

std::vector<std::byte> contents(Node& node) {
  std::vector<std::byte> all;
  for (const auto& [base, segment] : node.log->segments()) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(segment.end.value()));
    EXPECT_TRUE(segment.file->read_now(FilePosition(0), bytes));
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

TEST(ShippedLog, TheFollowersLogHasTheLeadersBytes) {
  Node leader(1);
  Node follower(2);
  leader.lead();
  for (int i = 0; i < 400; ++i) {
    leader.append("key" + std::to_string(i), std::string(static_cast<std::size_t>(i) * 50, 'v'));
    if (i % 7 == 0) leader.settle();
    if (i % 31 == 0) ship(leader, follower);
  }
  leader.settle();
  ship(leader, follower);
  follower.settle();
  EXPECT_GT(follower.log->segments().size(), 1u);
  EXPECT_EQ(follower.log->marks().safe(), leader.log->marks().appended());
  EXPECT_EQ(contents(leader), contents(follower));
}

TEST(ShippedLog, OnlyTheHighWatermarkCommitsAndReleases) {
  Node leader(1);
  leader.lead();
  const Offset offset = leader.append("a", "1");
  leader.settle();
  const Offset end = offset + OffsetCount(1);
  EXPECT_EQ(leader.log->marks().safe(), end);
  EXPECT_EQ(leader.log->marks().committed(), kFirstOffset);
  EXPECT_EQ(leader.log->released(), kFirstOffset);
  const int told = leader.released;
  leader.log->commit_to(end);
  EXPECT_EQ(leader.log->released(), end);
  EXPECT_EQ(leader.released, told + 1);
}

TEST(ShippedLog, ALogStartThatIsNotCommittedCostsNoSegment) {
  Node leader(1);
  leader.lead();
  for (int i = 0; i < 200; ++i) leader.append("key" + std::to_string(i), std::string(16000, 'v'));
  leader.settle();
  const std::size_t segments = leader.log->segments().size();
  ASSERT_GT(segments, 2u);
  ASSERT_EQ(leader.log->make_room(Log::record_bytes(0), true), Log::Room::kYes);
  const Offset start = leader.log->append_log_start(UnixMillis(6));
  leader.settle();
  EXPECT_EQ(leader.log->segments().size(), segments);
  leader.log->commit_to(start);
  leader.settle();
  EXPECT_EQ(leader.log->segments().size(), segments) << "all below it is committed, it is not";
  leader.log->commit_to(start + OffsetCount(1));
  leader.settle();
  EXPECT_EQ(leader.log->segments().size(), 1u);
}

TEST(ShippedLog, WhoMayNotWriteFindsNoRoom) {
  Node node(1);
  EXPECT_EQ(node.log->make_room(100, false), Log::Room::kReadOnly);
  const int told = node.room;
  node.log->set_writers(Log::Writers::kWait);
  EXPECT_EQ(node.log->make_room(100, false), Log::Room::kWait);
  node.log->set_writers(Log::Writers::kMay);
  EXPECT_EQ(node.log->make_room(100, false), Log::Room::kYes);
  EXPECT_EQ(node.room, told + 2);
}

TEST(ShippedLog, AFollowerThatLeadsGoesOnBehindWhatWasShipped) {
  Node leader(1);
  Node follower(2);
  leader.lead();
  for (int i = 0; i < 20; ++i) leader.append("key", "value");
  leader.settle();
  ship(leader, follower);
  follower.settle();
  follower.log->begin_epoch(Epoch{1 << 16});
  follower.log->set_writers(Log::Writers::kMay);
  const Offset offset = follower.append("own", "1");
  EXPECT_EQ(offset, leader.log->marks().appended());
  EXPECT_EQ(follower.log->tail().find(offset).value, "1");
  EXPECT_FALSE(follower.log->tail().holds(offset - OffsetCount(1)));
  follower.settle();
  EXPECT_EQ(follower.log->marks().safe(), offset + OffsetCount(1));
}

TEST(ShippedLog, APartOfATransactionIsSafeWithItsOtherParts) {
  const auto reach = std::make_shared<JointReach>(2, 1);
  Node leader(1);
  Node first(2, 0, reach);
  Node second(3, 1, reach);
  leader.lead();
  leader.append("alone", "1");
  leader.settle();
  ship(leader, first);
  ship(leader, second);
  leader.append("together", "1");
  leader.settle();
  const std::vector<LogReach> together{{0, 0, Offset(2)}, {1, 0, Offset(2)}};
  ship(leader, first, together);
  first.settle();
  EXPECT_EQ(first.log->marks().durable(), Offset(2));
  EXPECT_EQ(first.log->marks().safe(), Offset(1));
  ship(leader, second, together);
  second.settle();
  first.settle();
  second.settle();
  EXPECT_EQ(first.log->marks().safe(), Offset(2));
  EXPECT_EQ(second.log->marks().safe(), Offset(2));
}

TEST(ShippedLog, ARingOnlyHasRunsThatFollowOneAnother) {
  ShipRing ring(100);
  const std::vector<std::byte> batch(40);
  ring.add(Offset(0), Offset(3), batch);
  ring.add(Offset(3), Offset(4), batch);
  ASSERT_TRUE(ring.from(Offset(0), 100));
  EXPECT_EQ(ring.from(Offset(0), 100)->next, Offset(4));
  EXPECT_EQ(ring.from(Offset(0), 79)->next, Offset(3));
  EXPECT_EQ(ring.from(Offset(0), 1)->next, Offset(3)) << "one batch, however large";
  EXPECT_FALSE(ring.from(Offset(1), 100)) << "inside a batch";
  EXPECT_FALSE(ring.from(Offset(4), 100));
  ring.add(Offset(4), Offset(5), batch);
  EXPECT_FALSE(ring.from(Offset(0), 100)) << "the oldest goes";
  EXPECT_EQ(ring.from(Offset(3), 100)->next, Offset(5));
  ring.add(Offset(9), Offset(10), batch);
  EXPECT_FALSE(ring.from(Offset(3), 100)) << "a gap: what was before is of no use";
}

}  // namespace
}  // namespace minod
