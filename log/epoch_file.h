// Kafka's leader-epoch-checkpoint: which leader epoch began at which offset. Text: "0", the count, then "epoch offset"
// lines. A restarted leader takes a new epoch, and it is on disk here before the first record carries it.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"

namespace minod {

struct EpochStart {
  Epoch epoch;
  Offset start;
};

// Empty when the file is not there; kCorrupt when it is not of this form. Blocking.
Result<std::vector<EpochStart>> read_epochs(Disk& disk, const std::string& directory);

// Durable when it returns. Blocking.
Result<void> write_epochs(Disk& disk, const std::string& directory, const std::vector<EpochStart>& epochs);

}  // namespace minod
