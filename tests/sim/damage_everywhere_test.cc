// A small data directory with one thing wrong: a bit of any file flipped, any file cut at any byte, gone, changed for
// another, or as it was some time ago; segments, their indexes and hints, checkpoints and the small files alike. A
// start refuses and names the directory, or what it serves is the truth. Of the active segment of a node that was
// killed nobody knows how far it went: then what is served is the truth of some moment, and nothing of a later one.
//
//   MINOD_DAMAGE_TRIES   how many of each kind, chosen by hash: 400 by default, 0 all of them
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>

#include "tests/sim/machine.h"
#include "tests/sim/seeds.h"

namespace minod {
namespace {

constexpr const char* kDirectory = "data/db0-0";
constexpr int kKeys = 12;
constexpr int kCommands = 150;
constexpr std::int64_t kEmptyStep = 4096;  // of prepared space one byte in so many is as good as all

std::vector<std::string> keys() {
  std::vector<std::string> all;
  for (int i = 0; i < kKeys; ++i) all.push_back("key" + std::to_string(i));
  return all;
}

std::unique_ptr<SimDisk> copy_of(const SimDisk& disk) { return disk.after_power_loss(Survival::kAll, {}); }

std::map<std::string, std::string> files_of(SimDisk& disk) {
  std::map<std::string, std::string> files;
  const auto entries = disk.list(kDirectory);
  EXPECT_TRUE(entries);
  for (const DirectoryEntry& entry : *entries) {
    const std::string path = std::string(kDirectory) + "/" + entry.name;
    files[path] = *read_file(disk, path, 1 << 30);
  }
  return files;
}

void put(SimDisk& disk, const std::string& path, const std::string& contents) {
  const auto file = disk.open(path, OpenMode::kCreate);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write_now(FilePosition(0), as_bytes(contents)));
  ASSERT_TRUE((*file)->sync_now());
  ASSERT_TRUE(disk.sync_directory(kDirectory));
}

class DamageEverywhere : public ::testing::TestWithParam<bool> {
 protected:
  bool is_clean() const { return GetParam(); }  // the node was stopped; otherwise it was killed

  // Each command is a group of its own; the log rolls three times.
  void SetUp() override {
    options_.segment_bytes = (std::int64_t{256} << 10) + 8192;
    options_.checkpoint_bytes = 40'000;
    // It drops values for the sake of newer ones, which may be what the damage takes.
    options_.compaction.enabled = false;
    Machine machine(options_, SimDiskOptions{});
    Random chance(7);
    for (int i = 0; i < kCommands; ++i) {
      if (i == kCommands / 2) older_ = copy_of(machine.disk());
      const std::string key = "key" + std::to_string(chance.below(kKeys));
      before_last_ = machine.window();
      if (i == 20) {
        machine.issue({"FLUSHDB", "SYNC"});
      } else if (i + 1 < kCommands && chance.one_in(6)) {
        machine.issue({"DEL", key});
      } else {
        machine.issue({"SET", key, std::to_string(i) + std::string(chance.below(12'000), 'v')});
      }
      ASSERT_TRUE(machine.settle());
      ever_.push_back(machine.window().front());
      // A checkpoint that begins here goes on while the next command is carried out.
      if (i % 3 == 0) machine.advance(Millis(100));
    }
    EXPECT_GE(machine.store().checkpointer().counters().written, 3u);
    truth_ = machine.window();
    ASSERT_EQ(truth_.size(), 1u);
    clock_ = machine.clock();
    if (is_clean()) machine.stop();
    disk_ = copy_of(machine.disk());
    for (const auto& [path, contents] : files_of(*disk_)) {
      if (path.ends_with(".log")) active_ = path;
    }
  }

  void try_with(const std::string& what, const std::function<void(SimDisk&)>& harm, bool unknowable = false,
                Machine::Errors errors = Machine::Errors::kAllowed) {
    SCOPED_TRACE(what);
    ++tries_;
    auto disk = copy_of(*disk_);
    harm(*disk);
    Machine machine(options_, std::move(disk), clock_);
    const auto started = machine.try_start();
    if (!started) {
      ++refused_;
      EXPECT_NE(started.error().message().find(kDirectory), std::string::npos) << started.error().message();
      return;
    }
    Window allowed = unknowable ? ever_ : truth_;
    // Nothing vouches for the last group of a node that was killed.
    if (!is_clean()) allowed.push_back(before_last_.front());
    const auto wrong = machine.adopt(allowed, keys(), errors);
    EXPECT_FALSE(wrong.has_value()) << *wrong;
  }

  static bool chosen(std::uint64_t number, std::uint64_t all) {
    const char* text = std::getenv("MINOD_DAMAGE_TRIES");
    const std::uint64_t wanted = text == nullptr ? share_of(400) : std::strtoull(text, nullptr, 10);
    return wanted == 0 || Random(number).below(all) < wanted;
  }

  // The positions of a file at which damage is tried.
  static std::vector<std::size_t> positions(const std::string& contents) {
    std::vector<std::size_t> all;
    const std::size_t used = contents.find_last_not_of('\0') + 1;
    for (std::size_t i = 0; i < contents.size(); i += i < used + 64 ? 1 : kEmptyStep) all.push_back(i);
    return all;
  }

  void report(const char* what) const {
    std::printf("%s: %llu tries, %llu refused\n", what, static_cast<unsigned long long>(tries_),
                static_cast<unsigned long long>(refused_));
  }

  StoreOptions options_;
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<SimDisk> older_;  // the same, some time before
  std::string active_;              // the path of the active segment
  Window truth_;
  Window ever_;  // the states after each command
  Window before_last_;
  ManualClock clock_;
  std::uint64_t tries_ = 0;
  std::uint64_t refused_ = 0;
};

TEST_P(DamageEverywhere, AFlippedBit) {
  std::uint64_t number = 0;
  std::uint64_t all = 0;
  for (const auto& [path, contents] : files_of(*disk_)) all += positions(contents).size() * 8;
  for (const auto& [path, contents] : files_of(*disk_)) {
    for (const std::size_t position : positions(contents)) {
      for (int bit = 0; bit < 8; ++bit) {
        if (!chosen(++number, all)) continue;
        try_with(path + ", byte " + std::to_string(position) + ", bit " + std::to_string(bit), [&](SimDisk& disk) {
          std::string flipped = contents;
          flipped[position] = static_cast<char>(flipped[position] ^ (1 << bit));
          put(disk, path, flipped);
        });
        if (HasFailure()) return;
      }
    }
  }
  report("flipped bits");
  EXPECT_GT(refused_, 0u);
}

TEST_P(DamageEverywhere, ACutFile) {
  std::uint64_t number = 0;
  std::uint64_t all = 0;
  for (const auto& [path, contents] : files_of(*disk_)) all += positions(contents).size();
  for (const auto& [path, contents] : files_of(*disk_)) {
    for (const std::size_t size : positions(contents)) {
      if (!chosen(++number, all)) continue;
      // Of the active segment of a node that was killed, what is cut off may have been a torn write, group after group.
      const bool unknowable = !is_clean() && path == active_;
      try_with(
          path + ", cut to " + std::to_string(size), [&](SimDisk& disk) { put(disk, path, contents.substr(0, size)); },
          unknowable, unknowable ? Machine::Errors::kWrong : Machine::Errors::kAllowed);
      if (HasFailure()) return;
    }
  }
  report("cut files");
}

TEST_P(DamageEverywhere, AFileThatIsGoneOrAnotherOrOlder) {
  const auto files = files_of(*disk_);
  const auto older = files_of(*older_);
  for (const auto& [path, contents] : files) {
    const bool unknowable = !is_clean() && path == active_;
    try_with(
        path + " is gone",
        [&, gone = path](SimDisk& disk) {
          ASSERT_TRUE(disk.remove(gone));
          ASSERT_TRUE(disk.sync_directory(kDirectory));
        },
        unknowable);
    const auto old = older.find(path);
    if (old != older.end()) {
      try_with(
          path + " is older", [&, file = path](SimDisk& disk) { put(disk, file, old->second); }, unknowable);
    }
    for (const auto& [other, others] : files) {
      if (other <= path) continue;
      const bool of_two_segments = path.ends_with(".log") && other.ends_with(".log");
      try_with(
          path + " and " + other + " have changed places",
          [&, a = path, b = other](SimDisk& disk) {
            put(disk, a, files.at(b));
            put(disk, b, files.at(a));
          },
          !is_clean() && !of_two_segments && (path == active_ || other == active_));
    }
  }
  report("files gone, swapped or older");
  EXPECT_GT(refused_, 0u);
}

// Of a node that runs: what it reads from the disk is checked again.
TEST_P(DamageEverywhere, AFlippedBitUnderARunningNode) {
  Machine machine(options_, copy_of(*disk_), clock_);
  ASSERT_TRUE(machine.try_start());
  std::uint64_t number = 0;
  std::uint64_t errors = 0;
  for (const auto& [path, contents] : files_of(*disk_)) {
    if (!path.ends_with(".log")) continue;
    const std::size_t used = contents.find_last_not_of('\0') + 1;
    for (std::size_t bit = 0; bit < used * 8; ++bit) {
      if (!chosen(++number, std::uint64_t{kCommands} * 6000 * 8)) continue;
      SCOPED_TRACE(path + ", bit " + std::to_string(bit));
      const auto flip = [&] {
        const auto file = machine.disk().open(path, OpenMode::kReadWrite);
        std::byte byte;
        ASSERT_TRUE(file && (*file)->read_now(FilePosition(static_cast<std::int64_t>(bit / 8)), {&byte, 1}));
        byte ^= std::byte{1} << (bit % 8);
        ASSERT_TRUE((*file)->write_now(FilePosition(static_cast<std::int64_t>(bit / 8)), {&byte, 1}));
      };
      machine.evict_all();
      flip();
      for (const std::string& key : keys()) {
        const auto at = truth_.front()->find(key);
        const std::string reply = machine.run({"GET", key});
        const bool refused = reply.starts_with("-");
        errors += refused ? 1 : 0;
        const std::string expected = at == truth_.front()->end() ? "$-1\r\n"
                                                                 : "$" + std::to_string(at->second.value.size()) +
                                                                       "\r\n" + at->second.value + "\r\n";
        EXPECT_TRUE(refused || reply == expected) << key << ": " << reply;
      }
      flip();
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(errors, 0u);
}

INSTANTIATE_TEST_SUITE_P(Ends, DamageEverywhere, ::testing::Values(true, false),
                         [](const auto& tested) { return tested.param ? "AfterAStop" : "AfterAKill"; });

}  // namespace
}  // namespace minod
