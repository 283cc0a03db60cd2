#include "tools/bench_series.h"

#include <limits>

namespace minod::bench {

namespace {

// Threads report within a tenth of a second after a second's end, unless the machine has stalled them.
constexpr std::uint64_t kOpenSeconds = 3;

}  // namespace

void Series::add(std::uint64_t second, const Histogram& latencies, std::uint64_t errors) {
  const std::lock_guard lock(mutex_);
  if (!points_.empty() && second <= points_.back().second) second = points_.back().second + 1;
  Open& open = open_[second];
  open.latencies.merge(latencies);
  open.errors += errors;
  if (second >= kOpenSeconds) close_before(second - kOpenSeconds + 1);
}

void Series::finish() {
  const std::lock_guard lock(mutex_);
  close_before(std::numeric_limits<std::uint64_t>::max());
}

void Series::close_before(std::uint64_t second) {
  while (!open_.empty() && open_.begin()->first < second) {
    const auto& [number, open] = *open_.begin();
    points_.push_back({number, open.latencies.count(), open.errors, open.latencies.value_at(0.5),
                       open.latencies.value_at(0.99), open.latencies.max()});
    open_.erase(open_.begin());
  }
}

std::optional<SeriesPoint> Series::latest() const {
  const std::lock_guard lock(mutex_);
  if (points_.empty()) return std::nullopt;
  return points_.back();
}

}  // namespace minod::bench
