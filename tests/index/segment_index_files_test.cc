#include "index/segment_index_files.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/endian.h"
#include "base/random.h"
#include "log/format.h"

namespace minod {
namespace {

constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();

// A segment that is never written: only what the index files are made from.
class Segment {
 public:
  explicit Segment(Offset base) : base_(base), next_(base), files_(base) {}

  void add(std::int32_t size, std::int64_t timestamp, std::int32_t records = 1) {
    BatchHeader header;
    header.base_offset = next_;
    header.length = size;
    header.last_offset_delta = records - 1;
    header.record_count = records;
    header.max_timestamp = UnixMillis(timestamp);
    files_.add(header, end_);
    batches_.push_back({header, end_});
    next_ = header.next_offset();
    end_ += ByteCount(size);
  }
  void skip_offsets(std::int64_t count) { next_ += OffsetCount(count); }
  void skip_bytes(std::int64_t count) { end_ += ByteCount(count); }

  std::vector<std::byte> offset_index() const { return files_.offset_index(); }
  std::vector<std::byte> time_index() const { return files_.time_index(); }
  Result<void> check_offsets(Bytes contents) const { return check_offset_index(contents, base_, batches_); }
  Result<void> check_times(Bytes contents) const { return check_time_index(contents, base_, batches_); }

 private:
  Offset base_;
  Offset next_;
  FilePosition end_;
  SegmentIndexFiles files_;
  std::vector<PlacedBatch> batches_;
};

Segment random_segment(std::uint64_t seed) {
  Random random(seed);
  Segment segment(Offset(5'000'000'000));
  std::int64_t now = 1'700'000'000'000;
  for (int i = 0; i < 300; ++i) {
    // Clocks stand still, and go back.
    now += static_cast<std::int64_t>(random.below(5)) - 1;
    segment.add(61 + static_cast<std::int32_t>(random.below(3000)), now,
                1 + static_cast<std::int32_t>(random.below(9)));
    if (random.one_in(10)) segment.skip_offsets(static_cast<std::int64_t>(random.below(100)));
  }
  return segment;
}

TEST(SegmentIndexFiles, WhatIsWrittenIsAccepted) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const Segment segment = random_segment(seed);
    EXPECT_GT(segment.offset_index().size(), 8u * 50);
    EXPECT_TRUE(segment.check_offsets(segment.offset_index()));
    EXPECT_TRUE(segment.check_times(segment.time_index()));
  }
}

TEST(SegmentIndexFiles, EveryFlippedBitIsFound) {
  const Segment segment = random_segment(7);
  const auto flip_each = [](std::vector<std::byte> contents, auto check_contents) {
    for (std::byte& byte : contents) {
      for (int bit = 0; bit < 8; ++bit) {
        byte ^= std::byte{1} << bit;
        const auto result = check_contents(Bytes(contents));
        ASSERT_FALSE(result) << "byte " << &byte - contents.data() << " bit " << bit;
        EXPECT_EQ(result.error().code, Errc::kCorrupt);
        byte ^= std::byte{1} << bit;
      }
    }
  };
  flip_each(segment.offset_index(), [&](Bytes contents) { return segment.check_offsets(contents); });
  flip_each(segment.time_index(), [&](Bytes contents) { return segment.check_times(contents); });
}

TEST(SegmentIndexFiles, CutShortIsFoundUnlessAtAnEntry) {
  const Segment segment = random_segment(8);
  const auto offsets = segment.offset_index();
  const auto times = segment.time_index();
  for (std::size_t size = 0; size < offsets.size(); ++size) {
    EXPECT_EQ(segment.check_offsets(Bytes(offsets).first(size)).has_value(), size % 8 == 0);
  }
  for (std::size_t size = 0; size < times.size(); ++size) {
    EXPECT_EQ(segment.check_times(Bytes(times).first(size)).has_value(), size % 12 == 0);
  }
}

// Kafka counts the bytes before the batch and wants more than the interval: 4096 exactly is not enough.
TEST(SegmentIndexFiles, IntervalIsKafkas) {
  Segment segment(Offset(100));
  segment.add(4096, 10);     // offset 100, position 0: the first gets no entry
  segment.add(1, 20);        // offset 101: 4096 bytes since, not more
  segment.add(9000, 15, 5);  // offsets 102 to 106, position 4097: an entry; the greatest timestamp is 101's
  segment.add(500, 20);      // offset 107, position 13097: an entry; the timestamp does not rise
  segment.add(500, 30);      // offset 108: none, but the seal writes its timestamp
  const std::vector<std::byte> offsets = segment.offset_index();
  ASSERT_EQ(offsets.size(), 16u);
  EXPECT_EQ(load_big<std::int32_t>(&offsets[0]), 6);
  EXPECT_EQ(load_big<std::int32_t>(&offsets[4]), 4097);
  EXPECT_EQ(load_big<std::int32_t>(&offsets[8]), 7);
  EXPECT_EQ(load_big<std::int32_t>(&offsets[12]), 13097);
  const std::vector<std::byte> times = segment.time_index();
  ASSERT_EQ(times.size(), 24u);
  EXPECT_EQ(load_big<std::int64_t>(&times[0]), 20);
  EXPECT_EQ(load_big<std::int32_t>(&times[8]), 1);
  EXPECT_EQ(load_big<std::int64_t>(&times[12]), 30);
  EXPECT_EQ(load_big<std::int32_t>(&times[20]), 8);
  EXPECT_TRUE(segment.check_offsets(offsets));
  EXPECT_TRUE(segment.check_times(times));
}

TEST(SegmentIndexFiles, EmptyAndTimelessSegmentsHaveEmptyFiles) {
  Segment segment(Offset(0));
  EXPECT_TRUE(segment.offset_index().empty());
  EXPECT_TRUE(segment.time_index().empty());
  EXPECT_TRUE(segment.check_offsets({}));
  EXPECT_TRUE(segment.check_times({}));
  segment.add(5000, -1);
  segment.add(5000, -1);
  EXPECT_EQ(segment.offset_index().size(), 8u);
  EXPECT_TRUE(segment.time_index().empty());
}

TEST(SegmentIndexFiles, HoldsTheLastOffsetAndByteOfInt32) {
  Segment segment(Offset(1) + OffsetCount(std::int64_t{1} << 40));
  segment.add(5000, 1);
  segment.skip_offsets(kInt32Max - 1);
  segment.skip_bytes(kInt32Max - 5000);
  segment.add(5000, 2);
  const auto offsets = segment.offset_index();
  ASSERT_EQ(offsets.size(), 8u);
  EXPECT_EQ(load_big<std::int32_t>(&offsets[0]), kInt32Max);
  EXPECT_EQ(load_big<std::int32_t>(&offsets[4]), kInt32Max);
  EXPECT_TRUE(segment.check_offsets(offsets));
  EXPECT_TRUE(segment.check_times(segment.time_index()));
}

TEST(SegmentIndexFilesDeath, RefusesWhatInt32DoesNotHold) {
  Segment wide(Offset(0));
  wide.add(5000, 1);
  wide.skip_offsets(kInt32Max);
  EXPECT_DEATH(wide.add(100, 1), "int32");
  Segment large(Offset(0));
  large.add(5000, 1);
  large.skip_bytes(kInt32Max);
  EXPECT_DEATH(large.add(100, 1), "int32");
}

}  // namespace
}  // namespace minod
