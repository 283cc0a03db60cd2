// What the small files beside a log know of where it begins and ends, so that a segment that has gone, or was put back
// from an older copy, is missed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/epoch_file.h"

namespace minod {

// An end that the log has reached durably: the clean stop's, or the start of the last epoch, which a restart writes
// when everything before it was synced. Nothing when neither is known.
std::optional<Offset> known_end(std::optional<Offset> clean_end, const std::vector<EpochStart>& epochs);

// No record between this and the first segment may be missing: the log start that the log names, or the start of its
// first epoch.
Offset known_begin(Offset log_start, const std::vector<EpochStart>& epochs);

// As Kafka: of a copy that begins at `begin`, the epochs that ended before it go, and the first one starts there.
void begin_at(std::vector<EpochStart>& epochs, Offset begin);

Error missing_segments(const std::string& directory, bool all, Offset begin, Offset expected);

}  // namespace minod
