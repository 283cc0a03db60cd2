#include "base/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace minod {

namespace {

template <class... Numbers>
void append_line(std::string& text, const char* format, Numbers... numbers) {
  char line[128];
  std::snprintf(line, sizeof line, format, numbers...);
  text += line;
}

// HdrHistogram's steps: five to each halving of what is left up to 1.
double next_quantile(double quantile) {
  const double halvings = std::floor(std::log2(1.0 / (1.0 - quantile))) + 1;
  return quantile + 1.0 / (5 * std::exp2(halvings));
}

}  // namespace

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBucketCount; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::middle_of(std::size_t bucket) {
  if (bucket < 2 * kLinear) return bucket;
  const std::size_t shift = bucket / kLinear - 1;
  const std::uint64_t first = static_cast<std::uint64_t>(bucket - shift * kLinear) << shift;
  return first + (std::uint64_t{1} << (shift - 1));
}

std::uint64_t Histogram::value_at(double quantile) const {
  if (count_ == 0) return 0;
  const double share = std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_);
  const std::uint64_t rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(share)), 1, count_);
  if (rank == count_) return max_;

  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += buckets_[bucket]) < rank) ++bucket;
  return std::clamp(middle_of(bucket), min_, max_);
}

double Histogram::standard_deviation() const {
  if (count_ == 0) return 0;
  double squares = 0;
  for (std::size_t i = 0; i < kBucketCount; ++i) {
    const double distance = static_cast<double>(middle_of(i)) - mean();
    squares += distance * distance * static_cast<double>(buckets_[i]);
  }
  return std::sqrt(squares / static_cast<double>(count_));
}

std::string Histogram::hgrm(double unit) const {
  std::string text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
  const double total = static_cast<double>(count_);
  double wanted = 0;
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBucketCount && seen < count_; ++bucket) {
    if (buckets_[bucket] == 0) continue;
    seen += buckets_[bucket];
    const double value = static_cast<double>(std::clamp(middle_of(bucket), min_, max_)) / unit;
    const double reached = static_cast<double>(seen) / total;
    while (seen < count_ && wanted <= reached) {
      append_line(text, "%12.3f %2.12f %10llu %14.2f\n", value, wanted, static_cast<unsigned long long>(seen),
                  1.0 / (1.0 - wanted));
      wanted = next_quantile(wanted);
    }
  }
  append_line(text, "%12.3f %2.12f %10llu\n", static_cast<double>(max_) / unit, 1.0,
              static_cast<unsigned long long>(count_));
  append_line(text, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean() / unit, standard_deviation() / unit);
  append_line(text, "#[Max     = %12.3f, Total count    = %12llu]\n", static_cast<double>(max_) / unit,
              static_cast<unsigned long long>(count_));
  append_line(text, "#[Buckets = %12zu, SubBuckets     = %12zu]\n", kBucketCount / kLinear, kLinear);
  return text;
}

}  // namespace minod
