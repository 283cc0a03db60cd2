// Every crash point of six workloads: before each write, sync and change of a name (of a roll, a hint, a checkpoint, a
// compaction, a backup, a log start), times what a power loss may leave of what was not synced. After each, a start
// succeeds, what it serves is a state that the model allows, and one more write survives one more power loss; at some
// of them, power fails again at each operation of the restart.
//
//   MINOD_CRASH_POINTS   how many of each workload, chosen by hash: 150 by default, 0 all of them
//   MINOD_CRASH_SECONDS  how long a workload may take at most; 60 by default, 0 for as long as it takes
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "tests/sim/crash_points.h"
#include "tests/sim/seeds.h"
#include "tests/sim/workload.h"

namespace minod {
namespace {

constexpr std::uint64_t kSeed = 4711;
constexpr std::uint64_t kOneInRestarts = 25;  // of the crash points is followed by crashes of the restart
constexpr std::size_t kRestartPointsMax = 12;

struct CrashPoint {
  std::unique_ptr<SimDisk> disk;
  Window window;
  Backups backups;
  ManualClock clock;
  std::uint64_t number = 0;  // operation * kLosses + loss
};

class CrashPoints {
 public:
  explicit CrashPoints(Workload workload)
      : workload_(std::move(workload)), ends_(std::chrono::steady_clock::now() + std::chrono::seconds(seconds_max())) {}

  void run() {
    const std::uint64_t all = play(0, 0) * kLosses;
    const std::uint64_t asked = number_from("MINOD_CRASH_POINTS", share_of(150));
    play(asked, all);
    std::printf("%s: %llu of %llu crash points, %llu crashes during their restarts, %llu states compared\n",
                workload_.name.c_str(), static_cast<unsigned long long>(points_), static_cast<unsigned long long>(all),
                static_cast<unsigned long long>(restart_points_), static_cast<unsigned long long>(compared_));
    EXPECT_GT(points_, 0u);
  }

 private:
  static std::int64_t seconds_max() {
    const auto seconds = static_cast<std::int64_t>(number_from("MINOD_CRASH_SECONDS", 60));
    return seconds == 0 ? 1'000'000 : seconds;
  }
  bool out_of_time() const { return std::chrono::steady_clock::now() > ends_; }

  // Plays the workload once, and looks at about `wanted` of `all` crash points. Returns its number of operations.
  std::uint64_t play(std::uint64_t wanted, std::uint64_t all) {
    SimDiskOptions options;
    options.seed = kSeed;
    options.stall_one_in = 30;
    Machine machine(workload_.options, options);
    machine.set_connections(workload_.connections);
    Random chance(kSeed);
    std::uint64_t operation = 0;
    std::vector<CrashPoint> points;
    machine.disk().on_operation = [&] {
      ++operation;
      for (std::uint64_t loss = 0; loss < kLosses; ++loss) {
        const std::uint64_t number = operation * kLosses + loss;
        if (all == 0 || !is_chosen(number, wanted, all)) continue;  // it only counts
        const bool durable_only = workload_.options.sync != SyncPolicy::kAlways;
        points.push_back(CrashPoint{after(machine.disk(), static_cast<Loss>(loss), number),
                                    machine.window(durable_only), machine.backups(), machine.clock(), number});
      }
    };
    for (int i = 0; i < workload_.commands && !::testing::Test::HasFailure(); ++i) {
      step(machine, workload_, chance);
      for (CrashPoint& point : points) {
        if (!out_of_time()) examine(std::move(point));
      }
      points.clear();
    }
    machine.disk().on_operation = nullptr;
    EXPECT_TRUE(machine.failures().empty());
    return operation;
  }

  void examine(CrashPoint point) {
    ++points_;
    SCOPED_TRACE("crash before operation " + std::to_string(point.number / kLosses) + ", " +
                 kLossNames[point.number % kLosses] + "; point " + std::to_string(point.number));
    const bool again = Random(~point.number).one_in(kOneInRestarts);
    std::vector<CrashPoint> during;
    Machine machine(workload_.options, std::move(point.disk), point.clock);
    if (again) {
      machine.disk().on_operation = [&] {
        const std::uint64_t number = point.number * 1000 + during.size();
        const auto loss = static_cast<Loss>(Random(number).below(kLosses));
        if (during.size() < kRestartPointsMax) {
          during.push_back(
              CrashPoint{after(machine.disk(), loss, number), point.window, point.backups, point.clock, number});
        }
      };
    }
    check_restart(machine, point, again);
    for (CrashPoint& second : during) {
      if (::testing::Test::HasFailure()) return;
      ++restart_points_;
      SCOPED_TRACE("and before operation " + std::to_string(second.number % 1000) + " of the restart");
      Machine restarted(workload_.options, std::move(second.disk), second.clock);
      check_restart(restarted, second, false);
    }
  }

  void check_restart(Machine& machine, const CrashPoint& point, bool until_idle) {
    const auto started = machine.try_start();
    ASSERT_TRUE(started.has_value()) << started.error().message();
    if (until_idle) machine.settle();
    machine.disk().on_operation = nullptr;
    compare(machine, point.window);
    const auto bad = bad_backup(machine.disk(), point.backups, machine.clock(), workload_.options, workload_.keys);
    EXPECT_FALSE(bad.has_value()) << *bad;
    if (::testing::Test::HasFailure()) return;
    machine.issue({"SET", workload_.keys.front(), "written after the crash"});
    ASSERT_TRUE(machine.settle());
    machine.store().sync_logs();
    ASSERT_TRUE(machine.settle());
    const Window written = machine.window(true);
    ASSERT_EQ(written.size(), 1u) << "nothing is in flight, so all of it is durable";
    machine.crash(Survival::kNothing);
    const auto started_again = machine.try_start();
    ASSERT_TRUE(started_again.has_value()) << started_again.error().message();
    compare(machine, written);
  }

  void compare(Machine& machine, const Window& window) {
    ++compared_;
    const auto wrong = machine.adopt(window, workload_.keys);
    EXPECT_FALSE(wrong.has_value()) << *wrong;
  }

  Workload workload_;
  std::chrono::steady_clock::time_point ends_;
  std::uint64_t points_ = 0;
  std::uint64_t restart_points_ = 0;
  std::uint64_t compared_ = 0;
};

TEST(CrashPoints, SmallSetsThatRoll) { CrashPoints(small_sets()).run(); }
TEST(CrashPoints, DeletesExpiryAndFlushes) { CrashPoints(deletes_and_flushes()).run(); }
TEST(CrashPoints, LargeCompressedGroups) { CrashPoints(large_groups()).run(); }
TEST(CrashPoints, CompactionCheckpointsAndBackups) { CrashPoints(kept_in_order()).run(); }
TEST(CrashPoints, EverySecondLosesOnlyWhatNoSyncHasCovered) { CrashPoints(cached_sets()).run(); }
TEST(CrashPoints, EverySecondCompactionCheckpointsAndBackups) { CrashPoints(cached_and_kept()).run(); }

}  // namespace
}  // namespace minod
