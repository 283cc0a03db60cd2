// The completion ring that the kernel maps at the address which io_context_t is (linux/fs/aio.c). Reading it saves the
// system call; the layout is guarded by its magic and feature words.
#pragma once

#include <atomic>

#include "log/aio_calls.h"

namespace minod {

struct AioRing {
  unsigned id;
  unsigned nr;
  unsigned head;
  unsigned tail;
  unsigned magic;
  unsigned compat_features;
  unsigned incompat_features;
  unsigned header_size;  // the events, `nr` of them, stand behind it
};

inline constexpr unsigned kAioRingMagic = 0xa10a10a1;

// nullptr: completions are to be asked for by a system call.
inline AioRing* ring_of(io_context_t kernel, const AioCalls& calls) {
  if (!calls.reads_ring) return nullptr;
  auto* ring = reinterpret_cast<AioRing*>(kernel);
  return ring->magic == kAioRingMagic && ring->incompat_features == 0 ? ring : nullptr;
}

inline bool ring_has_events(io_context_t kernel, const AioCalls& calls) {
  AioRing* ring = ring_of(kernel, calls);
  return ring == nullptr || std::atomic_ref(ring->tail).load(std::memory_order_acquire) != ring->head;
}

}  // namespace minod
