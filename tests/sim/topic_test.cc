// Plain topics on the simulated disk: several logs on one disk, read by offset and by time, kept as long as the rule
// says, and the same after a power loss.
#include <gtest/gtest.h>

#include <optional>

#include "replay/topic_directory.h"
#include "tests/sim/crash_points.h"
#include "tests/sim/seeds.h"
#include "tests/sim/sim_disk_verbs.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

constexpr std::int64_t kSegment = std::int64_t{1} << 20;

class TopicTest : public ::testing::Test {
 protected:
  TopicTest() { use_disk({}); }
  ~TopicTest() override { stop(); }

  void use_disk(SimDiskOptions options) {
    topic_.reset();
    disk_ = std::make_unique<SimDisk>(options);
    check(disk_->make_directory("topics").has_value() && disk_->sync_directory("").has_value(), "a directory");
  }
  std::unique_ptr<Topic> open(const std::string& name, int partition = 0) {
    RecoveryReport report;
    auto opened = open_topic(*disk_, clock_, "topics", {name, partition}, options_, {}, report);
    if (!opened) ADD_FAILURE() << opened.error().message();
    if (!opened) return nullptr;
    (*opened)->start();
    return std::move(*opened);
  }
  void turn(Topic& topic) {
    topic.dispatch();
    disk_->poll();
  }
  bool settle(Topic& topic) {
    for (int i = 0; i < 100'000 && !disk_->crashed(); ++i) {
      turn(topic);
      if (topic.idle() && disk_->in_flight() == 0) return true;
    }
    return false;
  }
  void stop() {
    if (!topic_) return;
    ASSERT_TRUE(settle(*topic_));
    ASSERT_TRUE(note_clean_end(*disk_, *topic_).has_value());
    topic_.reset();
  }
  void lose_power(Survival survival = Survival::kSome) {
    disk_->crash(survival);
    topic_->abandon();
    topic_.reset();
    topic_ = open("orders");
  }

  bool append(Topic& topic, const std::string& value, std::string_view key = {}) {
    NewRecord record{key, value};
    record.has_key = !key.empty();
    for (int i = 0; i < 10'000 && !disk_->crashed(); ++i) {
      const auto room = topic.make_room(Log::record_bytes(key.size() + value.size()));
      if (room == Log::Room::kYes) {
        topic.append(record);
        return true;
      }
      turn(topic);
    }
    return false;
  }
  // Values named by their number, each of 10 KB and a millisecond later than the one before.
  static std::string value(std::int64_t i) { return std::to_string(i) + std::string(10'000, 'v'); }
  void fill(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      clock_.advance(Millis(1));
      ASSERT_TRUE(append(*topic_, value(next_++)));
      if (i % 3 == 0) turn(*topic_);
    }
  }

  Result<TopicBatches> read(Topic& topic, Offset from, std::size_t bytes_max) {
    std::optional<Result<TopicBatches>> result;
    topic.read(from, bytes_max, [&](const Result<TopicBatches>& batches) { result = batches; });
    for (int i = 0; i < 10'000 && !result; ++i) disk_->poll();
    return *result;
  }
  // The records from an offset to the end, as "offset:number".
  std::vector<std::pair<Offset, std::string>> records(Topic& topic, Offset from, std::size_t bytes_max = 64 << 10) {
    std::vector<std::pair<Offset, std::string>> all;
    Decompressor decompressor;
    while (from < topic.end()) {
      const auto batches = read(topic, from, bytes_max);
      EXPECT_TRUE(batches.has_value()) << batches.error().message();
      if (!batches || batches->next <= from) return all;
      for (Bytes rest = batches->bytes; !rest.empty();) {
        const auto batch = BatchView::open(rest);
        EXPECT_TRUE(batch.has_value());
        if (!batch) return all;
        rest = rest.subspan(batch->bytes().size());
        if (batch->header().is_control()) continue;
        const auto visited = for_each_record(*batch, decompressor, [&](const RecordView& record) {
          if (record.offset >= from)
            all.emplace_back(record.offset, std::string(record.value.substr(0, record.value.find('v'))));
          return true;
        });
        EXPECT_TRUE(visited.has_value());
      }
      from = batches->next;
    }
    return all;
  }
  std::optional<Offset> find_time(UnixMillis time) {
    std::optional<Result<std::optional<Offset>>> result;
    topic_->find_time(time, [&](const Result<std::optional<Offset>>& found) { result = found; });
    for (int i = 0; i < 10'000 && !result; ++i) disk_->poll();
    EXPECT_TRUE(result->has_value()) << result->error().message();
    return **result;
  }

  // Every value says which record it is of, so nothing more has to be known.
  void expect_whole(Offset committed, Offset gone) {
    EXPECT_GE(topic_->end(), committed);
    EXPECT_GE(topic_->begin(), gone);
    const auto all = records(*topic_, topic_->begin());
    Offset next = topic_->begin();
    std::int64_t without_record = 0;  // offsets of control batches
    for (const auto& [offset, number] : all) {
      ASSERT_EQ(number, std::to_string(offset.value()));
      without_record += (offset - next).value();
      next = offset + OffsetCount(1);
    }
    EXPECT_LE(without_record, 20);
  }

  // ---- crash points: a disk as a power loss leaves it, and what was known then

  struct CrashPoint {
    std::unique_ptr<SimDisk> disk;
    Offset committed;
    Offset gone;  // what is below was dropped
    std::uint64_t number = 0;
  };
  CrashPoint crash_point(std::uint64_t number) const {
    return {after(*disk_, static_cast<Loss>(number % kLosses), number), topic_->end(),
            topic_->log().segments().begin()->first, number};
  }

  // Appends and drops; `on_operation` comes before each operation, `between` after each record.
  template <class OnOperation, class Between>
  void play_retention(OnOperation on_operation, Between between) {
    Random chance(4711);
    options_.retention = {2 * kSegment, -1};
    use_disk({.seed = 4711, .delay_max = 3, .tear_sectors = false, .stall_one_in = 30});
    topic_ = open("orders");
    for (int i = 0; i < 900 && !HasFailure(); ++i) {
      disk_->on_operation = on_operation;
      ASSERT_TRUE(append(*topic_, value(topic_->log().marks().appended().value())));
      if (chance.one_in(3)) turn(*topic_);
      if (chance.one_in(20)) topic_->apply_retention();
      disk_->on_operation = nullptr;
      between();
    }
    ASSERT_TRUE(settle(*topic_));
    EXPECT_GT(topic_->begin(), Offset(400));
    topic_.reset();
  }

  // In the place of the topic that plays.
  void examine(CrashPoint point, std::vector<CrashPoint>* during) {
    SCOPED_TRACE("crash before operation " + std::to_string(point.number / kLosses) + ", " +
                 kLossNames[point.number % kLosses] + ", seed " + std::to_string(point.number));
    std::swap(disk_, point.disk);
    auto played = std::exchange(topic_, nullptr);
    if (during != nullptr) {
      disk_->on_operation = [&] {
        const std::uint64_t number = point.number * 1000 + during->size();
        if (during->size() >= 8) return;
        during->push_back({after(*disk_, static_cast<Loss>(Random(number).below(kLosses)), number), point.committed,
                           point.gone, number});
      };
    }
    topic_ = open("orders");
    disk_->on_operation = nullptr;
    if (topic_ != nullptr) {
      expect_whole(point.committed, point.gone);
      const Offset last = topic_->log().marks().appended();
      const bool appended = append(*topic_, value(last.value())) && settle(*topic_);
      EXPECT_TRUE(appended);
      const Offset gone = topic_->log().segments().begin()->first;
      lose_power(Survival::kNothing);
      if (topic_ != nullptr) expect_whole(last + OffsetCount(1), gone);
    }
    disk_->kill();
    if (topic_ != nullptr) topic_->abandon();
    topic_ = std::move(played);
    std::swap(disk_, point.disk);
  }

  TopicOptions options_{kSegment, SyncPolicy::kAlways, false, {}};
  ManualClock clock_;
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<Topic> topic_;
  std::int64_t next_ = 0;
};

TEST_F(TopicTest, IsReadFromAnyOffset) {
  topic_ = open("orders");
  EXPECT_EQ(topic_->end(), kFirstOffset);
  fill(350);
  ASSERT_TRUE(settle(*topic_));
  EXPECT_GE(topic_->log().segments().size(), 4u);
  for (const std::int64_t from : {0, 1, 57, 104, 105, 106, 349}) {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{64} << 10, std::size_t{4} << 20}) {
      const auto all = records(*topic_, Offset(from), bytes);
      ASSERT_EQ(all.size(), static_cast<std::size_t>(350 - from)) << from << " " << bytes;
      EXPECT_EQ(all.front().first, Offset(from));
      EXPECT_EQ(all.front().second, std::to_string(from));
    }
  }
  const auto nothing = read(*topic_, topic_->end(), 100);
  ASSERT_TRUE(nothing.has_value());
  EXPECT_TRUE(nothing->bytes.empty());
  const auto beyond = read(*topic_, topic_->end() + OffsetCount(1), 100);
  ASSERT_FALSE(beyond.has_value());
  EXPECT_EQ(beyond.error().code, Errc::kNotFound);
}

TEST_F(TopicTest, WhatIsNotCommittedIsNotRead) {
  topic_ = open("orders");
  fill(5);
  ASSERT_TRUE(settle(*topic_));
  ASSERT_TRUE(append(*topic_, value(5)));
  EXPECT_EQ(records(*topic_, Offset(0)).size(), 5u);
  topic_->dispatch();
  EXPECT_EQ(records(*topic_, Offset(0)).size(), static_cast<std::size_t>(topic_->end().value()));
  ASSERT_TRUE(settle(*topic_));
  EXPECT_EQ(records(*topic_, Offset(0)).size(), 6u);
}

TEST_F(TopicTest, SeveralLogsStandSideBySide) {
  topic_ = open("orders");
  auto other = open("payments", 3);
  fill(10);
  ASSERT_TRUE(append(*other, "7v", "a key"));
  ASSERT_TRUE(settle(*other) && settle(*topic_));
  EXPECT_EQ(records(*topic_, Offset(0)).size(), 10u);
  EXPECT_EQ(records(*other, Offset(0)).size(), 1u);
  const auto found = list_topics(*disk_, "topics");
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[1].topic, "payments");
  EXPECT_EQ((*found)[1].partition, 3);
  RecoveryReport report;
  EXPECT_EQ(open_topic(*disk_, clock_, "topics", {"../x", 0}, options_, {}, report).error().code, Errc::kInvalid);
}

TEST_F(TopicTest, FindsTheFirstRecordOfATime) {
  topic_ = open("orders");
  const UnixMillis begin = clock_.now();
  fill(350);
  ASSERT_TRUE(settle(*topic_));
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted);
    EXPECT_EQ(find_time(UnixMillis(0)), Offset(0));
    for (const std::int64_t i : {0, 1, 50, 104, 105, 220, 349}) {
      EXPECT_EQ(find_time(begin + Millis(i + 1)), Offset(i)) << i;
    }
    EXPECT_EQ(find_time(begin + Millis(351)), std::nullopt);
    if (restarted) break;
    stop();
    topic_ = open("orders");
    ASSERT_TRUE(settle(*topic_));
  }
  ASSERT_TRUE(exists(*disk_, "topics/orders-0/00000000000000000000.timeindex"));
  ASSERT_TRUE(disk_->remove("topics/orders-0/00000000000000000000.timeindex").has_value());
  EXPECT_EQ(find_time(begin + Millis(51)), Offset(50)) << "without its index a segment is read through";
}

TEST_F(TopicTest, OldSegmentsGoByBytesAndStayGone) {
  options_.retention = {2 * kSegment, -1};
  topic_ = open("orders");
  fill(600);
  ASSERT_TRUE(settle(*topic_));
  EXPECT_EQ(topic_->begin(), Offset(0));
  topic_->apply_retention();
  ASSERT_TRUE(settle(*topic_));
  const Offset begin = topic_->begin();
  EXPECT_GT(begin, Offset(300));
  EXPECT_EQ(topic_->log().segments().begin()->first, begin) << "the files are gone";
  EXPECT_EQ(read(*topic_, begin - OffsetCount(1), 100).error().code, Errc::kNotFound);
  const auto before = records(*topic_, begin);
  EXPECT_EQ(before.front().second, std::to_string(begin.value()));
  lose_power();
  EXPECT_EQ(topic_->begin(), begin);
  EXPECT_EQ(records(*topic_, begin), before);
  EXPECT_EQ(find_time(UnixMillis(0)), begin);
}

TEST_F(TopicTest, OldSegmentsGoByTheTimeOfTheirNewestRecord) {
  options_.retention = {-1, 60'000};
  topic_ = open("orders");
  fill(250);
  clock_.advance(Millis(50'000));
  fill(150);
  ASSERT_TRUE(settle(*topic_));
  topic_->apply_retention();
  EXPECT_EQ(topic_->begin(), Offset(0)) << "none is old enough";
  clock_.advance(Millis(20'000));
  topic_->apply_retention();
  ASSERT_TRUE(settle(*topic_));
  EXPECT_GT(topic_->begin(), Offset(150));
  EXPECT_LT(topic_->begin(), Offset(250)) << "the segment that also has young records stays whole";
  clock_.advance(Millis(1'000'000));
  topic_->apply_retention();
  ASSERT_TRUE(settle(*topic_));
  EXPECT_EQ(topic_->log().segments().size(), 1u) << "the active segment stays";
}

TEST_F(TopicTest, PowerLossLosesNothingCommittedAndNeverUndoesRetention) {
  for (const std::uint64_t seed : seeds(25)) {
    SCOPED_TRACE("MINOD_SEED=" + std::to_string(seed));
    Random chance(seed);
    options_.retention = {2 * kSegment, -1};
    use_disk({.seed = seed, .delay_max = 1 + static_cast<unsigned>(chance.below(5))});
    topic_ = open("orders");
    next_ = 0;
    Offset committed = kFirstOffset;
    for (int restarts = 0; restarts < 5 && !HasFailure(); ++restarts) {
      disk_->crash_at_operation(disk_->operations() + 1 + chance.below(120));
      for (int i = 0; i < 400 && !disk_->crashed(); ++i) {
        if (!append(*topic_, value(topic_->log().marks().appended().value()))) break;
        if (chance.one_in(3)) turn(*topic_);
        if (chance.one_in(20)) topic_->apply_retention();
        committed = topic_->end();
      }
      const Offset gone = topic_->log().segments().begin()->first;  // files go when the log start is durable
      disk_->crash_at_operation(0);
      lose_power();
      if (topic_ == nullptr) return;
      expect_whole(committed, gone);
    }
    ASSERT_TRUE(settle(*topic_));
    topic_.reset();
  }
}

// MINOD_CRASH_POINTS: how many, chosen by hash; 0: all.
TEST_F(TopicTest, EveryCrashPointOfAppendsAndRetention) {
  std::uint64_t operations = 0;
  play_retention([&] { ++operations; }, [] {});
  const std::uint64_t all = operations * kLosses;
  const std::uint64_t wanted = number_from("MINOD_CRASH_POINTS", share_of(150));
  std::uint64_t operation = 0;
  std::uint64_t examined = 0;
  std::uint64_t in_restarts = 0;
  std::vector<CrashPoint> points;
  play_retention(
      [&] {
        ++operation;
        for (std::uint64_t loss = 0; loss < kLosses; ++loss) {
          const std::uint64_t number = operation * kLosses + loss;
          if (is_chosen(number, wanted, all)) points.push_back(crash_point(number));
        }
      },
      [&] {
        for (CrashPoint& point : points) {
          ++examined;
          std::vector<CrashPoint> during;
          const bool again = Random(~point.number).one_in(10);
          examine(std::move(point), again ? &during : nullptr);
          for (CrashPoint& second : during) {
            ++in_restarts;
            if (!HasFailure()) examine(std::move(second), nullptr);
          }
        }
        points.clear();
      });
  std::printf("a plain topic: %llu of %llu crash points, %llu crashes during their restarts\n",
              static_cast<unsigned long long>(examined), static_cast<unsigned long long>(all),
              static_cast<unsigned long long>(in_restarts));
  EXPECT_GT(examined, 0u);
}

}  // namespace
}  // namespace minod
