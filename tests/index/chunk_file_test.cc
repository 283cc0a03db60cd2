// Chunks as hint and checkpoint files hold them. Trap 13: what is relative must not overflow 32 bits, and what a file
// says must not be believed.
#include <gtest/gtest.h>

#include "index/chunk_file.h"
#include "index/hash_index.h"
#include "tests/log/memory_file.h"

namespace minod {
namespace {

constexpr std::int64_t kFar = (std::int64_t{1} << 31) - 1;  // the greatest distance of two offsets of a segment

ChangeWindow some_changes() {
  ChangeWindow window;
  window.log_start = Offset(7);
  window.evicted_below = Offset(5);
  window.records = 5;
  window.changes.emplace_back(KeyHash{1, 2}, Offset(HashIndex::kOffsetLimit - 1), true, kNeverExpires);
  window.changes.emplace_back(KeyHash{~0ull, (1ull << 48) - 1}, Offset(0), false, kNeverExpires);
  window.changes.emplace_back(KeyHash{3, 0}, Offset(kFar), true, UnixMillis(1));
  window.changes.emplace_back(KeyHash{4, 0}, Offset(kFar + 1), true, UnixMillis(1ll << 47));
  return window;
}

SegmentPlaces some_places() {
  SegmentPlaces places;
  places.segment = Offset(1ll << 40);
  places.end = FilePosition(0xffff'ffff);
  places.last = {FilePosition(0xffff'0000), places.segment + OffsetCount(0xffff'ffff), Epoch{9}, 0xdead'beef};
  places.records = kFar + 1;
  places.last_time = UnixMillis(1ll << 41);
  places.entries = {{0, 0}, {1, 4096}, {0x7fff'ffff, 0x7fff'ffff}, {0xffff'fffe, 0xffff'0000}};
  return places;
}

TEST(ChunkFile, WhatIsPutIsRead) {
  ChunkBuilder builder;
  builder.changes(some_changes());
  builder.places(some_places());
  test::MemoryFile file;
  file.bytes = builder.take();
  ChunkReader reader(file);

  auto chunk = reader.next();
  ASSERT_TRUE(chunk);
  ChangeWindow window;
  ASSERT_TRUE(chunk->changes(window));
  const ChangeWindow expected = some_changes();
  EXPECT_EQ(window.log_start, expected.log_start);
  EXPECT_EQ(window.evicted_below, expected.evicted_below);
  EXPECT_EQ(window.records, expected.records);
  ASSERT_EQ(window.changes.size(), expected.changes.size());
  for (std::size_t i = 0; i < window.changes.size(); ++i) {
    EXPECT_EQ(window.changes[i].hash(), expected.changes[i].hash());
    EXPECT_EQ(window.changes[i].offset(), expected.changes[i].offset());
    EXPECT_EQ(window.changes[i].has_value(), expected.changes[i].has_value());
    EXPECT_EQ(window.changes[i].expires_at(), expected.changes[i].expires_at());
  }

  chunk = reader.next();
  ASSERT_TRUE(chunk);
  SegmentPlaces places;
  ASSERT_TRUE(chunk->places(places));
  EXPECT_EQ(places.segment, some_places().segment);
  EXPECT_EQ(places.end, some_places().end);
  EXPECT_EQ(places.last.next, some_places().last.next);
  EXPECT_EQ(places.last.crc, some_places().last.crc);
  EXPECT_EQ(places.records, some_places().records);
  EXPECT_EQ(places.last_time, some_places().last_time);
  ASSERT_EQ(places.entries.size(), 4u);
  EXPECT_EQ(places.entries[3].relative_offset, 0xffff'fffeu);
  EXPECT_EQ(places.entries[3].position, 0xffff'0000u);
  EXPECT_EQ(reader.next().error().code, Errc::kCorrupt);
}

TEST(ChunkFile, EveryFlippedBitAndEveryCutIsSeen) {
  ChunkBuilder builder;
  builder.changes(some_changes());
  test::MemoryFile file;
  const std::vector<std::byte> whole = builder.take();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    file.bytes = whole;
    file.bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    EXPECT_FALSE(ChunkReader(file).next()) << "bit " << bit;
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    file.bytes.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(ChunkReader(file).next()) << "size " << size;
  }
}

// A right CRC proves who computed it, not that the numbers make sense.
TEST(ChunkFile, NumbersThatContradictEachOtherAreRefused) {
  SegmentPlaces places = some_places();
  std::swap(places.entries[1], places.entries[2]);
  ChunkBuilder builder;
  builder.places(places);
  places = some_places();
  places.end = FilePosition(100);
  builder.places(places);
  builder.begin(ChunkKind::kChanges);
  builder.put(kNoOffset);
  builder.put64(1);
  builder.put64(~0ull);  // so many changes, and none is there
  builder.end();
  test::MemoryFile file;
  file.bytes = builder.take();
  ChunkReader reader(file);
  SegmentPlaces read;
  EXPECT_FALSE(reader.next()->places(read));
  EXPECT_FALSE(reader.next()->places(read));
  ChangeWindow window;
  EXPECT_FALSE(reader.next()->changes(window));
}

TEST(ChunkFile, LargeOnesAreReadThroughTheBuffer) {
  ChangeWindow window;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    window.changes.emplace_back(KeyHash{i * 0x9e3779b97f4a7c15ull, i}, Offset(static_cast<std::int64_t>(i)), true,
                                kNeverExpires);
  }
  ChunkBuilder builder;
  for (int i = 0; i < 3; ++i) builder.changes(window);
  test::MemoryFile file;
  file.bytes = builder.take();
  ChunkReader reader(file);
  for (int i = 0; i < 3; ++i) {
    auto chunk = reader.next();
    ASSERT_TRUE(chunk);
    ChangeWindow read;
    ASSERT_TRUE(chunk->changes(read));
    ASSERT_EQ(read.changes.size(), window.changes.size());
    EXPECT_EQ(read.changes.back().offset(), window.changes.back().offset());
  }
  EXPECT_TRUE(file.all_aligned);
}

}  // namespace
}  // namespace minod
