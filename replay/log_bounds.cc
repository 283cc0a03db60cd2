#include "replay/log_bounds.h"

#include <algorithm>
#include <limits>

namespace minod {

std::optional<Offset> known_end(std::optional<Offset> clean_end, const std::vector<EpochStart>& epochs) {
  if (epochs.empty()) return clean_end;
  return std::max(clean_end.value_or(kFirstOffset), epochs.back().start);
}

Offset known_begin(Offset log_start, const std::vector<EpochStart>& epochs) {
  // Without the epochs, only the segments themselves could say where the log began.
  if (epochs.empty()) return Offset(std::numeric_limits<std::int64_t>::max());
  return std::max(log_start, epochs.front().start);
}

void begin_at(std::vector<EpochStart>& epochs, Offset begin) {
  while (epochs.size() > 1 && epochs[1].start <= begin) epochs.erase(epochs.begin());
  if (!epochs.empty()) epochs.front().start = std::max(epochs.front().start, begin);
}

Error missing_segments(const std::string& directory, bool all, Offset begin, Offset expected) {
  const std::string what = all ? "holds no segment, and its log had records"
                               : "begins at offset " + std::to_string(begin.value()) +
                                     ", and nothing says that the records from offset " +
                                     std::to_string(expected.value()) + " on were dropped";
  return Error{Errc::kCorrupt, 0,
               directory + " " + what +
                   ": segment files are missing. Restore them from a replica or a backup, or start with "
                   "--force-truncate to accept that loss"};
}

}  // namespace minod
