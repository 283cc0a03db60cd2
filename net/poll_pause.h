// Whether a thread that polls should sleep instead, because it keeps others from the processors. Where there are as
// many busy threads as processors, the clients and the other nodes of the machine pay for a poll: a leader and its
// replica beside one client on two processors did 16 % more without (28 % with pipelines of 16). It shows in the time
// that this thread itself waits for a processor. A pure decision, fed with what a SchedulerClock says.
#pragma once

#include <cstdint>
#include <optional>

#include "base/scheduler_clock.h"

namespace minod {

class PollPause {
 public:
  static constexpr Nanos kWindow{5'000'000};   // polling is looked at for so long
  static constexpr Nanos kPause{200'000'000};  // then tried again
  // Of the time that it could have run. One node and one client on two processors: 2 to 4 %; with a replica: 18 to 50
  // %.
  static constexpr std::int64_t kWaitedShare = 10;

  // At any turn of a poll; `read` is called once a window or pause.
  template <typename Read>
  bool paused(MonotonicNanos now, const Read& read) {
    if (now < due_) return paused_;
    const std::optional<SchedulerTimes> times = read();
    paused_ = times && began_ && waits(*began_, *times);
    // What is waited for while it sleeps says nothing of polling.
    began_ = paused_ ? std::nullopt : times;
    due_ = now + (paused_ ? kPause : kWindow);
    return paused_;
  }

 private:
  static bool waits(const SchedulerTimes& before, const SchedulerTimes& after) {
    const std::int64_t waited = (after.waited - before.waited).value();
    const std::int64_t run = (after.run - before.run).value();
    return waited * kWaitedShare > run + waited;
  }

  std::optional<SchedulerTimes> began_;
  MonotonicNanos due_;
  bool paused_ = false;
};

}  // namespace minod
