#include "replay/change_source.h"

#include <algorithm>
#include <utility>

#include "index/hint_file.h"
#include "index/segment_scan.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::int64_t kChangeBytes = 24;  // of one in a hint or checkpoint, about

ChangeFeed::Fill scan_fill(const FoundSegment& segment, FilePosition position, Offset expected, const KeyHasher& hasher,
                           Offset until) {
  auto scan = std::make_shared<SegmentScan>(*segment.file, segment.base, position, expected, hasher);
  scan->stop_at(until);
  return [scan](ChangePiece& piece) {
    if (auto more = scan->next(piece.window); !more) piece.stop = more.error();
    piece.end = scan->end();
    piece.expected = scan->expected();
    piece.epoch = scan->epoch();
    piece.bytes = scan->bytes();
  };
}

// Fills the piece with as many of the hint's windows as it may hold: the larger the window, the nearer are neighbours
// in the index.
Result<void> read_hint(HintReader& reader, ChangeWindow& part, ChangePiece& piece, std::vector<IndexChange>& scratch) {
  ChangeWindow& window = piece.window;
  Result<void> more;
  while (more && window.changes.size() < ChangeWindow::kChangesMax) {
    more = reader.next(part);
    if (part.log_start) {
      window.changes.clear();
      window.log_start = part.log_start;
    }
    if (part.evicted_below) window.evicted_below = part.evicted_below;
    window.changes.insert(window.changes.end(), part.changes.begin(), part.changes.end());
    window.records += part.records;
  }
  window.sort(scratch);
  return more;
}

// Of a derived file: what the reader says, so that the log is read in its place.
Error turned_bad(const Error& error) {
  return error.code == Errc::kEnd ? error : Error{Errc::kUnsupported, 0, error.message()};
}

}  // namespace

Result<std::vector<FoundSegment>> open_segments(Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return entries.error();
  std::vector<FoundSegment> segments;
  std::vector<Offset> hints;
  for (const DirectoryEntry& entry : *entries) {
    if (const auto hint = parse_segment_name(entry.name, kHintSuffix)) hints.push_back(*hint);
    const auto base = parse_segment_name(entry.name, kLogSuffix);
    if (!base) continue;
    FoundSegment segment{*base, directory + "/" + entry.name, nullptr};
    auto file = disk.open(segment.path, OpenMode::kReadWrite);
    if (!file) return file.error();
    segment.file = std::move(*file);
    if (auto synced = segment.file->sync_now(); !synced) return synced.error();
    const auto size = segment.file->size_now();
    if (!size) return size.error();
    segment.size = *size;
    segments.push_back(std::move(segment));
  }
  if (auto synced = disk.sync_directory(directory); !synced) return synced.error();
  std::ranges::sort(segments, {}, &FoundSegment::base);
  for (FoundSegment& segment : segments) {
    segment.has_hint = std::ranges::find(hints, segment.base) != hints.end();
  }
  return segments;
}

ChangeFeed::Source scan_source(const FoundSegment& segment, FilePosition position, Offset expected,
                               const KeyHasher& hasher, Offset until) {
  return
      [&segment, position, expected, &hasher, until] { return scan_fill(segment, position, expected, hasher, until); };
}

ChangeFeed::Source hint_source(Disk& disk, const std::string& directory, const FoundSegment& segment,
                               const KeyHasher& hasher, const IndexIdentity& identity) {
  return [&disk, &directory, &segment, &hasher, &identity]() -> ChangeFeed::Fill {
    auto opened = HintReader::open(disk, directory, segment.base, *segment.file, segment.size, identity);
    if (!opened) {
      return [scan = scan_fill(segment, FilePosition(0), segment.base, hasher, kNoOffset),
              why = opened.error().message()](ChangePiece& piece) {
        scan(piece);
        piece.ignored = why;
      };
    }
    std::shared_ptr<HintReader> reader(std::move(*opened));
    return [reader, part = ChangeWindow(), scratch = std::vector<IndexChange>(),
            bytes = std::int64_t{0}](ChangePiece& piece) mutable {
      piece.hint = true;
      if (auto more = read_hint(*reader, part, piece, scratch); !more) piece.stop = turned_bad(more.error());
      bytes += static_cast<std::int64_t>(piece.window.changes.size()) * kChangeBytes;
      piece.bytes = bytes;
      if (!piece.stop || piece.stop->code != Errc::kEnd) return;
      const SegmentPlaces& places = reader->places();
      piece.end = places.end;
      piece.expected = places.last.next;
      piece.epoch = places.last.epoch;
      piece.places.push_back(places);
    };
  };
}

ChangeFeed::Source checkpoint_source(std::shared_ptr<CheckpointReader> reader) {
  return [reader = std::move(reader)]() -> ChangeFeed::Fill {
    return [reader, bytes = std::int64_t{0}](ChangePiece& piece) mutable {
      if (auto more = reader->next(piece.window); !more) piece.stop = turned_bad(more.error());
      bytes += static_cast<std::int64_t>(piece.window.changes.size()) * kChangeBytes;
      piece.bytes = bytes;
      if (!piece.stop || piece.stop->code != Errc::kEnd) return;
      piece.expected = reader->end();
      piece.places = std::move(reader->places());
    };
  };
}

}  // namespace minod
