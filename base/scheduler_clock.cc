#include "base/scheduler_clock.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>

namespace minod {

SchedulerClock::SchedulerClock() : file_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}

std::optional<SchedulerTimes> SchedulerClock::read() const {
  char text[128];
  const ssize_t size = file_ ? ::pread(file_.get(), text, sizeof text, 0) : -1;
  if (size <= 0) return std::nullopt;
  const char* const end = text + size;
  std::int64_t run = 0;
  std::int64_t waited = 0;
  const auto [gap, bad_run] = std::from_chars(text, end, run);
  if (bad_run != std::errc() || gap == end) return std::nullopt;
  if (std::from_chars(gap + 1, end, waited).ec != std::errc()) return std::nullopt;
  return SchedulerTimes{Nanos(run), Nanos(waited)};
}

}  // namespace minod
