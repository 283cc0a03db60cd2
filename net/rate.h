// How fast a counter grows: the mean over the last sixteen samples, which is what Redis calls instantaneous.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/ids.h"

namespace minod {

class Rate {
 public:
  // Called at steady intervals with the counter as it is now.
  void sample(MonotonicNanos now, std::uint64_t count) {
    samples_[taken_ % kSamples] = {now, count};
    ++taken_;
  }

  std::uint64_t per_second() const {
    if (taken_ < 2) return 0;
    const Sample& newest = samples_[(taken_ - 1) % kSamples];
    const Sample& oldest = samples_[taken_ < kSamples ? 0 : taken_ % kSamples];
    const auto nanos = static_cast<double>((newest.at - oldest.at).value());
    if (nanos <= 0) return 0;
    return static_cast<std::uint64_t>(static_cast<double>(newest.count - oldest.count) * 1e9 / nanos);
  }

 private:
  struct Sample {
    MonotonicNanos at;
    std::uint64_t count = 0;
  };
  static constexpr std::size_t kSamples = 16;

  std::array<Sample, kSamples> samples_{};
  std::size_t taken_ = 0;
};

}  // namespace minod
