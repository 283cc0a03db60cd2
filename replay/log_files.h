// A log's files as a whole: gone, or exchanged for others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"
#include "log/epoch_file.h"

namespace minod {

// Removes all of the log in `directory` but what is known of its replication, and what ends in `kept` (empty: nothing
// more). Durable when it returns. Blocking.
Result<void> wipe_log(Disk& disk, const std::string& directory, std::string_view kept = {});

// Gives the segments from `bases` their names, which they have with `suffix` behind it, in place of the log that is
// there, and notes its epochs. Blocking.
Result<void> put_log_in_place(Disk& disk, const std::string& directory, const std::vector<Offset>& bases,
                              std::string_view suffix, const std::vector<EpochStart>& epochs);

}  // namespace minod
