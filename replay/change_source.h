// The files that a restart reads a log's changes from: the segments, their hints, the checkpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "index/checkpoint_file.h"
#include "index/key_hash.h"
#include "log/disk.h"
#include "replay/change_feed.h"

namespace minod {

struct FoundSegment {
  Offset base;
  std::string path;
  std::unique_ptr<File> file;
  std::int64_t size = 0;
  bool has_hint = false;  // a file of that name is there
};

// The segments of a log, in order. Opens what is there and makes it durable before the first byte is read: after a
// kill, bytes that were never acknowledged may sit in the device's volatile cache, be served, and vanish at the next
// power loss.
Result<std::vector<FoundSegment>> open_segments(Disk& disk, const std::string& directory);

// The batches of `segment` from `position` on, where one with base offset `expected` starts, up to `until` if that is
// not kNoOffset. What is passed by reference stays the caller's until the feed is gone.
ChangeFeed::Source scan_source(const FoundSegment& segment, FilePosition position, Offset expected,
                               const KeyHasher& hasher, Offset until = kNoOffset);

// The segment's hint, or the segment when its hint can't be opened. A hint that turns out bad on the way stops with
// kUnsupported: it is to be left out, and what it gave is not to be used.
ChangeFeed::Source hint_source(Disk& disk, const std::string& directory, const FoundSegment& segment,
                               const KeyHasher& hasher, const IndexIdentity& identity);

// The values of a checkpoint; one that turns out bad stops with kUnsupported. `expected` of the last piece is its end.
ChangeFeed::Source checkpoint_source(std::shared_ptr<CheckpointReader> reader);

}  // namespace minod
