// minod-dump without its command line.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "log/disk.h"
#include "tools/dump_options.h"

namespace minod::dump {

// Lines go to `write` as they come; false from it ends the dump, when nobody reads any more. Returns an exit code, or
// why a path can't be read.
Result<int> run(Disk& disk, const Options& options, const std::function<bool(const std::string&)>& write);

}  // namespace minod::dump
