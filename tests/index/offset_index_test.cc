#include "index/offset_index.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"
#include "log/format.h"

namespace minod {
namespace {

struct Placed {
  std::int64_t first;
  std::int64_t next;
  std::int64_t begin;
  std::int64_t end;
};

void expect_span_holds(const OffsetIndex& index, const Placed& batch, std::int64_t segment_end) {
  for (const std::int64_t offset : {batch.first, batch.next - 1}) {
    const auto span = index.find(Offset(offset), FilePosition(segment_end));
    EXPECT_LE(span.begin.value(), batch.begin);
    EXPECT_GE(span.end.value(), batch.end);
    EXPECT_LE(span.end.value(), segment_end);
  }
}

TEST(OffsetIndex, SpanHoldsTheWholeBatch) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Offset base(static_cast<std::int64_t>(random.below(1'000'000'000'000)));
    OffsetIndex index(base);
    std::vector<Placed> batches;
    std::int64_t offset = base.value();
    std::int64_t position = 0;
    for (int i = 0; i < 500; ++i) {
      offset += static_cast<std::int64_t>(random.one_in(4) ? random.below(1000) : 0);  // compaction leaves gaps
      const auto next = offset + 1 + static_cast<std::int64_t>(random.below(50));
      const auto end = position + 61 + static_cast<std::int64_t>(random.below(random.one_in(5) ? 20'000 : 1500));
      index.add(Offset(offset), FilePosition(position));
      batches.push_back({offset, next, position, end});
      expect_span_holds(index, batches.back(), end);  // while it is the last
      offset = next;
      position = end;
    }
    for (const Placed& batch : batches) expect_span_holds(index, batch, position);
  }
}

TEST(OffsetIndex, SmallBatchesShareAnEntryAndLargeOnesDoNot) {
  OffsetIndex index(Offset(100));
  const FilePosition end(3 * kIndexIntervalBytes);
  index.add(Offset(100), FilePosition(0));
  index.add(Offset(110), FilePosition(kIndexIntervalBytes - 1));
  index.add(Offset(120), FilePosition(kIndexIntervalBytes));
  EXPECT_EQ(index.find(Offset(115), end).begin, FilePosition(0));
  EXPECT_EQ(index.find(Offset(115), end).end, FilePosition(kIndexIntervalBytes));
  EXPECT_EQ(index.find(Offset(120), end).begin, FilePosition(kIndexIntervalBytes));
  EXPECT_EQ(index.find(Offset(999), end).end, end);
}

TEST(OffsetIndex, EmptyOrBeforeTheFirstBatchStartsAtTheFront) {
  OffsetIndex index(Offset(7));
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(index.find(Offset(7), FilePosition(0)).begin, FilePosition(0));
  EXPECT_EQ(index.find(Offset(7), FilePosition(0)).end, FilePosition(0));
  index.add(Offset(10), FilePosition(0));  // the segment's first records were compacted away
  EXPECT_EQ(index.find(Offset(8), FilePosition(500)).begin, FilePosition(0));
  EXPECT_FALSE(index.empty());
}

TEST(OffsetIndex, HoldsTheWidestSegment) {
  const Offset base(1'000'000);
  OffsetIndex index(base);
  const Offset far = base + OffsetCount(0xffffffff);
  index.add(base, FilePosition(0));
  index.add(far, FilePosition(0xffffffff));
  EXPECT_EQ(index.find(far, FilePosition(0x1'0000'1000)).begin, FilePosition(0xffffffff));
  EXPECT_EQ(index.find(far + OffsetCount(10), FilePosition(0x1'0000'1000)).begin, FilePosition(0xffffffff));
}

TEST(OffsetIndexDeath, RefusesWhatDoesNotFit) {
  OffsetIndex index(Offset(10));
  EXPECT_DEATH(index.add(Offset(9), FilePosition(0)), "offsets");
  EXPECT_DEATH(index.add(Offset(10) + OffsetCount(0x1'0000'0000), FilePosition(0)), "offsets");
  EXPECT_DEATH(index.add(Offset(10), FilePosition(0x1'0000'0000)), "4 GiB");
  index.add(Offset(10), FilePosition(0));
  EXPECT_DEATH(index.add(Offset(10), FilePosition(100)), "in order");
  EXPECT_DEATH(index.add(Offset(11), FilePosition(0)), "in order");
}

}  // namespace
}  // namespace minod
