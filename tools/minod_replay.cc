// minod-replay: the changes of a log once more, on another server or in a new data directory.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/clock.h"
#include "log/aio_disk.h"
#include "tools/replay_arguments.h"
#include "tools/replay_run.h"

namespace minod::replay {

namespace {

void complain(const std::string& line) { std::fprintf(stderr, "minod-replay: %s\n", line.c_str()); }

int code_of(const Error& error) {
  switch (error.code) {
    case Errc::kCorrupt:
      return kExitErrors;
    case Errc::kInvalid:
    case Errc::kBusy:
      return kExitUsage;
    default:
      return kExitIo;
  }
}

int run_replay(int argc, char** argv) {
  const SystemClock clock;
  Options options;
  if (const auto code = read_arguments(argc, argv, clock.now(), options)) return *code;
  AioDisk::Options io;
  io.depth = 1;  // only blocking calls
  const auto disk = AioDisk::open(io);
  if (!disk) {
    complain(disk.error().message());
    return kExitIo;
  }
  Progress progress(clock, isatty(STDERR_FILENO) == 1);
  Tally tally;
  const auto done = run(**disk, clock, options, progress, complain, tally);
  progress.clear();
  if (!done) complain(done.error().message());
  std::fputs(summary_text(tally, progress.elapsed()).c_str(), options.dry_run ? stdout : stderr);
  if (!done) return code_of(done.error());
  return tally.errors != 0 ? kExitErrors : kExitOk;
}

}  // namespace

}  // namespace minod::replay

int main(int argc, char** argv) { return minod::replay::run_replay(argc, argv); }
