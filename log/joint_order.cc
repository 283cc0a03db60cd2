#include "log/joint_order.h"

#include "base/check.h"

namespace minod {

std::uint64_t JointOrder::begin(std::uint32_t logs) {
  check(logs != 0 && logs < (1u << kCountBits), "a joint transaction writes to some logs");
  const std::uint64_t joint = begun_.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint64_t slot = (joint << kCountBits) | logs;
  written_.slots[joint % kInFlightMax].store(slot, std::memory_order_release);
  durable_.slots[joint % kInFlightMax].store(slot, std::memory_order_release);
  return joint;
}

bool JointOrder::arrived(Level level, std::uint64_t joint) {
  Passing& passing = of(level);
  const std::uint64_t before = passing.slots[joint % kInFlightMax].fetch_sub(1, std::memory_order_seq_cst);
  check(before >> kCountBits == joint && (before & ((1u << kCountBits) - 1)) != 0, "each log arrives once");
  const bool last = (before & ((1u << kCountBits) - 1)) == 1;
  if (!last || !advance(passing)) return false;
  on_passed();
  return true;
}

// Whoever completes the next one in order goes on as far as others have completed theirs. Of two that complete
// neighbours at the same time, one must see the other's: so both order their store before their load (Dekker). A slot
// that its transaction has not filled yet still has the number of one that passed long ago.
bool JointOrder::advance(Passing& passing) {
  bool advanced = false;
  std::uint64_t passed = passing.passed.load(std::memory_order_acquire);
  for (;;) {
    const std::uint64_t next = passed + 1;
    if (passing.slots[next % kInFlightMax].load(std::memory_order_seq_cst) != next << kCountBits) return advanced;
    if (passing.passed.compare_exchange_weak(passed, next, std::memory_order_acq_rel)) {
      passed = next;
      advanced = true;
    }
  }
}

}  // namespace minod
