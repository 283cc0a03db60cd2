// What a range of a partition's log holds, found before anything is done with it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"
#include "replay/log_walk.h"

namespace minod {

struct LogSurvey {
  std::vector<LogSegment> segments;
  std::optional<Offset> clean_end;
  Offset log_begin;                 // of the first segment that is there
  Offset log_end;                   // as far as was looked: behind the range's last record, or the log's
  LogRange range;                   // what was asked for, cut to what is there
  std::optional<Offset> log_start;  // the greatest that a record of the range names: all below is gone
  std::int64_t bytes = 0;           // of the range's batches
  std::int64_t records = 0;         // of the range, by the batches' headers: the borders' batches count whole
  std::string torn;                 // the unfinished write at the log's end, if there is one

  bool empty() const { return range.from >= range.until; }
};

// Reads the partition in `directory` up to `wanted.until`, or to the first record whose timestamp is not before
// `until_time`, whichever comes first. kCorrupt for damage before that. `progress` gets the bytes read so far.
// Blocking.
Result<LogSurvey> survey_log(Disk& disk, const std::string& directory, const LogRange& wanted, UnixMillis until_time,
                             const std::function<void(std::int64_t)>& progress = {});

}  // namespace minod
