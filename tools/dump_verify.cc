#include "tools/dump_verify.h"

#include "log/format.h"

namespace minod::dump {

namespace {

// Every batch has one entry of 12 bytes at most.
constexpr std::size_t kEntrySizeMax = 12;

using Check = Result<void> (*)(Bytes, Offset, const std::vector<PlacedBatch>&);

}  // namespace

Result<std::vector<LogDamage>> check_index_files(Disk& disk, const LogSegment& segment,
                                                 const std::vector<PlacedBatch>& batches) {
  std::vector<LogDamage> damages;
  const std::string stem = segment.path.substr(0, segment.path.size() - kLogSuffix.size());
  const std::pair<std::string_view, Check> files[] = {{kIndexSuffix, check_offset_index},
                                                      {kTimeIndexSuffix, check_time_index}};
  for (const auto& [suffix, check] : files) {
    const std::string path = stem + std::string(suffix);
    const auto contents = read_file(disk, path, (batches.size() + 1) * kEntrySizeMax);
    if (!contents && contents.error().code == Errc::kNotFound) continue;
    if (!contents && contents.error().code != Errc::kTooLarge) return contents.error();
    const auto checked = contents ? check(as_bytes(*contents), segment.base, batches)
                                  : Result<void>(Error{Errc::kCorrupt, 0, "more entries than the segment has batches"});
    if (!checked) damages.push_back(LogDamage{path, FilePosition(0), segment.base, checked.error().detail});
  }
  return damages;
}

}  // namespace minod::dump
