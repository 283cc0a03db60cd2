#include "base/time_slice.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace minod {

void set_time_slice(Nanos slice) {
  struct SchedulingAttributes {  // linux/sched/types.h, which glibc's own header excludes
    std::uint32_t size = sizeof(SchedulingAttributes);
    std::uint32_t policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;  // ns; 0: the default, about 3 ms
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
  } attributes;
  attributes.runtime = static_cast<std::uint64_t>(slice.value());
  errno = 0;
  attributes.nice = ::getpriority(PRIO_PROCESS, 0);
  if (errno == 0) ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace minod
