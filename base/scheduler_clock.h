// How long the thread that made it has run, and how long it has waited for a processor while it could have run. Linux
// counts both ("man 5 proc", /proc/PID/schedstat).
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/fd.h"

namespace minod {

struct SchedulerTimes {
  Nanos run;
  Nanos waited;
};

class SchedulerClock {
 public:
  SchedulerClock();

  // A system call of about a microsecond. Nothing where the kernel does not count. Any thread.
  std::optional<SchedulerTimes> read() const;

 private:
  Fd file_;
};

}  // namespace minod
