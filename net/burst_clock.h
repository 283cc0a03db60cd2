// The time while a connection runs the commands that have come together. A clock read costs as much as a tenth of a
// pipelined GET, so there is one a command instead of three: the end of a command is the beginning of the next, and the
// wall clock, read once, is moved on by the monotonic one.
#pragma once

#include <utility>

#include "base/clock.h"

namespace minod {

class BurstClock {
 public:
  void start(const Clock& clock) {
    wall_ = clock.now();
    began_ = at_ = clock.monotonic();
  }

  MonotonicNanos began() const { return began_; }

  // Since the last lap or start.
  Nanos lap(const Clock& clock) {
    const MonotonicNanos now = clock.monotonic();
    return now - std::exchange(at_, now);
  }

  // As of the last lap or start; never ahead of the clock, and less than a millisecond behind what it showed then.
  UnixMillis wall() const { return wall_ + Millis((at_ - began_).value() / 1'000'000); }

 private:
  UnixMillis wall_;
  MonotonicNanos began_;
  MonotonicNanos at_;
};

}  // namespace minod
