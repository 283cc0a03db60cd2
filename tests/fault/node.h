// The node under test, with a data directory of its own, as the fault tests need it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/live/server_process.h"
#include "tests/live/temp_directory.h"
#include "tests/live/wire.h"

namespace minod::live {

using Options = std::vector<std::string>;

inline std::vector<std::string> minod_command(const std::string& data, const Options& options) {
  std::vector<std::string> command{minod_path(), "--dir", data};
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

// A test without a program to test is skipped, so that the suite can run before the server is built.
#define SKIP_WITHOUT_MINOD() \
  if (minod_path().empty()) GTEST_SKIP() << "MINOD_BINARY is not set"

// The segment files of partition 0 of database 0, oldest first.
std::vector<std::string> segments(const std::string& data);

}  // namespace minod::live
