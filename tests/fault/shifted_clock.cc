// Preloaded into a program, shifts the time of day it sees by as many nanoseconds as stand at the start of the file
// that MINOD_CLOCK_SHIFT names. The file is mapped, so the clock jumps at the moment it is written. Other clocks go on.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

using Shift = std::atomic<std::int64_t>;
static_assert(Shift::is_always_lock_free);

const Shift* open_shift() {
  const char* path = std::getenv("MINOD_CLOCK_SHIFT");
  const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) std::abort();
  void* mapped = mmap(nullptr, sizeof(Shift), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) std::abort();
  return static_cast<const Shift*>(mapped);
}

std::int64_t now() {
  using ClockGettime = int (*)(clockid_t, timespec*);
  static const auto real = reinterpret_cast<ClockGettime>(dlsym(RTLD_NEXT, "clock_gettime"));
  static const Shift* const shift = open_shift();
  timespec time{};
  real(CLOCK_REALTIME, &time);
  return time.tv_sec * kSecond + time.tv_nsec + shift->load();
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  using ClockGettime = int (*)(clockid_t, timespec*);
  static const auto real = reinterpret_cast<ClockGettime>(dlsym(RTLD_NEXT, "clock_gettime"));
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return real(clock, time);
  const std::int64_t at = now();
  time->tv_sec = at / kSecond;
  time->tv_nsec = at % kSecond;
  return 0;
}

int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  const std::int64_t at = now();
  time->tv_sec = at / kSecond;
  time->tv_usec = at % kSecond / 1000;
  return 0;
}

time_t time(time_t* into) noexcept {
  const time_t at = now() / kSecond;
  if (into != nullptr) *into = at;
  return at;
}

}  // extern "C"
