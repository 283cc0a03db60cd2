// Checks the index files of a segment against its batches.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "index/segment_index_files.h"
#include "log/disk.h"
#include "replay/log_damage.h"
#include "replay/segment_list.h"

namespace minod::dump {

// What is wrong with the .index and the .timeindex beside the segment. A sealed segment without them is fine: they are
// written some time after it was sealed, and minod does without them. Errors are those of the disk.
Result<std::vector<LogDamage>> check_index_files(Disk& disk, const LogSegment& segment,
                                                 const std::vector<PlacedBatch>& batches);

}  // namespace minod::dump
