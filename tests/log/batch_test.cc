#include "log/batch.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/endian.h"
#include "log/compression.h"
#include "tests/log/batches.h"

namespace minod {
namespace {

using test::batch_of;
using test::Blob;
using test::golden_batch;
using test::kSomeTime;

class BatchTest : public testing::Test {
 protected:
  void open(std::int64_t base, bool control = false) {
    blob_.resize(kBatchHeaderSize);
    builder_.open(blob_.data(), Offset(base), Epoch{7}, kSomeTime, control);
  }

  void append(const NewRecord& record, std::int64_t after_ms = 0) {
    const UnixMillis timestamp = kSomeTime + Millis(after_ms);
    const std::size_t size = builder_.size();
    blob_.resize(size + builder_.size_of(record, timestamp));
    builder_.moved(blob_.data());
    EXPECT_EQ(builder_.append(record, timestamp), blob_.data() + size);
    EXPECT_EQ(builder_.size(), blob_.size());
  }

  Blob close() {
    header_ = builder_.close();
    return blob_;
  }

  // "offset key=value", or the error's detail
  std::vector<std::string> records_of(const Blob& blob) {
    std::vector<std::string> lines;
    const auto view = BatchView::open(blob);
    if (!view) return {view.error().detail};
    const auto read = for_each_record(*view, decompressor_, [&](const RecordView& record) {
      lines.push_back(std::to_string(record.offset.value()) + " " + std::string(record.key) +
                      (record.has_value ? "=" + std::string(record.value) : " gone"));
      return lines.size() < lines_max_;
    });
    if (!read) lines.push_back(read.error().detail);
    return lines;
  }

  Blob compressed(const Blob& plain) {
    Blob blob(plain.size());
    const auto size = compress_batch(compressor_, plain, blob);
    blob.resize(size.value_or(0));
    return blob;
  }

  Compressor compressor_;
  Decompressor decompressor_;
  BatchBuilder builder_;
  BatchHeader header_;
  Blob blob_;
  std::size_t lines_max_ = 1000;
};

using Lines = std::vector<std::string>;

template <class T>
Blob changed(Blob blob, std::size_t field, T value) {
  store_big(blob.data() + field, value);
  store_big(blob.data() + batch_field::kCrc, crc32c(Bytes(blob).subspan(batch_field::kAttributes)));
  return blob;
}

Errc refusal(const Blob& blob) {
  const auto view = BatchView::open(blob);
  return view ? Errc::kEnd : view.error().code;
}

TEST_F(BatchTest, HasKafkasLayout) {
  open(42);
  append({.key = "user:1", .value = "alice", .expires_at = kSomeTime + Millis(60'000)});
  append({.key = "user:2", .has_value = false, .durable_upto = Offset(42)}, 5);
  EXPECT_EQ(close(), golden_batch());
}

TEST_F(BatchTest, GoldenBytesAreUnderstood) {
  const Blob golden = golden_batch();
  const auto view = BatchView::open(golden);
  ASSERT_TRUE(view) << view.error().message();
  const BatchHeader& header = view->header();
  EXPECT_EQ(header.base_offset, Offset(42));
  EXPECT_EQ(header.length, 114);
  EXPECT_EQ(header.epoch, Epoch{7});
  EXPECT_EQ(header.crc, 0x53c085b4u);
  EXPECT_EQ(header.last_offset(), Offset(43));
  EXPECT_EQ(header.next_offset(), Offset(44));
  EXPECT_EQ(header.base_timestamp, kSomeTime);
  EXPECT_EQ(header.max_timestamp, kSomeTime + Millis(5));
  EXPECT_EQ(header.producer_id, -1);
  EXPECT_EQ(header.producer_epoch, -1);
  EXPECT_EQ(header.base_sequence, -1);
  EXPECT_EQ(header.record_count, 2);
  EXPECT_EQ(header.codec(), kCodecNone);
  EXPECT_FALSE(header.is_control());
  EXPECT_EQ(records_of(golden), (Lines{"42 user:1=alice", "43 user:2 gone"}));
}

TEST_F(BatchTest, BuilderIsUsedAgain) {
  open(0);
  append({.key = "a", .value = "1"});
  close();
  EXPECT_FALSE(builder_.is_open());
  open(1);
  append({.key = "b", .value = "2"}, -10);
  EXPECT_EQ(builder_.next_offset(), Offset(2));
  EXPECT_EQ(builder_.record_count(), 1);
  EXPECT_EQ(records_of(close()), (Lines{"1 b=2"}));
  EXPECT_EQ(header_.max_timestamp, kSomeTime - Millis(10));
}

TEST_F(BatchTest, ControlBatchIsMarked) {
  const std::string key("\x00\x00\x4d\x53", 4);
  const std::string value("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09", 10);
  open(9, true);
  append({.key = key, .value = value});
  const Blob blob = close();
  const auto view = BatchView::open(blob);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->header().is_control());
  EXPECT_EQ(load_big<std::int16_t>(as_bytes(key).data() + 2), kLogStartControl);
}

TEST_F(BatchTest, VisitorStopsEarly) {
  lines_max_ = 1;
  EXPECT_EQ(records_of(golden_batch()), (Lines{"42 user:1=alice"}));
}

TEST_F(BatchTest, CompressedComesBack) {
  const Blob plain = batch_of(5, 7, std::vector<std::string>(50, std::string(100, 'x')));
  const Blob packed = compressed(plain);
  ASSERT_GT(packed.size(), kBatchHeaderSize);
  EXPECT_LT(packed.size(), plain.size() / 4);
  const auto view = BatchView::open(packed);
  ASSERT_TRUE(view) << view.error().message();
  EXPECT_EQ(view->header().codec(), kCodecZstd);
  EXPECT_EQ(view->header().record_count, 50);
  EXPECT_EQ(records_of(packed), records_of(plain));
}

TEST_F(BatchTest, StaysPlainWhenCompressionDoesNotPay) { EXPECT_TRUE(compressed(batch_of(5, 7, {"v"})).empty()); }

TEST_F(BatchTest, CompressedContentsThatAreNoFrameAreCorrupt) {
  const Blob liar = changed(golden_batch(), batch_field::kAttributes, kCodecZstd);
  EXPECT_EQ(records_of(liar), (Lines{"zstd: no frame"}));
}

TEST_F(BatchTest, OtherCodecsAreUnsupported) {
  const Blob gzip = changed(golden_batch(), batch_field::kAttributes, std::int16_t{1});
  const auto view = BatchView::open(gzip);
  ASSERT_TRUE(view);
  const auto records = view->records(decompressor_);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code, Errc::kUnsupported);
}

TEST_F(BatchTest, EveryFlipUnderTheCrcIsCorrupt) {
  for (const Blob& whole : {golden_batch(), compressed(batch_of(5, 7, {std::string(300, 'x')}))}) {
    for (std::size_t at = batch_field::kMagic; at < whole.size(); ++at) {
      for (unsigned flip : {0x01u, 0x80u, 0xffu}) {
        Blob blob = whole;
        blob[at] ^= static_cast<std::byte>(flip);
        EXPECT_EQ(refusal(blob), Errc::kCorrupt) << at;
      }
    }
  }
}

TEST_F(BatchTest, EveryFlipInTheLengthIsRefused) {
  for (std::size_t bit = 0; bit < 32; ++bit) {
    Blob blob = golden_batch();
    blob[batch_field::kLength + bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    EXPECT_NE(refusal(blob), Errc::kEnd) << bit;
  }
}

TEST_F(BatchTest, CutAnywhereIsTorn) {
  const Blob whole = golden_batch();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(refusal(Blob(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))), Errc::kTorn) << size;
  }
}

TEST_F(BatchTest, LengthsOutOfBoundsAreCorrupt) {
  for (const std::int32_t length : {0, -1, 48, std::numeric_limits<std::int32_t>::min(),
                                    std::numeric_limits<std::int32_t>::max(), std::int32_t{kBatchSizeMax} - 11}) {
    Blob blob = golden_batch();
    store_big(blob.data() + batch_field::kLength, length);
    EXPECT_EQ(refusal(blob), Errc::kCorrupt) << length;
  }
}

TEST_F(BatchTest, HeaderFieldsOutOfBoundsAreCorrupt) {
  const Blob good = golden_batch();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(refusal(changed(good, batch_field::kBaseOffset, std::int64_t{-1})), Errc::kCorrupt);
  EXPECT_EQ(refusal(changed(good, batch_field::kBaseOffset, kMax)), Errc::kCorrupt);
  EXPECT_EQ(refusal(changed(good, batch_field::kBaseOffset, kMax - 1)), Errc::kCorrupt);
  EXPECT_EQ(refusal(changed(good, batch_field::kLastOffsetDelta, std::int32_t{-1})), Errc::kCorrupt);
  EXPECT_EQ(refusal(changed(good, batch_field::kRecordCount, std::int32_t{-1})), Errc::kCorrupt);
  EXPECT_EQ(refusal(changed(good, batch_field::kRecordCount, std::int32_t{3})), Errc::kCorrupt);
  EXPECT_EQ(refusal(changed(good, batch_field::kMagic, std::int8_t{1})), Errc::kCorrupt);
  const Blob far = changed(good, batch_field::kLastOffsetDelta, std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(refusal(changed(far, batch_field::kRecordCount, std::int32_t{8})), Errc::kCorrupt);
}

TEST_F(BatchTest, RecordsThatDisagreeWithTheHeaderAreCorrupt) {
  const Blob fewer = changed(golden_batch(), batch_field::kRecordCount, std::int32_t{1});
  EXPECT_EQ(records_of(fewer), (Lines{"42 user:1=alice", "bytes after the last record of a batch"}));
  Blob nearer = changed(fewer, batch_field::kLastOffsetDelta, std::int32_t{0});
  EXPECT_EQ(records_of(nearer), (Lines{"42 user:1=alice", "bytes after the last record of a batch"}));
  // The second record's offset delta, as the first's: offsets must ascend.
  EXPECT_EQ(records_of(changed(golden_batch(), kBatchHeaderSize + 32, std::int8_t{0})),
            (Lines{"42 user:1=alice", "offset delta outside its batch"}));
  // And as 2, past the last.
  EXPECT_EQ(records_of(changed(golden_batch(), kBatchHeaderSize + 32, std::int8_t{4})),
            (Lines{"42 user:1=alice", "offset delta outside its batch"}));
}

TEST_F(BatchTest, BatchWithoutRecordsIsWhole) {
  Blob empty = golden_batch();
  empty.resize(kBatchHeaderSize);
  store_big(empty.data() + batch_field::kLength, std::int32_t{kBatchHeaderSize - kBatchLengthOverhead});
  store_big(empty.data() + batch_field::kAttributes, kCodecZstd);
  EXPECT_EQ(records_of(changed(empty, batch_field::kRecordCount, std::int32_t{0})), Lines{});
}

}  // namespace
}  // namespace minod
