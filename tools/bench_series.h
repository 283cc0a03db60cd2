// The run second by second, for the progress line and the JSON report.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/histogram.h"

namespace minod::bench {

struct SeriesPoint {
  std::uint64_t second = 0;  // of the measured time, from 0
  std::uint64_t count = 0;   // of the measured requests answered in it
  std::uint64_t errors = 0;
  std::uint64_t p50 = 0;  // nanoseconds
  std::uint64_t p99 = 0;
  std::uint64_t max = 0;
};

// Threads add what they counted in a second; any of them, at any time. Histograms are kept for the last few seconds
// only, numbers for all.
class Series {
 public:
  void add(std::uint64_t second, const Histogram& latencies, std::uint64_t errors);
  void finish();  // no add() comes after this

  std::optional<SeriesPoint> latest() const;                          // that is complete
  const std::vector<SeriesPoint>& points() const { return points_; }  // after finish()

 private:
  struct Open {
    Histogram latencies;
    std::uint64_t errors = 0;
  };
  void close_before(std::uint64_t second);

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Open> open_;
  std::vector<SeriesPoint> points_;
};

}  // namespace minod::bench
