#include "replay/segment_list.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/endian.h"
#include "log/compaction_swap.h"
#include "log/format.h"
#include "log/segment_name.h"

namespace minod {

namespace {

using Header = std::array<std::byte, kBatchHeaderSize>;

Result<Offset> first_offset(File& file) {
  Header header{};
  const auto read = file.read_now(FilePosition(0), header);
  if (!read) return read.error();
  return Offset(std::max<std::int64_t>(0, load_big<std::int64_t>(header.data() + batch_field::kBaseOffset)));
}

// A compacted segment that is complete, but not yet in the place of those it was made of.
std::vector<SegmentSwap> swaps_among(const std::vector<DirectoryEntry>& entries) {
  std::vector<SegmentSwap> swaps;
  for (const DirectoryEntry& entry : entries) {
    if (const auto swap = parse_swap_name(entry.name)) swaps.push_back(*swap);
  }
  return swaps;
}

}  // namespace

Result<std::vector<LogSegment>> list_segments(Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return entries.error();
  std::vector<LogSegment> segments;
  const std::vector<SegmentSwap> swaps = swaps_among(*entries);
  for (const DirectoryEntry& entry : *entries) {
    auto base = parse_segment_name(entry.name, kLogSuffix);
    const auto swap = parse_swap_name(entry.name);
    const auto replaced = [&](const SegmentSwap& one) { return base && *base >= one.base && *base < one.end; };
    if (std::ranges::any_of(swaps, replaced)) continue;
    if (swap) base = swap->base;
    if (!base) continue;
    LogSegment segment{*base, directory + "/" + entry.name};
    const auto file = disk.open(segment.path, OpenMode::kRead);
    if (!file && file.error().code == Errc::kNotFound) continue;
    if (!file) return file.error();
    const auto size = (*file)->size_now();
    if (!size) return size.error();
    segment.size = *size;
    segments.push_back(std::move(segment));
  }
  std::ranges::sort(segments, {}, &LogSegment::base);
  if (!segments.empty()) segments.back().active = true;
  return segments;
}

Result<LogSegment> segment_at(Disk& disk, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto base = parse_segment_name(name, kLogSuffix);
  if (base) {
    auto segments = list_segments(disk, directory.empty() ? "/" : directory);
    if (!segments) return segments.error();
    for (LogSegment& segment : *segments) {
      if (segment.base != *base) continue;
      segment.path = path;
      return std::move(segment);
    }
  }
  auto file = disk.open(path, OpenMode::kRead);
  if (!file) return file.error();
  const auto size = (*file)->size_now();
  if (!size) return size.error();
  const auto first = first_offset(**file);
  if (!first) return first.error();
  return LogSegment{base.value_or(*first), path, *size, true};
}

Result<std::optional<Offset>> read_clean_end(Disk& disk, const std::string& directory) {
  const auto text = read_file(disk, directory + "/clean-end-offset", 64);
  if (!text) {
    if (text.error().code == Errc::kNotFound) return std::optional<Offset>();
    return text.error();
  }
  std::int64_t end = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), end);
  if (parsed.ec != std::errc()) return std::optional<Offset>();
  return std::optional<Offset>(Offset(end));
}

Result<std::int64_t> log_bytes(Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return entries.error();
  std::int64_t bytes = 0;
  for (const DirectoryEntry& entry : *entries) {
    if (!parse_segment_name(entry.name, kLogSuffix)) continue;
    auto file = disk.open(directory + "/" + entry.name, OpenMode::kRead);
    if (!file) return file.error();
    const auto size = (*file)->size_now();
    if (!size) return size.error();
    bytes += *size;
  }
  return bytes;
}

}  // namespace minod
