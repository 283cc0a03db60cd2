// A restart that reads ahead with threads, as the node's does, on real files: what comes out is what the whole log
// says, and what a restart without threads reports. The log, its hints and its checkpoint are made on a simulated disk
// first.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "log/segment_name.h"
#include "tests/replay/log_directory.h"
#include "tests/replay/whole_log.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class ThreadedRecovery : public StoreFixture {
 protected:
  ThreadedRecovery() { options_.segment_bytes = std::int64_t{1} << 20; }
  ~ThreadedRecovery() override { stop(); }

  // A dozen segments: values, deletes, expiries and a FLUSHALL.
  void write_log() {
    for (int i = 0; i < 600; ++i) {
      const std::string key = "key" + std::to_string(i % 260);
      if (i % 11 == 5) {
        run({"DEL", key});
      } else if (i % 4 == 1) {
        run({"SET", key, std::string(30'000, 'v'), "PX", "1000000"});
      } else {
        run({"SET", key, std::string(20'000, 'w')});
      }
      if (i == 150) run({"FLUSHALL"});
      if (i == checkpoint_at_) write_checkpoint();
    }
    settle();
    whole_ = test::read_whole_log(*disk_, "data/db0-0", store_->hasher());
    hasher_ = store_->hasher();
    disk_->kill();
    store_->abandon();
    store_.reset();
  }
  void write_checkpoint() {
    settle();
    for (int i = 0; i < 1000 && store_->checkpointer().counters().written == 0; ++i) {
      store_->tick();
      for (int j = 0; j < 50; ++j) turn();
    }
    ASSERT_GT(store_->checkpointer().counters().written, 0u);
  }

  // A directory of real files, as the simulated disk has them.
  std::unique_ptr<test::LogDirectory> copy() {
    auto real = std::make_unique<test::LogDirectory>();
    std::filesystem::create_directories(real->partition());
    const auto entries = disk_->list("data/db0-0");
    for (const DirectoryEntry& entry : *entries) {
      const auto text = read_file(*disk_, "data/db0-0/" + entry.name, std::size_t{64} << 20);
      EXPECT_TRUE(text) << entry.name;
      test::LogDirectory::write(real->partition() + "/" + entry.name, *text);
    }
    return real;
  }

  // Flips a byte in the middle of each file of a name that ends so.
  static int damage(const test::LogDirectory& real, std::string_view suffix) {
    int damaged = 0;
    for (const auto& entry : std::filesystem::directory_iterator(real.partition())) {
      if (!entry.path().filename().string().ends_with(suffix)) continue;
      test::LogDirectory::flip(entry.path(), std::filesystem::file_size(entry.path()) / 2);
      ++damaged;
    }
    return damaged;
  }

  static std::string first_segment(const test::LogDirectory& real) {
    std::string first = real.segment(1'000'000);
    for (const auto& entry : std::filesystem::directory_iterator(real.partition())) {
      if (entry.path().extension() == kLogSuffix) first = std::min(first, entry.path().string());
    }
    return first;
  }

  RecoveryReport recover_with(unsigned threads, test::LogDirectory& real) {
    RecoveryReport report;
    RecoveryOptions options;
    options.threads = threads;
    Partition partition(0, 0, 0);
    const auto start = recover(real.disk(), real.partition(), hasher_, partition, options, report);
    EXPECT_TRUE(start) << start.error().message();
    if (start) test::expect_same(partition, *whole_);
    return report;
  }

  int checkpoint_at_ = -1;
  KeyHasher hasher_{0, 0};
  std::unique_ptr<Partition> whole_;
};

void expect_same(const RecoveryReport& found, const RecoveryReport& expected) {
  EXPECT_EQ(found.segments, expected.segments);
  EXPECT_EQ(found.bytes, expected.bytes);
  EXPECT_EQ(found.batches, expected.batches);
  EXPECT_EQ(found.records, expected.records);
  EXPECT_EQ(found.checkpoint_records, expected.checkpoint_records);
  EXPECT_EQ(found.hint_records, expected.hint_records);
  EXPECT_EQ(found.cuts.size(), expected.cuts.size());
  EXPECT_EQ(found.ignored.size(), expected.ignored.size());
}

constexpr unsigned kThreads[] = {1, 2, 8};

TEST_F(ThreadedRecovery, FromSegmentsAlone) {
  options_.checkpoint_bytes = 0;
  use_disk({});
  write_log();
  const auto remove_hints = [](const test::LogDirectory& real) {
    for (const auto& entry : std::filesystem::directory_iterator(real.partition())) {
      if (entry.path().extension() == kHintSuffix) std::filesystem::remove(entry.path());
    }
  };
  const auto first = copy();
  remove_hints(*first);
  const RecoveryReport expected = recover_with(0, *first);
  EXPECT_GT(expected.segments, 7);
  EXPECT_EQ(expected.hint_records, 0);
  for (const unsigned threads : kThreads) {
    const auto real = copy();
    remove_hints(*real);
    expect_same(recover_with(threads, *real), expected);
  }
}

TEST_F(ThreadedRecovery, FromHints) {
  options_.checkpoint_bytes = 0;
  use_disk({});
  write_log();
  const RecoveryReport expected = recover_with(0, *copy());
  EXPECT_GT(expected.hint_records, 0);
  for (const unsigned threads : kThreads) expect_same(recover_with(threads, *copy()), expected);
}

TEST_F(ThreadedRecovery, FromACheckpointAndHints) {
  options_.checkpoint_bytes = 1;
  checkpoint_at_ = 350;
  use_disk({});
  write_log();
  const RecoveryReport expected = recover_with(0, *copy());
  EXPECT_GT(expected.checkpoint_records, 0);
  EXPECT_GT(expected.hint_records, 0);
  for (const unsigned threads : kThreads) expect_same(recover_with(threads, *copy()), expected);
}

// The feed is given up while its threads read, and another one begins.
TEST_F(ThreadedRecovery, WhenAllHintsAndTheCheckpointAreBad) {
  options_.checkpoint_bytes = 1;
  checkpoint_at_ = 350;
  use_disk({});
  write_log();
  for (const unsigned threads : {0u, 1u, 2u, 8u}) {
    const auto real = copy();
    const int damaged = damage(*real, kHintSuffix) + damage(*real, "checkpoint.a") + damage(*real, "checkpoint.b");
    ASSERT_GT(damaged, 4);
    const RecoveryReport report = recover_with(threads, *real);
    EXPECT_EQ(report.checkpoint_records, 0);
    EXPECT_EQ(report.hint_records, 0);
    EXPECT_FALSE(report.ignored.empty());
  }
}

// Damage in a segment ends the restart with threads at work behind it.
TEST_F(ThreadedRecovery, DamageInASegmentIsRefused) {
  options_.checkpoint_bytes = 0;
  use_disk({});
  write_log();
  for (const unsigned threads : {0u, 1u, 2u, 8u}) {
    const auto real = copy();
    ASSERT_GT(damage(*real, kHintSuffix), 4);
    const std::string segment = first_segment(*real);
    test::LogDirectory::flip(segment, std::filesystem::file_size(segment) / 2);
    RecoveryReport report;
    RecoveryOptions options;
    options.threads = threads;
    Partition partition(0, 0, 0);
    const auto start = recover(real->disk(), real->partition(), hasher_, partition, options, report);
    ASSERT_FALSE(start);
    EXPECT_EQ(start.error().code, Errc::kCorrupt);
    EXPECT_NE(start.error().message().find(segment), std::string::npos) << start.error().message();
  }
}

}  // namespace
}  // namespace minod
