// A follower writes checkpoints of what it follows, so that it starts as fast as a leader does. It applies only what is
// committed, later than it has it, and what is not committed may be taken back: no checkpoint may miss the one or hold
// the other.
#include <gtest/gtest.h>

#include "log/joint_reach.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class FollowerCheckpoint : public StoreFixture {
 protected:
  FollowerCheckpoint() {
    options_ = StoreOptions();
    options_.checkpoint_bytes = 1 << 10;
    options_.compaction.enabled = false;
    use_disk({});
    store_->on_made = [this](Partition& made) {
      made.set_follows(true);
      made.log().replicate(kFirstOffset, AckPolicy::kAll, LogReach{0, 0, {}}, reach_);
    };
    store_->want_database(0, 0);
    settle();
  }

  Partition& partition() { return *store_->partition(0, 0); }
  Log& log() { return partition().log(); }
  std::uint64_t written() const { return store_->checkpointer().counters().written; }

  // What a leader ships: one batch, of the keys [begin, end).
  void ship(int begin, int end) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(end - begin) * 100 + kBatchHeaderSize);
    BatchBuilder builder;
    builder.open(bytes.data(), log().marks().appended(), Epoch{3}, UnixMillis(5));
    for (int i = begin; i < end; ++i) builder.append(NewRecord{key(i), "value"}, UnixMillis(5));
    const BatchHeader header = builder.close();
    bytes.resize(static_cast<std::size_t>(header.length));
    ASSERT_EQ(log().append_shipped(header, bytes, {}), Log::Room::kYes);
    turns();
  }
  // The first `count` keys are committed and applied, as the leader has said.
  void apply_upto(int count) {
    for (int i = static_cast<int>(partition().applied().value()); i < count; ++i) {
      partition().apply(store_->hash(key(i)), Offset(i), true, kNeverExpires);
    }
    partition().set_applied(Offset(count));
  }
  void turns() {
    for (int i = 0; i < 50; ++i) {
      store_->tick();
      turn();
    }
  }
  static std::string key(int i) { return "key:" + std::to_string(i); }

  std::shared_ptr<JointReach> reach_ = std::make_shared<JointReach>(1, 1);
};

TEST_F(FollowerCheckpoint, HoldsAllThatStandsBeforeItAndNothingThatMayBeTakenBack) {
  ship(0, 100);
  EXPECT_EQ(written(), 0U) << "the index has nothing of what stands before it";
  ASSERT_TRUE(store_->checkpointer().busy());
  apply_upto(60);
  turns();
  EXPECT_EQ(written(), 0U) << "and not all of it";
  apply_upto(100);
  ship(100, 120);
  EXPECT_EQ(written(), 0U) << "the follower has more, which may be taken back";
  log().commit_to(Offset(110));
  apply_upto(110);
  turns();
  EXPECT_EQ(written(), 0U);
  log().commit_to(Offset(120));
  turns();
  EXPECT_EQ(written(), 1U);

  // As a restart finds it, which applies the rest from the log.
  stop();
  start();
  EXPECT_TRUE(report_.ignored.empty());
  EXPECT_GE(report_.checkpoint_records, 100);
  EXPECT_EQ(run({"DBSIZE"}), ":120\r\n");
  for (const int i : {0, 59, 60, 99, 100, 119}) EXPECT_EQ(run({"GET", key(i)}), "$5\r\nvalue\r\n");
}

TEST_F(FollowerCheckpoint, AStopWritesNoneOfWhatIsNotCommitted) {
  ship(0, 100);
  log().commit_to(Offset(40));
  apply_upto(40);
  store_->checkpoint_now();
  EXPECT_EQ(written(), 0U);
  log().commit_to(Offset(100));
  store_->checkpoint_now();
  EXPECT_EQ(written(), 0U) << "not applied";
  apply_upto(100);
  store_->checkpoint_now();
  EXPECT_EQ(written(), 1U);
}

}  // namespace
}  // namespace minod
