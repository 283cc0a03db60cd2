#include "log/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/endian.h"
#include "base/random.h"
#include "tests/log/batches.h"
#include "tests/log/memory_file.h"

namespace minod {
namespace {

using test::batch_of;
using test::Blob;
using test::golden_batch;
using test::joined;
using test::MemoryFile;

constexpr std::size_t kMiB = 1024 * 1024;

class ReaderTest : public testing::Test {
 protected:
  void file_is(const std::vector<Blob>& parts) { file_.bytes = joined(parts); }

  void start(std::int64_t expected, bool contiguous = true, std::int32_t epoch_min = 0, std::int64_t position = 0) {
    reader_.emplace(file_, FilePosition(position), Offset(expected), Epoch{epoch_min}, contiguous);
  }

  // The base offset of the next batch, or why there is none.
  std::string next() {
    const auto batch = reader_->next();
    if (batch) return std::to_string(batch->header().base_offset.value());
    detail_ = batch.error().detail;
    return name_of(batch.error().code);
  }

  // All of them, and how it ended.
  std::string rest() {
    std::string text;
    for (;;) {
      const std::int64_t position = reader_->position().value();
      const std::string one = next();
      text += one + " ";
      if (reader_->position().value() == position) break;
    }
    text.pop_back();
    return text;
  }

  bool detail_has(std::string_view text) const { return detail_.find(text) != std::string::npos; }

  MemoryFile file_;
  std::optional<SegmentReader> reader_;
  std::string detail_;
};

TEST_F(ReaderTest, EmptyFileEnds) {
  start(0);
  EXPECT_EQ(rest(), "end");
  start(0, true, 0, 12345);
  EXPECT_EQ(rest(), "end");
}

TEST_F(ReaderTest, BatchesComeInOrder) {
  file_is({batch_of(0, 1, {"a", "b"}), batch_of(2, 1, {"c"}), batch_of(3, 2, {"d"})});
  start(0);
  EXPECT_EQ(rest(), "0 2 3 end");
  EXPECT_EQ(reader_->position().value(), static_cast<std::int64_t>(file_.bytes.size()));
  EXPECT_EQ(reader_->expected(), Offset(4));
  EXPECT_EQ(reader_->epoch(), Epoch{2});
  EXPECT_EQ(rest(), "end");
}

TEST_F(ReaderTest, StartsAnywhere) {
  const Blob first = batch_of(0, 1, {std::string(5000, 'x')});
  file_is({first, batch_of(1, 1, {"b"})});
  start(1, true, 0, static_cast<std::int64_t>(first.size()));
  EXPECT_EQ(rest(), "1 end");
  EXPECT_TRUE(file_.all_aligned);
}

TEST_F(ReaderTest, BatchesOfAllSizesAcrossChunks) {
  Random random(42);
  std::vector<Blob> parts;
  std::size_t size = 0;
  std::int64_t count = 0;
  for (; size < 24 * kMiB; ++count) {
    const bool great = random.one_in(200);
    parts.push_back(batch_of(count, 1, {std::string(random.below(great ? 7 * kMiB : 16'000), 'x')}));
    size += parts.back().size();
  }
  file_is(parts);
  start(0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto batch = reader_->next();
    ASSERT_TRUE(batch) << i << " " << batch.error().message();
    ASSERT_TRUE(std::ranges::equal(batch->bytes(), parts[static_cast<std::size_t>(i)])) << i;
  }
  EXPECT_EQ(next(), "end");
  EXPECT_TRUE(file_.all_aligned);
  EXPECT_LT(file_.read_count, 40u);
}

TEST_F(ReaderTest, ZerosToTheEndAreTheEnd) {
  for (const std::size_t zeros : {1ul, 16ul, 60ul, 61ul, 4096ul, 2 * kMiB, 5 * kMiB + 17}) {
    file_is({batch_of(0, 1, {"a"}), Blob(zeros)});
    const std::int64_t end = static_cast<std::int64_t>(file_.bytes.size() - zeros);
    start(0);
    EXPECT_EQ(rest(), "0 end") << zeros;
    EXPECT_EQ(reader_->position().value(), end);
    EXPECT_EQ(rest(), "end");

    file_.bytes.back() = std::byte{1};
    start(0);
    EXPECT_EQ(rest(), "0 torn") << zeros;
    EXPECT_EQ(reader_->position().value(), end);
    EXPECT_EQ(rest(), "torn");
    EXPECT_TRUE(file_.all_aligned);
  }
  EXPECT_EQ(detail_, "at byte 71: zeros, and after them other bytes");
}

TEST_F(ReaderTest, GoesOnAfterTheEndWhenMoreWasWritten) {
  file_is({batch_of(0, 1, {"a"}), Blob(100'000)});
  start(0);
  EXPECT_EQ(rest(), "0 end");
  const Blob more = batch_of(1, 1, {"b"});
  ASSERT_TRUE(file_.write_now(reader_->position(), more));
  EXPECT_EQ(rest(), "1 end");
}

TEST_F(ReaderTest, CutAnywhereIsTorn) {
  const Blob first = batch_of(41, 1, {"a"});
  const Blob second = golden_batch();  // at 42, and its last byte is not zero
  for (std::size_t size = 1; size < second.size(); ++size) {
    file_is({first, Blob(second.begin(), second.begin() + static_cast<std::ptrdiff_t>(size))});
    start(41);
    // The base offset's leading zero bytes, alone, can't be told from prepared space.
    EXPECT_EQ(rest(), size < 8 ? "41 end" : "41 torn") << size;
    file_.bytes.resize(file_.bytes.size() + 5000);
    start(41);
    EXPECT_EQ(rest(), size < 8 ? "41 end" : "41 torn") << size;
  }
}

TEST_F(ReaderTest, EveryFlippedBitIsDetected) {
  const Blob first = batch_of(8, 6, {"a", "b"});
  const Blob second = batch_of(10, 6, {"c"});
  for (std::size_t bit = 0; bit < first.size() * 8; ++bit) {
    file_is({first, second});
    file_.bytes[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    start(8, true, 6);
    const std::string seen = rest();
    // A greater epoch is seen only when the batch after it has the lower one.
    const bool epoch = bit / 8 >= batch_field::kLeaderEpoch && bit / 8 < batch_field::kMagic;
    EXPECT_TRUE(seen == "torn" || (epoch && seen == "8 torn")) << "bit " << bit << ": " << seen;
  }
}

TEST_F(ReaderTest, LengthsThatLieAreTornAndAllocateNothing) {
  for (const std::int32_t length : {0, -1, 1, 48, std::numeric_limits<std::int32_t>::min(),
                                    std::numeric_limits<std::int32_t>::max(), std::int32_t{kBatchSizeMax} - 12, 5000}) {
    for (const std::size_t zeros : {0, 3000}) {
      file_is({batch_of(0, 1, {"a"}), Blob(zeros)});
      store_big(file_.bytes.data() + batch_field::kLength, length);
      start(0);
      EXPECT_EQ(rest(), "torn") << length;
      EXPECT_LE(file_.read_size_max, 2 * kMiB);
      EXPECT_LE(file_.read_count, 3u);
      file_.read_count = 0;
    }
  }
  EXPECT_EQ(detail_, "at byte 0: batch of 5012 bytes passes the end of the file");
}

TEST_F(ReaderTest, GapsAreForCompactedSegments) {
  file_is({batch_of(5, 1, {"a"}), batch_of(9, 1, {"b"})});
  start(3, false);
  EXPECT_EQ(rest(), "5 9 end");
  start(3, true);
  EXPECT_EQ(rest(), "torn");
  EXPECT_EQ(detail_, "at byte 0: base offset 5, expected 3");
  start(5, true);
  EXPECT_EQ(rest(), "5 torn");
  EXPECT_EQ(reader_->expected(), Offset(6));
}

TEST_F(ReaderTest, OffsetsNeverGoBack) {
  file_is({batch_of(5, 1, {"a", "b"}), batch_of(6, 1, {"b"})});
  for (const bool contiguous : {false, true}) {
    start(5, contiguous);
    EXPECT_EQ(rest(), "5 torn");
    EXPECT_TRUE(detail_has("base offset 6, expected 7"));
  }
}

TEST_F(ReaderTest, StaleEpochIsTorn) {
  file_is({batch_of(0, 3, {"a"}), batch_of(1, 2, {"of an earlier life of the file"})});
  start(0);
  EXPECT_EQ(rest(), "0 torn");
  EXPECT_TRUE(detail_has("epoch 2 after 3"));
  start(0, true, 4);
  EXPECT_EQ(rest(), "torn");
}

TEST_F(ReaderTest, DamageIsNamed) {
  file_is({batch_of(0, 1, {"a"})});
  file_.bytes.back() ^= std::byte{1};
  start(0);
  EXPECT_EQ(rest(), "torn");
  EXPECT_EQ(detail_, "at byte 0: batch CRC does not match");
}

TEST_F(ReaderTest, IoErrorIsNoEnd) {
  file_is({batch_of(0, 1, {"a"})});
  start(0);
  file_.refuses = true;
  EXPECT_EQ(next(), "I/O error");
  EXPECT_EQ(detail_, "memory file");
  file_.refuses = false;
  EXPECT_EQ(rest(), "0 end");
}

}  // namespace
}  // namespace minod
