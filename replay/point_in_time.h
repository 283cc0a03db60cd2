// The log of a partition up to some offset as a new partition directory: what minod would hold if it had stopped then.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"
#include "replay/log_survey.h"

namespace minod {

struct CopyReport {
  std::int64_t segments = 0;
  std::int64_t batches = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  UnixMillis first_time;
  UnixMillis last_time;
};

// Copies the batches of `survey.range` with their offsets, in the same segments, to `to`, which is made. A batch that
// the range ends inside is cut. The epochs are copied from `from`; index files are made for sealed segments. What is
// there is durable on success. `progress` gets the bytes copied so far. Blocking.
Result<CopyReport> copy_partition(Disk& disk, const std::string& from, const std::string& to, const LogSurvey& survey,
                                  const std::function<void(std::int64_t)>& progress = {});

}  // namespace minod
