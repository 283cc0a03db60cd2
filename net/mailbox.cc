#include "net/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

namespace minod {

Doorbell::Doorbell() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  check(fd_.get() >= 0, "an eventfd for the doorbell");
}

void Doorbell::ring() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!asleep_.load(std::memory_order_relaxed)) return;
  const std::uint64_t one = 1;
  // It fails only when the counter is full: then the consumer is woken already.
  [[maybe_unused]] const auto written = write(fd_.get(), &one, sizeof one);
}

}  // namespace minod
