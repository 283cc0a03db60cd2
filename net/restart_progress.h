// What an operator is told while a restart reads the logs: a line a second.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "replay/recovery.h"

namespace minod {

class RestartProgress {
 public:
  // `total`: bytes of all logs.
  RestartProgress(const Clock& clock, std::int64_t total) : clock_(clock), total_(total), begin_(clock.monotonic()) {}

  void show(const RecoveryReport& report);

 private:
  const Clock& clock_;
  std::int64_t total_;
  MonotonicNanos begin_;
  MonotonicNanos shown_ = begin_;
};

}  // namespace minod
