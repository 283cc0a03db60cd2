#include "log/compaction_swap.h"

#include "log/format.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::string_view kCleanedSuffix = ".cleaned";
constexpr std::string_view kSwapSuffix = ".swap";
constexpr std::size_t kDigits = 20;

// What is made from a segment; without it a start reads the segment.
constexpr std::string_view kDerivedSuffixes[] = {kIndexSuffix, kTimeIndexSuffix, kHintSuffix};

Result<void> remove_if_there(Disk& disk, const std::string& path) {
  auto removed = disk.remove(path);
  if (!removed && removed.error().code == Errc::kNotFound) return {};
  return removed;
}

}  // namespace

std::string cleaned_name(Offset base) { return segment_name(base, kCleanedSuffix); }

std::string swap_name(const SegmentSwap& swap) {
  return segment_name(swap.base, "-") + segment_name(swap.end, kSwapSuffix);
}

std::optional<SegmentSwap> parse_swap_name(std::string_view name) {
  if (name.size() != 2 * kDigits + 1 + kSwapSuffix.size()) return std::nullopt;
  const auto base = parse_segment_name(name.substr(0, kDigits + 1), "-");
  const auto end = parse_segment_name(name.substr(kDigits + 1), kSwapSuffix);
  if (!base || !end || *end <= *base) return std::nullopt;
  return SegmentSwap{*base, *end};
}

std::optional<CommitFailure> commit_swap(Disk& disk, const std::string& directory, const SegmentSwap& swap) {
  const std::string from = directory + "/" + cleaned_name(swap.base);
  if (auto named = disk.rename(from, directory + "/" + swap_name(swap)); !named) {
    return CommitFailure{named.error(), false};
  }
  if (auto synced = disk.sync_directory(directory); !synced) return CommitFailure{synced.error(), true};
  return std::nullopt;
}

Result<void> complete_swap(Disk& disk, const std::string& directory, const SegmentSwap& swap) {
  const auto entries = disk.list(directory);
  if (!entries) return entries.error();
  for (const DirectoryEntry& entry : *entries) {
    const auto base = parse_segment_name(entry.name, kLogSuffix);
    if (!base || *base <= swap.base || *base >= swap.end) continue;
    if (auto removed = remove_if_there(disk, directory + "/" + entry.name); !removed) return removed;
  }
  for (const DirectoryEntry& entry : *entries) {
    for (const std::string_view suffix : kDerivedSuffixes) {
      const auto base = parse_segment_name(entry.name, suffix);
      if (!base || *base < swap.base || *base >= swap.end) continue;
      if (auto removed = remove_if_there(disk, directory + "/" + entry.name); !removed) return removed;
    }
  }
  // Before the .swap loses its name, which is what tells a start that the others may not be there.
  if (auto synced = disk.sync_directory(directory); !synced) return synced;
  const std::string to = directory + "/" + segment_name(swap.base, kLogSuffix);
  if (auto renamed = disk.rename(directory + "/" + swap_name(swap), to); !renamed) return renamed;
  return disk.sync_directory(directory);
}

Result<std::vector<SegmentSwap>> finish_swaps(Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return entries.error();
  std::vector<SegmentSwap> completed;
  for (const DirectoryEntry& entry : *entries) {
    if (parse_segment_name(entry.name, kCleanedSuffix)) {
      if (auto removed = remove_if_there(disk, directory + "/" + entry.name); !removed) return removed.error();
    }
    const auto swap = parse_swap_name(entry.name);
    if (!swap) continue;
    // A crash of the process alone may have left the name in memory only.
    if (auto synced = disk.sync_directory(directory); !synced) return synced.error();
    if (auto done = complete_swap(disk, directory, *swap); !done) return done.error();
    completed.push_back(*swap);
  }
  return completed;
}

}  // namespace minod
