// minod-replay without its command line.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "log/disk.h"
#include "tools/replay_options.h"
#include "tools/replay_plan.h"
#include "tools/replay_tally.h"

namespace minod::replay {

using Complain = std::function<void(const std::string&)>;

// Does what the options say; notes and error replies go to `complain`, a line each. The tally holds what was done even
// when an error is returned.
Result<void> run(Disk& disk, const Clock& clock, const Options& options, Progress& progress, const Complain& complain,
                 Tally& tally);

// The plan's partitions as a new data directory `options.to_directory`, with the facts of the old one: the same hash
// seed, and so the same partition for each key. kBusy when it is not empty, unless forced: its partitions are then
// removed first.
Result<void> copy_directory(Disk& disk, const Options& options, const Plan& plan, Progress& progress, Tally& tally);

}  // namespace minod::replay
