#include "index/offset_index.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "log/format.h"

namespace minod {
namespace {

constexpr std::int64_t kFieldMax = std::numeric_limits<std::uint32_t>::max();

}  // namespace

void OffsetIndex::add(Offset first, FilePosition position) {
  const std::int64_t relative = (first - base_).value();
  check(relative >= 0 && relative <= kFieldMax, "a segment spans less than 2^32 offsets");
  check(position.value() >= 0 && position.value() <= kFieldMax, "a segment is smaller than 4 GiB");
  if (!entries_.empty()) {
    check(relative > entries_.back().relative_offset && position.value() > entries_.back().position,
          "batches are added in order");
    if (position.value() - entries_.back().position < kIndexIntervalBytes) return;
  }
  entries_.push_back({static_cast<std::uint32_t>(relative), static_cast<std::uint32_t>(position.value())});
}

OffsetIndex::Span OffsetIndex::find(Offset offset, FilePosition segment_end) const {
  const std::int64_t wanted = (offset - base_).value();
  check(wanted >= 0, "an offset is looked for in its own segment");
  const auto next =
      std::upper_bound(entries_.begin(), entries_.end(), wanted,
                       [](std::int64_t value, const Entry& entry) { return value < entry.relative_offset; });
  const FilePosition begin(next == entries_.begin() ? 0 : std::prev(next)->position);
  return {begin, next == entries_.end() ? segment_end : FilePosition(next->position)};
}

}  // namespace minod
