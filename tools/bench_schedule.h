// How minod-bench measures.
//
// Open loop (--rate). Requests have times at which they are to be sent, laid out before the run by this schedule from
// one clock: evenly, or as a Poisson process. A latency is the time from there to the reply. When the server stalls, or
// this process does, the requests that were due meanwhile are sent late, not left out, and their waiting is in their
// latency: this is what a user who came at that time would have seen. A generator that waits for the reply before it
// plans the next request leaves exactly those out ("coordinated omission"). What is due and unsent is the backlog; a
// run that ends with one was asked for more than the server gives, its latencies grow with its duration, and the report
// says so.
//
// Closed loop (no --rate). Each connection keeps --pipeline requests under way and sends the next when one is answered.
// It finds the greatest throughput. Its latency is service time under exactly that load, and the report says so.
//
// Both. A request counts when its reply comes after the warm-up and it was to be sent before the end of the run. Each
// thread has its own histograms (within 1/64, see base/histogram.h), merged at the end. Replies are timed once for each
// read from a socket: all that came in one read came at that time. The report shows what each thread used of its CPU
// and how late it sent: a generator that is the bottleneck measures itself. Throughput cannot tell two servers apart
// that both outrun the generator; the server's CPU seconds per million requests, from INFO, can.
#pragma once

#include <cstdint>

#include "base/ids.h"
#include "base/random.h"
#include "tools/bench_keys.h"

namespace minod::bench {

// The intended send times of one thread. Knows no clock and never jumps: slots are taken one by one, in order.
class Schedule {
 public:
  // `rate` is of all threads together, a second; `share` is this thread's part of it. Even slots of different threads
  // interleave.
  Schedule(double rate, bool poisson, MonotonicNanos start, Stripe share, std::uint64_t seed);

  MonotonicNanos next() const { return next_; }
  void take();

  // Slots that are due at `now` and not taken; with Poisson arrivals, as many as the rate makes likely.
  std::uint64_t backlog(MonotonicNanos now) const;

 private:
  double interval_ns_;  // of this thread
  bool poisson_;
  MonotonicNanos start_;
  double offset_ns_;  // of the first slot, or in a Poisson schedule of the next, from the start
  std::uint64_t taken_ = 0;
  MonotonicNanos next_;
  Random random_;
};

}  // namespace minod::bench
