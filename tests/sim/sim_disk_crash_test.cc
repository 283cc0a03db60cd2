// What a power loss, and the end of a process, leave.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "tests/sim/seeds.h"
#include "tests/sim/sim_disk_verbs.h"

namespace minod {
namespace {

TEST(SimDisk, SyncedDataSurvivesEveryCrash) {
  for (const std::uint64_t seed : seeds(1000)) {
    SimDisk disk({.seed = seed, .tear_sectors = seed % 2 == 0});
    auto file = created_durably(disk, "a");
    const AlignedBuffer first = filled(8192, 'a');
    const AlignedBuffer second = filled(4096, 'b');
    ASSERT_TRUE(write(disk, *file, 0, first));
    ASSERT_TRUE(sync(disk, *file));
    ASSERT_TRUE(write(disk, *file, 8192, second, WriteMode::kDurable));
    ASSERT_TRUE(write(disk, *file, 12288, second));
    disk.crash();
    const std::string text = contents(disk, "a");
    ASSERT_EQ(text.substr(0, 12288), std::string(8192, 'a') + std::string(4096, 'b')) << "seed " << seed;
  }
}

TEST(SimDisk, UnsyncedSectorsSurviveOneByOne) {
  std::size_t new_count = 0;
  std::size_t old_count = 0;
  std::size_t mixed_blocks = 0;
  for (const std::uint64_t seed : seeds(200)) {
    SimDisk disk({.seed = seed});
    auto file = created_durably(disk, "a");
    ASSERT_TRUE(file->prepare_now(0, 4096));
    ASSERT_TRUE(write(disk, *file, 0, filled(4096, 'x')));
    disk.crash();
    const std::string text = contents(disk, "a");
    std::size_t here = 0;
    for (std::size_t at = 0; at < 4096; at += 512) {
      const std::string sector = text.substr(at, 512);
      ASSERT_TRUE(sector == std::string(512, 'x') || sector == std::string(512, '\0'));
      here += sector[0] == 'x' ? 1 : 0;
    }
    new_count += here;
    old_count += 8 - here;
    mixed_blocks += here != 0 && here != 8 ? 1 : 0;
  }
  EXPECT_GT(new_count, 500u);
  EXPECT_GT(old_count, 500u);
  EXPECT_GT(mixed_blocks, 100u);
}

TEST(SimDisk, CrashCanKeepNothingOrEverything) {
  for (const Survival survival : {Survival::kNothing, Survival::kAll}) {
    SimDisk disk({.seed = 3});
    auto file = created_durably(disk, "a");
    ASSERT_TRUE(file->prepare_now(0, 4096));
    create(disk, "b");
    const AlignedBuffer block = filled(4096, 'x');
    const AlignedBuffer more = filled(4096, 'y');
    ASSERT_TRUE(write(disk, *file, 0, block));
    file->write(FilePosition(4096), more.span(), WriteMode::kDurable, [](Result<std::size_t>) { FAIL(); });
    disk.crash(survival);
    const bool all = survival == Survival::kAll;
    EXPECT_EQ(contents(disk, "a"), all ? std::string(4096, 'x') + std::string(4096, 'y') : std::string(4096, '\0'));
    EXPECT_EQ(exists(disk, "b"), all);
  }
}

TEST(SimDisk, TornSectorsWhenAskedFor) {
  bool torn = false;
  for (std::uint64_t seed = 0; seed < 50 && !torn; ++seed) {
    SimDisk disk({.seed = seed, .tear_sectors = true});
    auto file = created_durably(disk, "a");
    ASSERT_TRUE(file->prepare_now(0, 4096));
    ASSERT_TRUE(write(disk, *file, 0, filled(4096, 'x')));
    disk.crash();
    const std::string text = contents(disk, "a");
    for (std::size_t i = 1; i < 512; ++i) torn = torn || text[i] != text[0];
  }
  EXPECT_TRUE(torn);
}

TEST(SimDisk, SyncCoversOnlyWhatWasCompleteWhenItBegan) {
  std::set<char> seen;
  for (const std::uint64_t seed : seeds(100)) {
    SimDisk disk({.seed = seed});
    auto file = created_durably(disk, "a");
    ASSERT_TRUE(file->prepare_now(0, 4096));
    const AlignedBuffer block = filled(4096, 'x');
    file->write(FilePosition(0), block.span(), WriteMode::kCached, [](Result<std::size_t>) {});
    file->sync([](Result<std::size_t>) {});
    finish(disk);
    disk.crash();
    seen.insert(contents(disk, "a")[0]);
  }
  EXPECT_EQ(seen, (std::set<char>{'\0', 'x'}));
}

TEST(SimDisk, AnyVersionOfASectorMayBeLeft) {
  std::set<char> seen;
  for (const std::uint64_t seed : seeds(100)) {
    SimDisk disk({.seed = seed});
    auto file = created_durably(disk, "a");
    ASSERT_TRUE(write(disk, *file, 0, filled(4096, 'a'), WriteMode::kDurable));
    ASSERT_TRUE(write(disk, *file, 0, filled(4096, 'b')));
    ASSERT_TRUE(write(disk, *file, 0, filled(4096, 'c')));
    disk.crash();
    seen.insert(contents(disk, "a")[0]);
  }
  EXPECT_EQ(seen, (std::set<char>{'a', 'b', 'c'}));
}

TEST(SimDisk, LostTruncationBringsTheOldBytesBack) {
  std::set<std::string> seen;
  for (const std::uint64_t seed : seeds(200)) {
    SimDisk disk({.seed = seed});
    auto file = created_durably(disk, "a");
    ASSERT_TRUE(write(disk, *file, 0, filled(8192, 'o'), WriteMode::kDurable));
    ASSERT_TRUE(file->truncate_now(0));
    ASSERT_TRUE(write(disk, *file, 4096, filled(4096, 'n')));
    disk.crash();
    const std::string text = contents(disk, "a");
    // The old byte of the hole and a new one of the tail are never together: one journal has both sizes.
    seen.insert(text.empty() ? "empty" : std::string{text[0], text[4096]});
  }
  EXPECT_EQ(seen, (std::set<std::string>{"oo", "empty", std::string("\0n", 2), std::string("\0\0", 2)}));
}

TEST(SimDisk, SameBytesAfterATruncationAreWrittenAnew) {
  SimDisk disk({.seed = 1});
  auto file = created_durably(disk, "a");
  ASSERT_TRUE(write(disk, *file, 0, filled(4096, 'o'), WriteMode::kDurable));
  ASSERT_TRUE(file->truncate_now(0));
  ASSERT_TRUE(write(disk, *file, 0, filled(4096, 'o')));
  disk.crash(Survival::kAll);
  EXPECT_EQ(contents(disk, "a"), std::string(4096, 'o'));
}

TEST(SimDisk, NamesSurviveUpToAPoint) {
  std::set<std::string> seen;
  for (const std::uint64_t seed : seeds(200)) {
    SimDisk disk({.seed = seed});
    auto file = create(disk, "a");
    ASSERT_TRUE(file->write_now(FilePosition(0), as_bytes("old")));
    ASSERT_TRUE(file->sync_now());
    ASSERT_TRUE(disk.sync_directory(""));
    ASSERT_TRUE(disk.rename("a", "b"));
    ASSERT_TRUE(disk.link("b", "c"));
    ASSERT_TRUE(disk.remove("b"));
    disk.crash();
    std::string names;
    for (const auto& entry : *disk.list("")) names += entry.name;
    seen.insert(names);
    EXPECT_EQ(contents(disk, names.substr(0, 1)), "old");
  }
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b", "bc", "c"}));
}

TEST(SimDisk, DirectoriesLoseTheirNamesIndependently) {
  std::set<std::string> seen;
  for (const std::uint64_t seed : seeds(200)) {
    SimDisk disk({.seed = seed});
    for (const char* directory : {"d", "e"}) ASSERT_TRUE(disk.make_directory(directory));
    ASSERT_TRUE(disk.sync_directory(""));
    create(disk, "d/1");
    create(disk, "e/2");
    ASSERT_TRUE(disk.rename("d/1", "e/1"));
    create(disk, "e/3");
    disk.crash();
    std::string names;
    for (const char* path : {"d/1", "e/1", "e/2", "e/3"}) {
      if (exists(disk, path)) names += std::string(path) + " ";
    }
    seen.insert(names);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"", "d/1 ", "e/2 ", "d/1 e/2 ", "e/1 e/2 ", "e/1 e/2 e/3 "}));
}

TEST(SimDisk, SyncedNamesSurviveAndLostDirectoriesTakeTheirFiles) {
  SimDisk disk({.seed = 1});
  ASSERT_TRUE(disk.make_directory("kept"));
  ASSERT_TRUE(disk.sync_directory(""));
  ASSERT_TRUE(disk.make_directory("lost"));
  create(disk, "kept/a");
  create(disk, "lost/a");
  ASSERT_TRUE(disk.sync_directory("kept"));
  ASSERT_TRUE(disk.sync_directory("lost"));
  disk.crash(Survival::kNothing);
  EXPECT_TRUE(exists(disk, "kept/a"));
  EXPECT_FALSE(exists(disk, "lost/a"));
  EXPECT_FALSE(disk.list("lost"));
}

TEST(SimDisk, ReplacedFileIsTheOldOrTheNewAtEveryCrashPoint) {
  for (const std::uint64_t seed : seeds(50)) {
    for (std::uint64_t point = 1;; ++point) {
      SimDisk disk({.seed = seed});
      ASSERT_TRUE(replace_file(disk, "", "meta", as_bytes("old")));
      disk.crash_at_operation(disk.operations() + point);
      const auto replaced = replace_file(disk, "", "meta", as_bytes("brand new"));
      EXPECT_EQ(bool(replaced), !disk.crashed());
      if (!replaced) {
        EXPECT_EQ(replaced.error().code, Errc::kStopped);
      }
      disk.crash();
      const std::string text = contents(disk, "meta");
      if (replaced) {
        EXPECT_EQ(text, "brand new");
        break;
      }
      EXPECT_TRUE(text == "old" || text == "brand new") << text;
    }
  }
}

TEST(SimDisk, FilesDieInACrash) {
  SimDisk disk({.seed = 1});
  auto file = created_durably(disk, "a");
  const AlignedBuffer block = filled(4096, 'x');
  file->write(FilePosition(0), block.span(), WriteMode::kCached, [](Result<std::size_t>) { FAIL(); });
  disk.run_aside([] { FAIL(); }, [] { FAIL(); });
  EXPECT_EQ(disk.in_flight(), 2u);
  disk.crash();
  EXPECT_EQ(disk.in_flight(), 0u);
  EXPECT_EQ(file->sync_now().error().code, Errc::kStopped);
  EXPECT_EQ(file->size_now().error().code, Errc::kStopped);
  EXPECT_EQ(file->write_now(FilePosition(0), as_bytes("x")).error().code, Errc::kStopped);
  file->sync([](Result<std::size_t>) { FAIL(); });
  for (int i = 0; i < 20; ++i) disk.poll();
  EXPECT_TRUE(exists(disk, "a"));
}

TEST(SimDisk, CrashPointStopsEverythingAndFreesTheOwnersBuffers) {
  std::set<char> seen;
  for (const std::uint64_t seed : seeds(50)) {
    SimDisk disk({.seed = seed});
    {
      auto file = created_durably(disk, "a");
      ASSERT_TRUE(file->prepare_now(0, 8192));
      AlignedBuffer block = filled(8192, 'x');
      disk.crash_at_operation(disk.operations() + 1);
      file->write(FilePosition(0), block.span(), WriteMode::kDurable, [](Result<std::size_t>) { FAIL(); });
      finish(disk);
      EXPECT_TRUE(disk.crashed());
      EXPECT_EQ(disk.remove("a").error().code, Errc::kStopped);
      EXPECT_EQ(disk.open("a", OpenMode::kRead).error().code, Errc::kStopped);
      std::memset(block.data(), 'z', block.size());
    }
    disk.crash();
    const std::string text = contents(disk, "a");
    seen.insert(text.begin(), text.end());
  }
  EXPECT_EQ(seen, (std::set<char>{'\0', 'x'}));
}

TEST(SimDisk, KilledProcessKeepsWhatWasCompleted) {
  std::set<char> seen;
  for (const std::uint64_t seed : seeds(50)) {
    SimDisk disk({.seed = seed});
    auto file = create(disk, "a");
    const AlignedBuffer done = filled(4096, 'd');
    const AlignedBuffer flying = filled(4096, 'f');
    ASSERT_TRUE(file->prepare_now(0, 8192));
    ASSERT_TRUE(write(disk, *file, 0, done));
    file->write(FilePosition(4096), flying.span(), WriteMode::kDurable, [](Result<std::size_t>) { FAIL(); });
    disk.kill();
    const std::string text = contents(disk, "a");
    EXPECT_EQ(text.substr(0, 4096), std::string(4096, 'd'));
    EXPECT_EQ(text.substr(4096), std::string(4096, text[4096])) << "as a whole";
    seen.insert(text[4096]);
    disk.crash(Survival::kNothing);
    EXPECT_FALSE(exists(disk, "a")) << "a kill makes nothing durable";
  }
  EXPECT_EQ(seen, (std::set<char>{'\0', 'f'}));
}

}  // namespace
}  // namespace minod
