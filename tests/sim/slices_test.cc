// What a shard does in the background beside its clients' commands goes in slices that end by the clock. Here time goes
// by only when somebody looks at it, so a slice that looks too seldom is seen by what it did, on any machine.
#include <gtest/gtest.h>

#include "tests/store/store_fixture.h"

namespace minod {
namespace {

constexpr int kKeys = 20'000;
constexpr Nanos kLook{50'000};  // a piece of work takes as long, as far as the clock tells

class Slices : public StoreFixture {
 protected:
  Slices() {
    options_ = StoreOptions();
    options_.compress = true;  // then a slice of a segment has very many records
    options_.checkpoint_bytes = 0;
    options_.compaction.enabled = false;
    options_.compaction.bytes_per_second = 0;
  }

  void begin() { use_disk({}); }

  static std::string key(int i) { return "k" + std::to_string(i); }

  // Many in each batch, as clients that send pipelines make them.
  void set_all(std::string_view value, int step) {
    for (int i = 0; i < kKeys;) {
      std::vector<std::string> command{"MSET"};
      for (; i < kKeys && command.size() < 1000; i += step) {
        command.push_back(key(i));
        command.emplace_back(value);
      }
      ASSERT_EQ(run(command), "+OK\r\n");
    }
    settle();
  }

  void expect_all(std::string_view odd, std::string_view even) {
    EXPECT_EQ(run({"DBSIZE"}), ":" + std::to_string(kKeys) + "\r\n");
    for (const int i : {0, 1, 2, 513, 9998, 9999, kKeys - 1}) {
      const std::string value(i % 2 == 0 ? even : odd);
      EXPECT_EQ(run({"GET", key(i)}), "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n");
    }
  }
};

TEST_F(Slices, ACheckpointsEndByTheClock) {
  options_.checkpoint_bytes = 1 << 10;
  options_.compress = false;  // or the log grows too little for one to be due
  begin();
  const std::string old(100, 'o');
  const std::string fresh(100, 'f');
  set_all(old, 1);
  const std::uint64_t before = store_->checkpointer().counters().written;
  clock_.set_look(kLook);
  for (int i = 0; i < 10'000 && store_->checkpointer().counters().written == before; ++i) {
    store_->tick();
    turn();
  }
  EXPECT_GT(store_->checkpointer().counters().written, before);
  // The slice's own looks, and those of who measures it.
  EXPECT_LE(store_->checkpointer().counters().slice_ns, (Checkpointer::kSliceTime + kLook + kLook + kLook).value());
  clock_.set_look(Nanos(1000));
  set_all(fresh, 2);
  stop();
  start();
  EXPECT_GT(report_.checkpoint_records, 0);
  expect_all(old, fresh);
}

TEST_F(Slices, ACompactionsJudgementEndsByTheClock) {
  begin();
  set_all("old", 1);
  set_all("new", 2);
  Log& log = store_->partition(0, 0)->log();
  for (int i = 0; i < 100 && !log.leave_active(); ++i) settle();
  settle();
  Compactor& compactor = store_->compactor();
  clock_.set_look(kLook);
  ASSERT_TRUE(compactor.compact(*store_->partition(0, 0), kFirstOffset, log.segments().rbegin()->first));
  for (int i = 0; i < 10'000 && compactor.busy(); ++i) {
    turn();
    if (i % 10 == 9) advance(Millis(100));
    // Between two pieces others write, and what they replace may have been judged already.
    if (i == 20) run({"SET", key(1), "old"});
  }
  EXPECT_FALSE(compactor.busy());
  const CompactionReport report = store_->compaction_report();
  EXPECT_EQ(report.runs, 1U);
  EXPECT_GE(report.records_dropped, static_cast<std::uint64_t>(kKeys / 2));
  EXPECT_GT(report.pause_ns, 0);
  EXPECT_LE(report.pause_ns, (CompactionRun::kJudgeTime + kLook).value());
  clock_.set_look(Nanos(1000));
  evict_all();
  expect_all("old", "new");
  stop();
  start();
  expect_all("old", "new");
}

}  // namespace
}  // namespace minod
