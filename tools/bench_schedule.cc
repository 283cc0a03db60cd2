#include "tools/bench_schedule.h"

#include <cmath>

namespace minod::bench {

namespace {

Nanos nanos(double value) { return Nanos(static_cast<std::int64_t>(value)); }

double exponential(Random& random) { return -std::log1p(-random.fraction()); }

}  // namespace

Schedule::Schedule(double rate, bool poisson, MonotonicNanos start, Stripe share, std::uint64_t seed)
    : interval_ns_(1e9 * static_cast<double>(share.count) / rate),
      poisson_(poisson),
      start_(start),
      offset_ns_(interval_ns_ * static_cast<double>(share.index) / static_cast<double>(share.count)),
      random_(seed) {
  if (poisson_) offset_ns_ = exponential(random_) * interval_ns_;
  next_ = start_ + nanos(offset_ns_);
}

void Schedule::take() {
  ++taken_;
  if (poisson_) {
    offset_ns_ += exponential(random_) * interval_ns_;
    next_ = start_ + nanos(offset_ns_);
  } else {
    // From the number of the slot, not from the slot before: errors of rounding don't add up.
    next_ = start_ + nanos(offset_ns_ + static_cast<double>(taken_) * interval_ns_);
  }
}

std::uint64_t Schedule::backlog(MonotonicNanos now) const {
  if (now < next_) return 0;
  return 1 + static_cast<std::uint64_t>(static_cast<double>((now - next_).value()) / interval_ns_);
}

}  // namespace minod::bench
