// How SimDisk works while it has power, and the rules that it holds its caller to.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <tuple>

#include "tests/sim/seeds.h"
#include "tests/sim/sim_disk_verbs.h"

namespace minod {
namespace {

TEST(SimDisk, CompletionsComeLateAndInAnyOrder) {
  std::set<std::vector<int>> orders;
  bool late = false;
  for (const std::uint64_t seed : seeds(100)) {
    SimDisk disk({.seed = seed, .delay_max = 3});
    auto file = create(disk, "a");
    const AlignedBuffer block = filled(4096, 'x');
    std::vector<int> order;
    for (int i = 0; i < 3; ++i) {
      file->write(FilePosition(i * 4096), block.span(), WriteMode::kCached,
                  [&, i](Result<std::size_t>) { order.push_back(i); });
    }
    disk.submit();
    EXPECT_TRUE(order.empty());
    const std::size_t first = disk.poll();
    late = late || first == 0;
    disk.poll();
    disk.poll();
    EXPECT_EQ(disk.in_flight(), 0u);
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6u);
  EXPECT_TRUE(late);
}

TEST(SimDisk, JobsRunInOrderAsSteps) {
  SimDisk disk({.seed = 5});
  auto file = create(disk, "a");
  std::string story;
  for (const char c : {'1', '2', '3'}) {
    disk.run_aside(
        [&, c] {
          story += c;
          EXPECT_TRUE(file->write_now(FilePosition(0), as_bytes("j")));
        },
        [&] { story += '.'; });
  }
  EXPECT_EQ(story, "");
  finish(disk);
  EXPECT_EQ(story.size(), 6u);
  EXPECT_LT(story.find('1'), story.find('2'));
  EXPECT_LT(story.find('2'), story.find('3'));
}

TEST(SimDisk, CallbacksStartFurtherOperations) {
  SimDisk disk({.seed = 5});
  auto file = create(disk, "a");
  const AlignedBuffer block = filled(4096, 'x');
  int count = 0;
  std::function<void()> next = [&] {
    file->write(FilePosition(count * 4096), block.span(), WriteMode::kCached, [&](Result<std::size_t>) {
      if (++count < 20) next();
    });
  };
  next();
  finish(disk);
  EXPECT_EQ(*file->size_now(), 20 * 4096);
}

TEST(SimDisk, ReadsAreShortOnlyAtTheEnd) {
  SimDisk disk({.seed = 2});
  auto file = create(disk, "a");
  ASSERT_TRUE(file->write_now(FilePosition(0), as_bytes(std::string(5000, 'q'))));
  AlignedBuffer into(8192);
  std::optional<std::size_t> got;
  file->read(FilePosition(0), into.span(), [&](Result<std::size_t> result) { got = *result; });
  EXPECT_NE(into.data()[0], std::byte{'q'});
  finish(disk);
  EXPECT_EQ(got, 5000u);
  EXPECT_EQ(into.data()[4999], std::byte{'q'});
  EXPECT_EQ(*file->read_now(FilePosition(6000), into.span()), 0u);
  EXPECT_EQ(*file->read_now(FilePosition(4990), into.span()), 10u);
}

TEST(SimDisk, FailsTheChosenOperation) {
  SimDisk disk({.seed = 4});
  auto file = created_durably(disk, "a");
  const AlignedBuffer block = filled(4096, 'x');
  disk.fail(SimOperation::kWrite, 2, EIO);
  EXPECT_TRUE(write(disk, *file, 0, block));
  EXPECT_EQ(write(disk, *file, 0, block).error().code, Errc::kIo);
  EXPECT_TRUE(write(disk, *file, 0, block));
  disk.fail(SimOperation::kWrite, 1, ENOSPC);
  EXPECT_EQ(file->write_now(FilePosition(0), as_bytes("x")).error().code, Errc::kNoSpace);
  disk.fail(SimOperation::kPrepare, 1, ENOSPC);
  EXPECT_EQ(file->prepare_now(0, 8192).error().code, Errc::kNoSpace);
  EXPECT_EQ(*file->size_now(), 4096);
  AlignedBuffer into(4096);
  disk.fail(SimOperation::kRead, 1, EIO);
  EXPECT_FALSE(file->read_now(FilePosition(0), into.span()));
  disk.fail(SimOperation::kRename, 1, EIO);
  EXPECT_FALSE(disk.rename("a", "b"));
  EXPECT_TRUE(disk.rename("a", "b"));
}

// "fsyncgate": after a failed sync the next one succeeds, and the data may be lost all the same.
TEST(SimDisk, FailedSyncLosesWhatItShouldHaveKept) {
  std::set<char> seen;
  for (const std::uint64_t seed : seeds(50)) {
    SimDisk disk({.seed = seed});
    auto file = created_durably(disk, "a");
    ASSERT_TRUE(file->prepare_now(0, 4096));
    ASSERT_TRUE(write(disk, *file, 0, filled(4096, 'x')));
    disk.fail(SimOperation::kSync, 1, EIO);
    EXPECT_FALSE(sync(disk, *file));
    EXPECT_TRUE(sync(disk, *file));
    EXPECT_EQ(contents(disk, "a"), std::string(4096, 'x'));
    disk.crash(Survival::kAll);
    seen.insert(contents(disk, "a")[0]);
  }
  EXPECT_EQ(seen, (std::set<char>{'\0', 'x'}));
}

TEST(SimDisk, CapacityEnds) {
  SimDisk disk({.seed = 4, .capacity = 16384});
  auto file = create(disk, "a");
  ASSERT_TRUE(file->prepare_now(0, 12288));
  EXPECT_EQ(*disk.free_bytes(""), 4096u);
  EXPECT_EQ(file->prepare_now(12288, 20480).error().code, Errc::kNoSpace);
  EXPECT_EQ(*file->size_now(), 12288);
  EXPECT_EQ(write(disk, *file, 12288, filled(8192, 'x')).error().code, Errc::kNoSpace);
  EXPECT_TRUE(write(disk, *file, 4096, filled(8192, 'x'))) << "an overwrite needs no space";
  disk.set_capacity(32768);
  EXPECT_TRUE(write(disk, *file, 12288, filled(8192, 'x')));
}

TEST(SimDisk, ErrorsOfNames) {
  SimDisk disk({.seed = 4});
  EXPECT_EQ(disk.open("none", OpenMode::kReadWrite).error().code, Errc::kNotFound);
  EXPECT_EQ(disk.open("none/a", OpenMode::kCreate).error().code, Errc::kNotFound);
  EXPECT_EQ(disk.remove("none").error().code, Errc::kNotFound);
  EXPECT_EQ(disk.rename("none", "b").error().code, Errc::kNotFound);
  create(disk, "a");
  EXPECT_EQ(disk.make_directory("a").error().sys, EEXIST);
  ASSERT_TRUE(disk.make_directory("d"));
  create(disk, "d/x");
  EXPECT_EQ(disk.remove("d").error().sys, ENOTEMPTY);
  EXPECT_EQ(disk.rename("d", "e").error().code, Errc::kUnsupported);
  auto read_only = disk.open("a", OpenMode::kRead);
  EXPECT_EQ(write(disk, **read_only, 0, filled(4096, 'x')).error().sys, EBADF);
}

std::uint64_t hash_of_a_run(std::uint64_t seed) {
  SimDisk disk({.seed = seed, .tear_sectors = true});
  Random random(seed + 1);
  std::vector<AlignedBuffer> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(filled(4096, 'a' + i));
  for (int life = 0; life < 5; ++life) {
    auto file = disk.open("a", life == 0 ? OpenMode::kCreate : OpenMode::kReadWrite);
    if (!file) break;
    EXPECT_TRUE(disk.sync_directory(""));
    for (std::size_t i = 0; i < 8; ++i) {
      const auto mode = random.one_in(2) ? WriteMode::kDurable : WriteMode::kCached;
      (*file)->write(FilePosition(static_cast<std::int64_t>(i) * 4096),
                     blocks[(i + static_cast<std::size_t>(life)) % 8].span(), mode, [](Result<std::size_t>) {});
    }
    (*file)->sync([](Result<std::size_t>) {});
    for (std::uint64_t polls = random.below(4); polls > 0; --polls) disk.poll();
    random.one_in(2) ? disk.crash() : disk.kill();
  }
  return disk.state_hash();
}

TEST(SimDisk, SameSeedSameState) {
  std::set<std::uint64_t> hashes;
  for (const std::uint64_t seed : seeds(50)) {
    const std::uint64_t hash = hash_of_a_run(seed);
    EXPECT_EQ(hash, hash_of_a_run(seed));
    hashes.insert(hash);
  }
  EXPECT_GT(hashes.size(), 40u);
}

TEST(SimDiskDeathTest, CatchesABufferThatChanges) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  SimDisk disk({.seed = 1});
  auto file = create(disk, "a");
  AlignedBuffer block = filled(4096, 'x');
  file->write(FilePosition(0), block.span(), WriteMode::kCached, [](Result<std::size_t>) {});
  block.data()[7] = std::byte{'y'};
  EXPECT_DEATH(finish(disk), "a buffer does not change while it is written");
  EXPECT_DEATH(disk.crash(), "a buffer does not change while it is written");
  block.data()[7] = std::byte{'x'};
  finish(disk);
}

TEST(SimDiskDeathTest, CatchesOverlappingWrites) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  SimDisk disk({.seed = 1});
  auto file = create(disk, "a");
  const AlignedBuffer blocks = filled(8192, 'x');
  const auto ignore = [](Result<std::size_t>) {};
  file->write(FilePosition(4096), blocks.span(), WriteMode::kCached, ignore);
  EXPECT_DEATH(file->write(FilePosition(8192), blocks.span(), WriteMode::kCached, ignore), "share no block");
  EXPECT_DEATH(file->write(FilePosition(0), blocks.span(), WriteMode::kCached, ignore), "share no block");
  EXPECT_DEATH(std::ignore = file->write_now(FilePosition(12000), as_bytes("x")), "share no block");
  file->write(FilePosition(12288), blocks.span(), WriteMode::kCached, ignore);
  finish(disk);
}

TEST(SimDiskDeathTest, CatchesUnalignedTransfersAndEarlyCloses) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  SimDisk disk({.seed = 1});
  auto file = create(disk, "a");
  AlignedBuffer blocks = filled(8192, 'x');
  const auto ignore = [](Result<std::size_t>) {};
  EXPECT_DEATH(file->write(FilePosition(512), blocks.span(), WriteMode::kCached, ignore), "position");
  EXPECT_DEATH(file->write(FilePosition(0), blocks.span().first(100), WriteMode::kCached, ignore), "size");
  EXPECT_DEATH(file->read(FilePosition(0), blocks.span().subspan(512, 4096), ignore), "address");
  file->write(FilePosition(0), blocks.span(), WriteMode::kCached, ignore);
  EXPECT_DEATH(file.reset(), "a file is closed when nothing of it is in flight");
  finish(disk);
}

}  // namespace
}  // namespace minod
