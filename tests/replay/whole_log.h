// What a partition's log adds up to when all of it is read, and nothing else: what a restart from checkpoints and hints
// must come to as well. Changes nothing on the disk.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "index/segment_scan.h"
#include "replay/segment_list.h"
#include "store/partition.h"

namespace minod::test {

// Everything an index says: by hash, the offset and the expiry.
using IndexContents = std::map<std::tuple<std::uint64_t, std::uint64_t>, std::pair<Offset, std::optional<UnixMillis>>>;

inline IndexContents contents_of(const Partition& partition) {
  IndexContents contents;
  std::vector<HashIndex::Keyed> entries;
  std::uint64_t cursor = 0;
  do {
    cursor = partition.index().read(cursor, 1000, entries);
  } while (cursor != 0);
  for (const HashIndex::Keyed& keyed : entries) {
    const auto expires_at = partition.expiries().find(keyed.entry.offset);
    EXPECT_EQ(expires_at.has_value(), keyed.entry.expires);
    const bool is_new =
        contents.emplace(std::tuple(keyed.hash.high, keyed.hash.low), std::pair(keyed.entry.offset, expires_at)).second;
    EXPECT_TRUE(is_new) << "a key is visited once";
  }
  EXPECT_EQ(contents.size(), partition.index().size());
  return contents;
}

// Record by record, in the order of the log; up to the first bytes that are no batch.
inline std::unique_ptr<Partition> read_whole_log(Disk& disk, const std::string& directory, const KeyHasher& hasher) {
  auto partition = std::make_unique<Partition>(0, 0, 0);
  const auto segments = list_segments(disk, directory);
  EXPECT_TRUE(segments);
  Offset evicted_below = kFirstOffset;
  for (const LogSegment& segment : *segments) {
    const auto file = disk.open(segment.path, OpenMode::kRead);
    EXPECT_TRUE(file);
    SegmentScan scan(**file, segment.base, FilePosition(0), segment.base, hasher);
    ChangeWindow window;
    for (bool more = true; more;) {
      window.clear();
      more = scan.next(window, 1000).has_value();
      for (const PlacedBatch& batch : window.batches) {
        partition->places().placed(batch.header, segment.base, batch.position);
      }
      if (window.log_start) partition->apply_log_start(*window.log_start);
      evicted_below = std::max(evicted_below, window.evicted_below.value_or(kFirstOffset));
      for (const IndexChange& change : window.changes) {
        partition->apply(change.hash(), change.offset(), change.has_value(), change.expires_at());
      }
    }
  }
  partition->apply_eviction_below(evicted_below, evicted_below);
  return partition;
}

inline void expect_same(Partition& found, Partition& expected) {
  EXPECT_TRUE(contents_of(found) == contents_of(expected))
      << found.index().size() << " keys, expected " << expected.index().size();
  EXPECT_EQ(found.expiries().size(), expected.expiries().size());
  const auto found_places = found.places().places(kFirstOffset);
  auto expected_places = expected.places().places(kFirstOffset);
  // A log that was started lets segments go of which nothing is left; their files are there until a job has run.
  const Offset log_start = found.has_log() ? found.log().log_start() : kFirstOffset;
  while (expected_places.size() > found_places.size() && expected_places.front().last.next <= log_start) {
    expected_places.erase(expected_places.begin());
  }
  ASSERT_EQ(found_places.size(), expected_places.size());
  for (std::size_t i = 0; i < found_places.size(); ++i) {
    EXPECT_EQ(found_places[i].segment, expected_places[i].segment);
    EXPECT_EQ(found_places[i].end, expected_places[i].end);
    for (Offset offset = found_places[i].segment; offset < found_places[i].last.next; offset += OffsetCount(1)) {
      const auto a = found.places().find(offset);
      const auto b = expected.places().find(offset);
      ASSERT_TRUE(a && b);
      ASSERT_EQ(a->begin, b->begin) << "offset " << offset.value();
      ASSERT_EQ(a->end, b->end) << "offset " << offset.value();
    }
  }
}

}  // namespace minod::test
