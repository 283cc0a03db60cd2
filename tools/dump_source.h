// The logs that the arguments of minod-dump name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/disk.h"
#include "replay/segment_list.h"

namespace minod::dump {

struct Source {
  std::string directory;
  std::vector<LogSegment> segments;
  std::optional<Offset> clean_end;
};

// A data directory gives its partitions (of `db`, when it is given), a partition's directory or a segment file itself.
// kInvalid: it is none of these.
Result<std::vector<Source>> find_sources(Disk& disk, const std::string& path, std::optional<int> db);

}  // namespace minod::dump
