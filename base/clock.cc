#include "base/clock.h"

#include <ctime>

namespace minod {

UnixMillis SystemClock::now() const {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return UnixMillis(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
}

MonotonicNanos SystemClock::monotonic() const {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return MonotonicNanos(time.tv_sec * 1'000'000'000 + time.tv_nsec);
}

}  // namespace minod
