// Puts a rewritten segment in the place of those it was made of, so that a crash at any point leaves the old ones or
// the new one. Blocking: used by jobs, and at start-up before a log is read.
//
//   <base>.cleaned         being written; a start removes it
//   <base>-<end>.swap      complete and durable: it stands for every record of [base, end), whatever else is there
//
//   commit_swap()          renames .cleaned to .swap, durably: from here on a start goes forward
//   complete_swap()        removes what is made from the old segments (hints, index files) and the old segments behind
//                          the first; durably; then renames .swap over the first; durably
//
// docs/FORMAT.md, "Compacted segments", says what a start finds after a crash at each of these steps.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"

namespace minod {

// One segment that takes the place of those that begin in [base, end).
struct SegmentSwap {
  Offset base;
  Offset end;
};

std::string cleaned_name(Offset base);
std::string swap_name(const SegmentSwap& swap);
std::optional<SegmentSwap> parse_swap_name(std::string_view name);

// The rewrite's bytes are durable. Nothing: committed. A failure leaves the old segments in force in this process; when
// `named`, the name has changed and a restart may find the old ones or the new one.
struct CommitFailure {
  Error error;
  bool named = false;
};
std::optional<CommitFailure> commit_swap(Disk& disk, const std::string& directory, const SegmentSwap& swap);

// After commit_swap().
Result<void> complete_swap(Disk& disk, const std::string& directory, const SegmentSwap& swap);

// At start-up: completes what was committed and removes what was not. Returns the swaps that it completed.
Result<std::vector<SegmentSwap>> finish_swaps(Disk& disk, const std::string& directory);

}  // namespace minod
