// The crash points of cache mode: before each write, sync and change of a name while the oldest segments go and what
// was read is written again, times what a power loss may leave. After each, a start succeeds, each key is absent or has
// its newest value, the logs are within their budget, and what is written and lost then stays so over one more power
// loss. At some of them, power fails again at operations of the restart.
//
//   MINOD_CRASH_POINTS   how many, chosen by hash: 120 by default, 0 all of them
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/sim/cache_node.h"
#include "tests/sim/crash_points.h"
#include "tests/sim/seeds.h"

namespace minod {
namespace {

constexpr std::uint64_t kKeys = 260;
constexpr int kCommands = 700;
constexpr std::uint64_t kOneInRestarts = 12;  // of the crash points is followed by crashes of the restart
constexpr std::size_t kRestartPointsMax = 8;

class CachePoints : public CacheNode {
 public:
  struct Point {
    std::unique_ptr<SimDisk> disk;
    Newest newest;
    ManualClock clock;
    std::uint64_t number = 0;  // operation * kLosses + loss
  };

  // Near the budget, so that segments go with each further command.
  explicit CachePoints(std::int64_t checkpoint_bytes) {
    budget_ = std::uint64_t{9} << 19;
    segment_bytes_ = std::int64_t{288} << 10;
    options_.checkpoint_bytes = checkpoint_bytes;
    begin(4711, DiskPolicy::kAllKeysSegment);
    while (store_->evictor().counters().segments == 0) step();
  }
  // What a crash has left; not started.
  CachePoints(const CachePoints& from, Point point) {
    budget_ = from.budget_;
    segment_bytes_ = from.segment_bytes_;
    options_ = from.options_;
    chance_ = Random(point.number);
    next_ = from.next_ + 1'000'000;  // of no other value
    newest_ = std::move(point.newest);
    clock_ = point.clock;
    disk_ = std::move(point.disk);
  }
  ~CachePoints() override {
    disk_->kill();
    if (!store_) return;
    store_->abandon();
    store_.reset();
  }
  void TestBody() override {}

  // Plays the same commands each time; `on_operation` is asked before each operation, `between` after each command.
  template <class OnOperation, class Between>
  void play(OnOperation on_operation, Between between) {
    disk_->on_operation = on_operation;
    for (int i = 0; i < kCommands && !HasFailure(); ++i) {
      step();
      between();
    }
    disk_->on_operation = nullptr;
    EXPECT_GT(store_->evictor().counters().segments, 8u);
    EXPECT_GT(store_->evictor().counters().kept_records, 8u);
    EXPECT_TRUE(failures_.empty());
  }
  Point point(Loss loss, std::uint64_t number) const { return {after(*disk_, loss, number), newest_, clock_, number}; }

  // Starts, and looks at everything. What a power loss during the start leaves is appended to `during`.
  void examine(const Point& known, std::vector<Point>* during) {
    if (during != nullptr) {
      disk_->on_operation = [this, during, &known] {
        const std::uint64_t number = known.number * 1000 + during->size();
        if (during->size() >= kRestartPointsMax) return;
        during->push_back(point(static_cast<Loss>(Random(number).below(kLosses)), number));
      };
    }
    const auto started = try_start();
    disk_->on_operation = nullptr;
    ASSERT_TRUE(started.has_value()) << started.error().message();
    expect_all();
    ASSERT_EQ(set(known.number % kKeys), "+OK\r\n");
    erase((known.number + 1) % kKeys);
    lose_power(Survival::kNothing);
    expect_all();
    EXPECT_EQ(run({"GET", key(known.number % kKeys)}), bulk(newest(known.number % kKeys)));
  }

 private:
  void step() {
    const std::uint64_t i = chance_.below(kKeys);
    if (chance_.one_in(10)) {
      erase(i);
    } else if (chance_.one_in(2)) {
      set(i, 200 + chance_.below(24'000));
    } else {
      expect_newest_or_absent(i % 40);  // these are read often enough to stay
    }
    if (chance_.one_in(4)) advance(Millis(50));
  }
  void expect_all() {
    for (std::uint64_t i = 0; i < kKeys; ++i) expect_newest_or_absent(i);
    expect_within_budget();
  }
};

class CacheCrashPoints : public ::testing::TestWithParam<std::int64_t> {
 protected:
  void examine(const CachePoints& played, CachePoints::Point point) {
    ++points_;
    SCOPED_TRACE("crash before operation " + std::to_string(point.number / kLosses) + ", " +
                 kLossNames[point.number % kLosses]);
    std::vector<CachePoints::Point> during;
    const bool again = Random(~point.number).one_in(kOneInRestarts);
    const CachePoints::Point known{nullptr, {}, point.clock, point.number};
    CachePoints(played, std::move(point)).examine(known, again ? &during : nullptr);
    for (CachePoints::Point& second : during) {
      if (HasFailure()) return;
      ++restart_points_;
      SCOPED_TRACE("and before operation " + std::to_string(second.number % 1000) + " of the restart");
      const CachePoints::Point known_then{nullptr, {}, second.clock, second.number};
      CachePoints(played, std::move(second)).examine(known_then, nullptr);
    }
  }

  std::uint64_t points_ = 0;
  std::uint64_t restart_points_ = 0;
};

TEST_P(CacheCrashPoints, ANewestValueOrNone) {
  std::uint64_t operations = 0;
  CachePoints(GetParam()).play([&] { ++operations; }, [] {});
  const std::uint64_t all = operations * kLosses;
  const std::uint64_t wanted = number_from("MINOD_CRASH_POINTS", share_of(120));
  CachePoints played(GetParam());
  std::vector<CachePoints::Point> points;
  std::uint64_t operation = 0;
  played.play(
      [&] {
        ++operation;
        for (std::uint64_t loss = 0; loss < kLosses; ++loss) {
          const std::uint64_t number = operation * kLosses + loss;
          if (is_chosen(number, wanted, all)) points.push_back(played.point(static_cast<Loss>(loss), number));
        }
      },
      [&] {
        for (CachePoints::Point& point : points) {
          if (!HasFailure()) examine(played, std::move(point));
        }
        points.clear();
      });
  EXPECT_EQ(operation, operations) << "the same commands make the same operations";
  std::printf("cache mode: %llu of %llu crash points, %llu crashes during their restarts\n",
              static_cast<unsigned long long>(points_), static_cast<unsigned long long>(all),
              static_cast<unsigned long long>(restart_points_));
  EXPECT_GT(points_, 0u);
}

INSTANTIATE_TEST_SUITE_P(Settings, CacheCrashPoints, ::testing::Values(0, 300'000),
                         [](const auto& tested) { return tested.param == 0 ? "Plain" : "Checkpoints"; });

}  // namespace
}  // namespace minod
