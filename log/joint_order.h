// Transactions that write to several logs, in the order in which they began, and how many from the first on are safe in
// all their logs. The logs of a node share one; each log keeps back what stands behind a joint batch that has not
// passed (Log::released()). docs/TRANSACTIONS.md, "The hold".
//
// Any thread, without locks. What passes is only a number that grows, so who looks at it late is late, never wrong.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace minod {

class JointOrder {
 public:
  enum class Level : std::uint8_t { kWritten, kDurable };

  static constexpr std::uint64_t kInFlightMax = std::uint64_t{1} << 14;
  static_assert((kInFlightMax & (kInFlightMax - 1)) == 0);

  // Whether one more may begin. When it says no: ask again once some have passed.
  bool has_room() const {
    return begun_.load(std::memory_order_relaxed) - passed(Level::kDurable) < kInFlightMax - kThreadsMax;
  }

  // So many are under way that syncs should not wait for their time.
  bool crowded() const { return begun_.load(std::memory_order_relaxed) - passed(Level::kDurable) > kInFlightMax / 4; }

  // A transaction that writes to `logs` logs begins, has_room() having said yes: its number, from 1. Whoever calls has
  // all those logs to himself, so that each log sees ascending numbers.
  std::uint64_t begin(std::uint32_t logs);

  // One of its logs has its batch safe at this level. True: more has passed, for others to look at.
  bool arrived(Level level, std::uint64_t joint);

  // All up to this number are safe in all their logs.
  std::uint64_t passed(Level level) const { return of(level).passed.load(std::memory_order_acquire); }

  // A log has failed: what has not passed never will, and nobody should wait for it. The node stops.
  void give_up() { given_up_.store(true, std::memory_order_release); }
  bool given_up() const { return given_up_.load(std::memory_order_acquire); }

  // Called when more has passed, by the thread that saw it, so that shards that sleep look. Set before the first use.
  std::function<void()> on_passed = [] {};

 private:
  static constexpr std::uint64_t kThreadsMax = 1024;  // may have been told has_room() at the same time
  static constexpr unsigned kCountBits = 20;          // of a slot: how many logs are missing; above them, the number

  struct Passing {
    std::atomic<std::uint64_t> passed{0};
    std::array<std::atomic<std::uint64_t>, kInFlightMax> slots{};
  };
  Passing& of(Level level) { return level == Level::kWritten ? written_ : durable_; }
  const Passing& of(Level level) const { return level == Level::kWritten ? written_ : durable_; }
  static bool advance(Passing& passing);

  std::atomic<std::uint64_t> begun_{0};
  std::atomic<bool> given_up_{false};
  Passing written_;
  Passing durable_;
};

}  // namespace minod
