// Space for a log's segments: next ones ready ahead of need, files of dead ones used again, and what happens when the
// disk has no more or fails.
#include "log/segment_store.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/buffer.h"
#include "log/segment_name.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

class SegmentStoreTest : public ::testing::Test {
 protected:
  SegmentStoreTest() : disk_({.seed = 1, .delay_max = 2}) {
    EXPECT_TRUE(disk_.make_directory("log"));
    EXPECT_TRUE(disk_.sync_directory(""));
  }
  ~SegmentStoreTest() override {
    if (store_) store_->abandon();
  }

  void open(SegmentSpace space) {
    if (store_) store_->abandon();
    store_ = std::make_unique<SegmentStore>(disk_, clock_, "log", kMiB, space);
    store_->on_changed = [] {};
    store_->on_sealed = [](Offset) {};
    store_->on_failed = [this](const Error& error) { failures_.push_back(error.message()); };
    ASSERT_TRUE(store_->open({}, Offset(0)));
    store_->prepare(0, false);
    settle();
  }
  void settle() {
    for (int i = 0; i < 1000 && !store_->idle(); ++i) disk_.poll();
    ASSERT_TRUE(store_->idle());
  }
  // Fills the active segment with bytes that are no zeros, and leaves it for the next.
  void fill_and_roll() {
    Segment& active = store_->active();
    const Offset base = active.base;
    const std::vector<std::byte> bytes(static_cast<std::size_t>(kMiB - 100), std::byte{'x'});
    ASSERT_TRUE(active.file->write_now(FilePosition(0), bytes));
    active.end = FilePosition(kMiB - 100);
    store_->roll(base + OffsetCount(10));
    store_->seal(base);
    store_->prepare(0, false);
    settle();
  }
  Offset oldest() const { return store_->all().begin()->first; }
  std::size_t files() { return disk_.list("log")->size(); }
  static bool all_zero(File& file, std::int64_t size) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(size), std::byte{1});
    const auto read = file.read_now(FilePosition(0), bytes);
    return read && *read == bytes.size() &&
           std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
  }

  SimDisk disk_;
  ManualClock clock_;
  std::unique_ptr<SegmentStore> store_;
  std::vector<std::string> failures_;
};

TEST_F(SegmentStoreTest, KeepsAsManyReadyAsAskedFor) {
  open({.ready = 2, .recycled = 0});
  EXPECT_EQ(store_->ready_count(), 2u);
  for (int i = 0; i < 3; ++i) fill_and_roll();
  EXPECT_EQ(store_->ready_count(), 2u);
  EXPECT_EQ(files(), 4u + 2u);
  EXPECT_EQ(store_->counters().created, 5u);
}

// Trap 3, trap 15: a file is used again only zeroed, and only so many are kept.
TEST_F(SegmentStoreTest, DeadSegmentsBecomeNextOnesAndHoldOnlyZeros) {
  open({.ready = 1, .recycled = 2});
  for (int i = 0; i < 6; ++i) fill_and_roll();
  for (int i = 0; i < 4; ++i) store_->remove(oldest());
  settle();
  EXPECT_EQ(store_->spare_count(), 2u) << "bounded";
  EXPECT_EQ(files(), 3u + 1u + 2u);
  fill_and_roll();
  fill_and_roll();
  fill_and_roll();
  EXPECT_EQ(store_->counters().recycled, 2u);
  EXPECT_EQ(store_->spare_count(), 0u);
  EXPECT_TRUE(all_zero(*store_->active().file, kMiB)) << "the second recycled one";
  EXPECT_EQ(store_->active().prepared, kMiB);
  EXPECT_TRUE(failures_.empty());
}

TEST_F(SegmentStoreTest, AFileWithAnotherLinkIsLeftAlone) {
  open({.ready = 1, .recycled = 2});
  fill_and_roll();
  fill_and_roll();
  const std::string path = store_->path_of(oldest(), kLogSuffix);
  ASSERT_TRUE(disk_.link(path, "backup"));
  store_->remove(oldest());
  settle();
  EXPECT_EQ(store_->spare_count(), 0u);
  fill_and_roll();
  EXPECT_EQ(store_->counters().recycled, 0u);
  const auto copy = read_file(disk_, "backup", 2 * kMiB);
  ASSERT_TRUE(copy);
  EXPECT_EQ(*copy, std::string(kMiB - 100, 'x'));
  EXPECT_FALSE(disk_.open(path, OpenMode::kRead));
}

TEST_F(SegmentStoreTest, AFileThatIsStillReadIsNotUsedAgain) {
  open({.ready = 1, .recycled = 2});
  fill_and_roll();
  fill_and_roll();
  auto reader = store_->find(oldest())->file;
  store_->remove(oldest());
  settle();
  fill_and_roll();
  EXPECT_EQ(store_->counters().recycled, 0u);
  AlignedBuffer into(4096);
  ASSERT_TRUE(reader->read_now(FilePosition(0), into.span()));
  EXPECT_EQ(into.data()[0], std::byte{'x'});
  reader.reset();
  fill_and_roll();
  EXPECT_EQ(store_->counters().recycled, 1u);
}

TEST_F(SegmentStoreTest, AStartRemovesWhatAnEarlierProcessKept) {
  open({.ready = 2, .recycled = 2});
  fill_and_roll();
  fill_and_roll();
  store_->remove(oldest());
  settle();
  EXPECT_EQ(files(), 2u + 2u + 1u);
  store_->abandon();
  std::vector<SegmentFile> found;
  for (const auto& [base, segment] : store_->all()) found.push_back({base, segment.prepared, segment.end});
  store_ = std::make_unique<SegmentStore>(disk_, clock_, "log", kMiB);
  ASSERT_TRUE(store_->open(found, Offset(20)));
  EXPECT_EQ(files(), 2u);
}

TEST_F(SegmentStoreTest, AFullDiskUsesWhatItKept) {
  open({.ready = 1, .recycled = 2});
  for (int i = 0; i < 3; ++i) fill_and_roll();
  disk_.set_capacity(0);
  fill_and_roll();
  EXPECT_EQ(store_->ready_count(), 0u);
  EXPECT_TRUE(store_->out_of_space());
  EXPECT_EQ(store_->space_error().code, Errc::kNoSpace);
  clock_.advance(Millis(2000));
  store_->remove(oldest());
  settle();
  store_->prepare(0, false);
  settle();
  ASSERT_EQ(store_->ready_count(), 1u) << "the dead segment's own space is enough";
  EXPECT_TRUE(store_->next_takes(900'000));
  EXPECT_FALSE(store_->out_of_space());
  EXPECT_TRUE(failures_.empty());
}

TEST_F(SegmentStoreTest, APreparationThatFailsIsTriedAnewWithAnotherFile) {
  open({.ready = 1, .recycled = 2});
  for (const int sys : {EIO, EROFS}) {
    disk_.fail(SimOperation::kPrepare, 1, sys);
    fill_and_roll();
    EXPECT_EQ(store_->ready_count(), 0u);
    EXPECT_EQ(store_->space_error().sys, sys);
    store_->prepare(0, false);
    EXPECT_FALSE(store_->preparing()) << "not at once";
    clock_.advance(Millis(2000));
    store_->prepare(0, false);
    settle();
    EXPECT_EQ(store_->ready_count(), 1u);
  }
  EXPECT_TRUE(failures_.empty()) << "nothing that was acknowledged is concerned";
}

// The active segment is empty, but its name is in use: an error in it is the log's.
TEST_F(SegmentStoreTest, AnErrorInTheActiveSegmentIsTheLogs) {
  open({.ready = 1, .recycled = 0});
  disk_.fail(SimOperation::kPrepare, 1, EIO);
  store_->prepare(4 * kMiB, true);
  settle();
  EXPECT_EQ(failures_.size(), 1u);
}

}  // namespace
}  // namespace minod
