// How often each value occurred, to within 1/64 of the value: log-linear buckets as in HdrHistogram, over all of 64
// bits. Values have no unit; minod records nanoseconds.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace minod {

// Never allocates; one thread at a time. A value below 64 is kept exactly, a greater one by the middle of its bucket,
// which is at most 1/64 of the value away. Minimum and maximum are exact.
class Histogram {
 public:
  void record(std::uint64_t value) {
    ++buckets_[bucket_of(value)];
    ++count_;
    sum_ += static_cast<double>(value);
    if (value < min_) min_ = value;
    if (value > max_) max_ = value;
  }

  void merge(const Histogram& other);
  void reset() { *this = Histogram(); }

  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }

  // Of a histogram with nothing in it, these are 0.
  double mean() const { return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_); }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }

  // The smallest value that at least this share of all values does not exceed. `quantile` 0.99 is the 99th percentile;
  // what is outside [0, 1] counts as 0 or 1.
  std::uint64_t value_at(double quantile) const;

  // The percentile table that HdrHistogram's tools write and plot (.hgrm). Values are divided by `unit`: 1000 turns
  // nanoseconds into microseconds.
  std::string hgrm(double unit = 1) const;

 private:
  static constexpr unsigned kLinearBits = 5;  // 32 buckets for each power of two: half a bucket is 1/64
  static constexpr std::size_t kLinear = std::size_t{1} << kLinearBits;
  static constexpr std::size_t kBucketCount = (64 - kLinearBits + 1) * kLinear;

  static std::size_t bucket_of(std::uint64_t value) {
    const auto shift = static_cast<unsigned>(std::bit_width(value | (2 * kLinear - 1))) - (kLinearBits + 1);
    return shift * kLinear + (value >> shift);
  }
  static std::uint64_t middle_of(std::size_t bucket);
  double standard_deviation() const;

  std::array<std::uint64_t, kBucketCount> buckets_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;
  std::uint64_t min_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max_ = 0;
};

static_assert(sizeof(Histogram) <= 16 * 1024, "every shard keeps one for each command");

}  // namespace minod
