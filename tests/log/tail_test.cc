#include "log/tail.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace minod {
namespace {

class TailTest : public testing::Test {
 protected:
  static std::string key(std::int64_t offset) { return "key:" + std::to_string(offset); }
  static std::string value(std::int64_t offset) {
    return std::string(static_cast<std::size_t>(offset % 50), 'v') + std::to_string(offset);
  }

  // One batch of `count` records.
  void add_batch(int count) {
    std::byte* batch = tail_.open_batch(64);
    std::size_t used = 0;
    for (int i = 0; i < count; ++i, ++next_) {
      const std::string name = key(next_);
      const std::string text = value(next_);
      const NewRecord record{name, text};
      const std::size_t size = record_size(record, 0, i);
      batch = tail_.grow_batch(used, size);
      encode_record(batch + used, record, 0, i);
      tail_.add(batch + used, size);
      used += size;
    }
    tail_.close_batch(used);
  }

  void expect_held(std::int64_t first) {
    EXPECT_EQ(tail_.begin(), Offset(first));
    EXPECT_FALSE(tail_.holds(Offset(first - 1)));
    EXPECT_FALSE(tail_.holds(Offset(next_)));
    for (std::int64_t i = first; i < next_; ++i) {
      const RecordView record = tail_.find(Offset(i));
      ASSERT_EQ(record.key, key(i));
      ASSERT_EQ(record.value, value(i));
    }
  }

  static constexpr std::int64_t kBegin = 1'000'007;
  std::int64_t next_ = kBegin;
  Tail tail_{Offset(kBegin)};
};

TEST_F(TailTest, HoldsEveryRecordOfManyBatches) {
  EXPECT_FALSE(tail_.holds(Offset(kBegin)));
  for (int i = 0; i < 300; ++i) add_batch(1 + i * 7 % 100);
  expect_held(kBegin);
}

TEST_F(TailTest, ABatchThatOutgrowsItsMemoryMoves) {
  add_batch(3);
  add_batch(40'000);
  add_batch(3);
  expect_held(kBegin);
}

TEST_F(TailTest, LetsTheOldestGoAndTheirMemory) {
  for (int round = 0; round < 5; ++round) {
    const std::int64_t first = next_;
    const std::size_t before = tail_.memory_bytes();
    for (int i = 0; i < 1000; ++i) add_batch(30);
    EXPECT_GT(tail_.memory_bytes(), before + 30'000 * 50);
    while (tail_.begin() < Offset(first) && tail_.drop_oldest(Offset(next_), [](const RecordView&) {})) {
    }
    const std::int64_t begin = tail_.begin().value();
    ASSERT_LT(begin, next_);
    expect_held(begin);
  }
  while (tail_.drop_oldest(Offset(next_), [](const RecordView&) {})) {
  }
  EXPECT_EQ(tail_.begin(), Offset(next_));
  EXPECT_LT(tail_.memory_bytes(), 32'768u);
  add_batch(5000);
  expect_held(next_ - 5000);
}

TEST_F(TailTest, WhatIsNotDurableStays) {
  for (int i = 0; i < 1000; ++i) add_batch(30);
  EXPECT_FALSE(tail_.drop_oldest(Offset(kBegin), [](const RecordView&) {}));
  expect_held(kBegin);
}

TEST_F(TailTest, WhatWasReadIsOfferedBeforeItGoes) {
  for (int i = 0; i < 1000; ++i) add_batch(30);
  tail_.find(Offset(kBegin + 5));
  tail_.find(Offset(kBegin + 9));
  std::vector<std::string> kept;
  ASSERT_TRUE(tail_.drop_oldest(Offset(next_), [&](const RecordView& record) { kept.emplace_back(record.key); }));
  EXPECT_EQ(kept, (std::vector<std::string>{key(kBegin + 5), key(kBegin + 9)}));
}

}  // namespace
}  // namespace minod
