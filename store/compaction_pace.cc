#include "store/compaction_pace.h"

#include <algorithm>

namespace minod {

namespace {

constexpr double kSlow = 2.0;        // times the undisturbed commit
constexpr double kCalmWeight = 0.2;  // of the newest sample
constexpr std::int64_t kBurstsPerSecond = 10;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

}  // namespace

void CompactionPace::set_limit(std::uint64_t bytes_per_second) {
  limit_ = bytes_per_second;
  rate_ = limit_;
}

void CompactionPace::see_commits(std::uint64_t groups, double nanos, bool running) {
  const std::uint64_t count = groups >= groups_ ? groups - groups_ : 0;
  const double mean = count == 0 ? 0 : (nanos - nanos_) / static_cast<double>(count);
  groups_ = groups;
  nanos_ = nanos;
  if (limit_ == 0) return;
  if (!running && count > 0) calm_ = calm_ == 0 ? mean : calm_ + kCalmWeight * (mean - calm_);
  const double bound = std::max(kSlow * calm_, static_cast<double>(kCommitCalm.value()));
  const bool slow = running && count > 0 && mean > bound;
  const std::uint64_t floor = std::min(limit_, kFloor);
  rate_ = slow ? std::max(floor, rate_ / 2) : std::min(limit_, rate_ + limit_ / 10);
}

void CompactionPace::refill(MonotonicNanos now) {
  const std::int64_t passed = std::clamp<std::int64_t>((now - refilled_at_).value(), 0, kNanosPerSecond);
  refilled_at_ = now;
  const auto rate = static_cast<std::int64_t>(std::min<std::uint64_t>(rate_, std::uint64_t{1} << 40));
  const std::int64_t added = rate / 1000 * passed / (kNanosPerSecond / 1000);
  tokens_ = std::min(tokens_ + added, rate / kBurstsPerSecond);
}

}  // namespace minod
