// minod-dump: what is in a log, for people and for programs.
#include <cstdio>
#include <string>

#include "base/clock.h"
#include "log/aio_disk.h"
#include "tools/dump_arguments.h"
#include "tools/dump_run.h"

namespace minod::dump {

namespace {

int complain(const Error& error) {
  std::fprintf(stderr, "minod-dump: %s\n", error.message().c_str());
  return error.code == Errc::kInvalid ? kExitUsage : kExitIo;
}

int run_dump(int argc, char** argv) {
  Options options;
  if (const auto code = read_arguments(argc, argv, SystemClock().now(), options)) return *code;
  AioDisk::Options io;
  io.depth = 1;  // only blocking reads
  const auto disk = AioDisk::open(io);
  if (!disk) return complain(disk.error());
  const auto write = [](const std::string& line) {
    return std::fwrite(line.data(), 1, line.size(), stdout) == line.size();
  };
  const auto code = run(**disk, options, write);
  const bool flushed = std::fflush(stdout) == 0;
  if (!code) return complain(code.error());
  return flushed ? *code : kExitIo;
}

}  // namespace

}  // namespace minod::dump

int main(int argc, char** argv) { return minod::dump::run_dump(argc, argv); }
