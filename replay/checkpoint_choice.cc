#include "replay/checkpoint_choice.h"

#include <algorithm>

#include "index/hint_file.h"
#include "index/segment_scan.h"

namespace minod {

namespace {

Error not_this_log(std::string why) { return Error{Errc::kInvalid, 0, std::move(why)}; }

// A segment that the checkpoint does not know as it is.
Result<SegmentPlaces> scan_places(const FoundSegment& segment, const KeyHasher& hasher) {
  SegmentScan scan(*segment.file, segment.base, FilePosition(0), segment.base, hasher, false);
  LogIndex index;
  ChangeWindow window;
  for (;;) {
    window.clear();
    const auto more = scan.next(window);
    for (const PlacedBatch& batch : window.batches) index.placed(batch.header, segment.base, batch.position);
    if (more) continue;
    if (more.error().code != Errc::kEnd) return more.error();
    auto places = index.places(segment.base);
    if (places.empty()) return not_this_log(segment.path + " has no batch");
    return std::move(places.front());
  }
}

Result<SegmentPlaces> places_of(const FoundSegment& segment, const std::vector<SegmentPlaces>& known,
                                const KeyHasher& hasher) {
  const auto found = std::ranges::find(known, segment.base, &SegmentPlaces::segment);
  if (found != known.end() && found->end.value() <= segment.size) {
    const auto same = ends_as_noted(*segment.file, *found);
    if (!same) return same.error();
    if (*same) return *found;
  }
  return scan_places(segment, hasher);
}

}  // namespace

bool CheckpointChoice::choose(const std::vector<FoundSegment>& segments, std::vector<std::string>& ignored) {
  chosen_.reset();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].there || slots_[i].refused) continue;
    auto opened = CheckpointReader::open(disk_, path_of(i), identity_);
    if (!opened && opened.error().code == Errc::kNotFound) {
      slots_[i].there = false;
      continue;
    }
    if (!opened) {
      refuse(i, opened.error().message(), ignored);
      continue;
    }
    const CheckpointHeader& header = (*opened)->header();
    slots_[i].begin = header.begin;
    const auto segment = std::ranges::find(segments, header.segment, &FoundSegment::base);
    if (segment == segments.end() || header.position.value() > segment->size) {
      refuse(i, "the log has no such place as it begins at", ignored);
      continue;
    }
    if (chosen_ && header_.begin >= header.begin) continue;
    chosen_ = i;
    header_ = header;
    keys_ = static_cast<std::size_t>((*opened)->changes());
    reader_ = std::move(*opened);
  }
  return chosen_.has_value();
}

void CheckpointChoice::refuse(const std::string& why, std::vector<std::string>& ignored) {
  refuse(*chosen_, why, ignored);
}

void CheckpointChoice::refuse(std::size_t slot, const std::string& why, std::vector<std::string>& ignored) {
  slots_[slot].refused = true;
  ignored.push_back(path_of(slot) + ": " + why);
}

std::vector<std::string> CheckpointChoice::useless(bool cut) const {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].refused || (cut && chosen_ != i)) paths.push_back(path_of(i));
  }
  return paths;
}

Offset CheckpointChoice::replay_begin(bool cut) const {
  Offset begin = kNoCheckpoint;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.there && !slot.refused && (!cut || chosen_ == i)) begin = std::min(begin, slot.begin);
  }
  return begin;
}

Result<void> restore_places(const std::vector<FoundSegment>& segments, const CheckpointHeader& header,
                            const std::vector<SegmentPlaces>& places, const KeyHasher& hasher, LogIndex& index,
                            LogStart& start) {
  Offset next = segments.front().base;
  for (const FoundSegment& segment : segments) {
    if (segment.base != next) return not_this_log("a segment is missing before " + segment.path);
    if (segment.base == header.segment) {
      if (header.position == FilePosition(0)) break;
      // Where the checkpoint begins, a batch ended when it was made.
      const auto found = std::ranges::find(places, segment.base, &SegmentPlaces::segment);
      if (found == places.end()) return not_this_log("it does not know the segment where it begins");
      const auto same = ends_as_noted(*segment.file, *found);
      if (!same) return same.error();
      if (!*same || found->end != header.position || found->last.next != header.begin) {
        return not_this_log(segment.path + " is not what it was");
      }
      start.epoch = std::max(start.epoch, found->last.epoch);
      index.restore(*found);
      return {};
    }
    auto known = places_of(segment, places, hasher);
    if (!known) return known.error();
    next = known->last.next;
    start.epoch = std::max(start.epoch, known->last.epoch);
    start.segments.push_back(SegmentFile{segment.base, segment.size, known->end});
    index.restore(std::move(*known));
  }
  if (next != header.begin) return not_this_log("the log before it ends at another offset");
  return {};
}

}  // namespace minod
