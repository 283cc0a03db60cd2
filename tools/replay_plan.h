// What a replay will do, found before it begins: every partition is read once for where its range ends and for its
// last FLUSHDB.
//
// FLUSHDB is one control record in each partition of its database, but one command for the target. Partitions are
// replayed one after the other, so sending it where it stands in one would delete what another has set already. So it
// is sent once, before the first partition, and each partition begins behind the last of its own.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "log/disk.h"
#include "replay/data_directory.h"
#include "replay/log_survey.h"
#include "tools/replay_options.h"

namespace minod::replay {

struct PlannedPartition {
  PartitionDirectory directory;
  std::string path;
  LogSurvey survey;
};

struct Plan {
  std::vector<PlannedPartition> partitions;  // by database
  std::vector<std::string> notes;            // for people: what the log can't give
};

// kInvalid: there is no such database in the directory.
Result<Plan> make_plan(Disk& disk, const Options& options);

}  // namespace minod::replay
