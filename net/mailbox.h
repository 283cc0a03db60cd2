// What one thread asks of another: a bounded ring with one producer and one consumer, and the doorbell that wakes a
// consumer that sleeps. With net/shard this is the only cross-thread code of the request path.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/fd.h"

namespace minod {

using Mail = std::function<void()>;

class Mailbox {
 public:
  static constexpr std::size_t kSlots = 1024;
  static_assert((kSlots & (kSlots - 1)) == 0);

  // The producer's. False when the ring is full: keep the message and try again in the next turn.
  bool push(Mail& message) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == kSlots) return false;
    slots_[tail % kSlots] = std::move(message);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // The consumer's.
  bool pop(Mail& message) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    message = std::move(slots_[head % kSlots]);
    slots_[head % kSlots] = nullptr;
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  bool empty() const { return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire); }

 private:
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
  alignas(64) std::array<Mail, kSlots> slots_;
};

// One for each consumer. The consumer says that it is about to sleep, looks at its mailboxes once more, then sleeps on
// the descriptor; a producer rings only when it must. Both sides order their store before their load (Dekker).
class Doorbell {
 public:
  Doorbell();

  int fd() const { return fd_.get(); }
  void ring();  // a producer, after push()
  void going_to_sleep() {
    asleep_.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  void awake() { asleep_.store(false, std::memory_order_relaxed); }

 private:
  Fd fd_;
  std::atomic<bool> asleep_{false};
};

}  // namespace minod
