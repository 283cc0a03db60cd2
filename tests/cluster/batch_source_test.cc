#include "cluster/batch_source.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "log/batch.h"
#include "log/compression.h"

namespace minod {
namespace {

std::vector<std::byte> batch_of(Offset base, int records) {
  std::vector<std::byte> bytes(std::size_t{1} << 12);
  BatchBuilder builder;
  builder.open(bytes.data(), base, Epoch{3}, UnixMillis(7));
  for (int i = 0; i < records; ++i) {
    const std::string key = "key" + std::to_string(base.value() + i);
    builder.append(NewRecord{key, "value"}, UnixMillis(7));
  }
  bytes.resize(static_cast<std::size_t>(builder.close().length));
  return bytes;
}

std::vector<std::byte> joined(const std::vector<std::vector<std::byte>>& batches) {
  std::vector<std::byte> all;
  for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

TEST(BatchSource, WholeBatchesFromThereOn) {
  const auto bytes = joined({batch_of(Offset(0), 3), batch_of(Offset(3), 2), batch_of(Offset(5), 4)});
  std::size_t needed = 0;
  const auto run = take_batches(bytes, Offset(3), needed);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->base, Offset(3));
  EXPECT_EQ(run->next, Offset(9));
  EXPECT_EQ(*run->bytes, joined({batch_of(Offset(3), 2), batch_of(Offset(5), 4)}));
}

TEST(BatchSource, ABatchThatIsNotAllThereIsLeftOut) {
  const auto whole = joined({batch_of(Offset(0), 3), batch_of(Offset(3), 2)});
  const std::size_t first = batch_of(Offset(0), 3).size();
  std::size_t needed = 0;
  const auto run = take_batches(Bytes(whole).first(whole.size() - 1), Offset(0), needed);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->next, Offset(3));
  const auto none = take_batches(Bytes(whole).first(first - 1), Offset(0), needed);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kTorn);
  EXPECT_EQ(needed, first);
}

TEST(BatchSource, ABatchThatBeganBeforeIsCut) {
  const auto bytes = joined({batch_of(Offset(10), 6), batch_of(Offset(16), 1)});
  std::size_t needed = 0;
  const auto run = take_batches(bytes, Offset(12), needed);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->next, Offset(17));
  const auto batch = BatchView::open(*run->bytes);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->header().base_offset, Offset(12));
  EXPECT_EQ(batch->header().next_offset(), Offset(16));
  EXPECT_EQ(batch->header().epoch, Epoch{3});
  std::vector<std::string> keys;
  Decompressor decompressor;
  ASSERT_TRUE(for_each_record(*batch, decompressor, [&](const RecordView& record) {
    keys.emplace_back(record.key);
    return true;
  }));
  EXPECT_EQ(keys, (std::vector<std::string>{"key12", "key13", "key14", "key15"}));
}

TEST(BatchSource, OffsetsWhoseRecordsAreGoneAreCovered) {
  // As compaction leaves it: two records, and offsets up to 15 behind them.
  auto bytes = batch_of(Offset(10), 2);
  auto header = read_batch_header(bytes);
  ASSERT_TRUE(header);
  header->last_offset_delta = 5;
  finish_batch(bytes, *header);
  std::size_t needed = 0;
  const auto run = take_batches(bytes, Offset(13), needed);
  ASSERT_TRUE(run) << run.error().message();
  EXPECT_EQ(run->next, Offset(16));
  const auto batch = BatchView::open(*run->bytes);
  ASSERT_TRUE(batch) << batch.error().message();
  EXPECT_EQ(batch->header().base_offset, Offset(13));
  EXPECT_EQ(batch->header().record_count, 0);
}

TEST(BatchSource, AGapIsNotShipped) {
  const auto bytes = joined({batch_of(Offset(0), 3), batch_of(Offset(5), 2)});
  std::size_t needed = 0;
  const auto run = take_batches(bytes, Offset(0), needed);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace minod
