#include "log/compaction_batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "tests/log/batches.h"

namespace minod {
namespace {

using test::Blob;
using test::kSomeTime;

class CompactionBatches : public ::testing::Test {
 protected:
  void start(std::int64_t begin, bool compress = false) {
    made_.clear();
    batches_.emplace(Offset(begin), compress,
                     [this](const BatchHeader&, Bytes batch) { made_.emplace_back(batch.begin(), batch.end()); });
  }

  // Gives the batch's records, but for those whose place in it is in `dropped`.
  void source(const Blob& blob, const std::vector<std::size_t>& dropped = {}) {
    const auto batch = BatchView::open(blob);
    ASSERT_TRUE(batch);
    batches_->begin_source(batch->header());
    std::size_t place = 0;
    ASSERT_TRUE(for_each_record(*batch, decompressor_, [&](const RecordView& record) {
      if (std::ranges::find(dropped, place++) == dropped.end()) batches_->keep(record);
      return true;
    }));
  }

  struct Kept {
    std::int64_t offset;
    std::string key;
    std::string value;
    std::int64_t durable_upto;
    friend bool operator==(const Kept&, const Kept&) = default;
  };

  // The batches that were made: whole, one after the other, up to `end`.
  std::vector<Kept> finish(std::int64_t begin, std::int64_t end) {
    batches_->finish(Offset(end));
    std::vector<Kept> kept;
    Offset next(begin);
    for (const Blob& blob : made_) {
      const auto batch = BatchView::open(blob);
      EXPECT_TRUE(batch) << batch.error().message();
      EXPECT_EQ(batch->header().base_offset, next);
      next = batch->header().next_offset();
      EXPECT_TRUE(for_each_record(*batch, decompressor_, [&](const RecordView& record) {
        kept.push_back(
            {record.offset.value(), std::string(record.key), std::string(record.value), record.durable_upto.value()});
        return true;
      }));
    }
    EXPECT_EQ(next, Offset(end));
    return kept;
  }

  BatchHeader header(std::size_t i) { return BatchView::open(made_.at(i))->header(); }

  std::optional<CompactedBatches> batches_;
  std::vector<Blob> made_;
  Decompressor decompressor_;
};

TEST_F(CompactionBatches, MakeOneOfSmallOnesAndKeepOffsets) {
  start(100);
  source(test::batch_of(100, 1, {"a", "b", "c"}), {1});
  source(test::batch_of(103, 1, {"d"}), {0});
  source(test::batch_of(104, 1, {"e"}));
  EXPECT_EQ(finish(100, 106), (std::vector<Kept>{{100, "k0", "a", 100}, {102, "k2", "c", -1}, {104, "k0", "e", -1}}));
  ASSERT_EQ(made_.size(), 1u);
  EXPECT_EQ(header(0).last_offset(), Offset(105));
  EXPECT_EQ(header(0).record_count, 3);
}

// A leader's epochs must be found again by offset.
TEST_F(CompactionBatches, HoldOffsetsOfOneEpoch) {
  start(0);
  source(test::batch_of(0, 1, {"a"}));
  source(test::batch_of(1, 2, {"b"}), {0});
  source(test::batch_of(2, 4, {"c"}));
  EXPECT_EQ(finish(0, 3), (std::vector<Kept>{{0, "k0", "a", 0}, {2, "k0", "c", 2}}));
  ASSERT_EQ(made_.size(), 3u);
  EXPECT_EQ(header(1).epoch, Epoch{2});
  EXPECT_EQ(header(1).record_count, 0);
  EXPECT_EQ(header(1).max_timestamp, kNoTimestamp);
  EXPECT_EQ(made_[1].size(), kBatchHeaderSize);
}

TEST_F(CompactionBatches, LeaveOneWithoutRecordsForASegmentWithNothing) {
  start(7);
  source(test::batch_of(7, 3, {"a", "b"}), {0, 1});
  EXPECT_EQ(finish(7, 9), std::vector<Kept>());
  ASSERT_EQ(made_.size(), 1u);
  EXPECT_EQ(header(0).last_offset(), Offset(8));
}

TEST_F(CompactionBatches, StaySmall) {
  start(0);
  const std::string value(3000, 'v');
  for (int i = 0; i < 10; ++i) source(test::batch_of(i, 1, {value}));
  EXPECT_EQ(finish(0, 10).size(), 10u);
  EXPECT_EQ(made_.size(), 5u);
  for (const Blob& blob : made_) EXPECT_LE(blob.size(), kCompactedBatchSize);
}

TEST_F(CompactionBatches, AreLargerUnderACodecAndStayCompressed) {
  start(0);
  for (int i = 0; i < 100; ++i) source(test::batch_of(i, 1, {std::string(1000, static_cast<char>('a' + i % 26))}));
  finish(0, 100);
  const std::size_t plain = test::joined(made_).size();
  start(0, true);
  for (int i = 0; i < 100; ++i) source(test::batch_of(i, 1, {std::string(1000, static_cast<char>('a' + i % 26))}));
  EXPECT_EQ(finish(0, 100).size(), 100u);
  EXPECT_LT(test::joined(made_).size(), plain / 4);
  EXPECT_EQ(header(0).codec(), kCodecZstd);
  EXPECT_EQ(header(0).record_count, 16);

  const std::vector<Blob> compressed = made_;
  start(0);  // the setting has changed since
  for (const Blob& blob : compressed) source(blob);
  EXPECT_EQ(finish(0, 100).size(), 100u);
  EXPECT_EQ(header(0).codec(), kCodecZstd);
}

TEST_F(CompactionBatches, KeepHeadersAndTimes) {
  start(42);
  const Blob golden = test::golden_batch();
  source(golden);
  EXPECT_EQ(finish(42, 44), (std::vector<Kept>{{42, "user:1", "alice", 42}, {43, "user:2", "", -1}}));
  const auto before = BatchView::open(golden);
  const auto after = BatchView::open(made_[0]);
  EXPECT_EQ(after->header().base_timestamp, before->header().base_timestamp);
  EXPECT_EQ(after->header().max_timestamp, before->header().max_timestamp);
  std::vector<UnixMillis> expiries;
  ASSERT_TRUE(for_each_record(*after, decompressor_, [&](const RecordView& record) {
    expiries.push_back(record.expires_at);
    return true;
  }));
  EXPECT_EQ(expiries, (std::vector<UnixMillis>{UnixMillis(1'700'000'060'000), kNeverExpires}));
}

// A segment is rewritten again and again; nothing may gather in it.
TEST_F(CompactionBatches, OfCompactedOnesAreTheSameBytes) {
  start(0);
  for (int i = 0; i < 50; ++i) source(test::batch_of(i * 3, 1, {std::string(200, 'v'), "x", "y"}), {1});
  finish(0, 150);
  const std::vector<Blob> once = made_;
  start(0);
  for (const Blob& blob : once) source(blob);
  finish(0, 150);
  EXPECT_EQ(made_, once);
}

TEST_F(CompactionBatches, CopyControlBatchesWhole) {
  Blob control(kBatchHeaderSize);
  BatchBuilder builder;
  builder.open(control.data(), Offset(5), Epoch{1}, kSomeTime, true);
  const NewRecord record{.key = "abcd", .value = "0123456789"};
  control.resize(control.size() + builder.size_of(record, kSomeTime));
  builder.moved(control.data());
  builder.append(record, kSomeTime);
  builder.close();
  start(0);
  source(test::batch_of(0, 1, {"a", "b", "c", "d", "e"}), {1, 2, 3, 4});
  const auto view = BatchView::open(control);
  batches_->begin_source(view->header());
  batches_->keep_whole(*view);
  source(test::batch_of(6, 1, {"f"}));
  EXPECT_EQ(finish(0, 7).size(), 3u);
  ASSERT_EQ(made_.size(), 3u);
  EXPECT_EQ(made_[1], control);
}

// Trap 13.
TEST_F(CompactionBatches, SpanAsManyOffsetsAsASegmentMayHave) {
  constexpr std::int64_t kSpan = std::numeric_limits<std::int32_t>::max();
  start(1000);
  source(test::batch_of(1000, 1, {"a"}), {0});
  BatchHeader gap;
  gap.base_offset = Offset(1001);
  gap.epoch = Epoch{1};
  batches_->begin_source(gap);
  source(test::batch_of(1000 + kSpan - 1, 1, {"z"}));
  EXPECT_EQ(finish(1000, 1000 + kSpan), (std::vector<Kept>{{1000 + kSpan - 1, "k0", "z", 1000}}));
  EXPECT_EQ(header(0).last_offset_delta, kSpan - 1);
}

}  // namespace
}  // namespace minod
