#include "tools/bench_tally.h"

#include <algorithm>

namespace minod::bench {

namespace {

// A server that puts numbers into the first words of its errors must not fill the memory here.
constexpr std::size_t kFailureKindsMax = 32;

}  // namespace

void Tally::add_failures(std::string_view kind, std::string_view text, std::uint64_t count) {
  auto found = failures_.find(kind);
  if (found == failures_.end()) {
    const bool full = failures_.size() >= kFailureKindsMax;
    found = failures_.try_emplace(std::string(full ? "other" : kind), Failures{0, std::string(text)}).first;
  }
  found->second.count += count;
}

void Tally::failed(std::string_view kind, std::string_view text, std::uint64_t count) {
  errors_ += count;
  interval_errors_ += count;
  add_failures(kind, text, count);
}

void Tally::failed_verification(std::string_view kind, std::uint64_t key) {
  ++wrong_reads_;
  failed("verify:" + std::string(kind), "key " + std::to_string(key));
}

void Tally::merge(const Tally& other) {
  for (std::size_t i = 0; i < kOperationCount; ++i) latencies_[i].merge(other.latencies_[i]);
  lateness_.merge(other.lateness_);
  replies_ += other.replies_;
  errors_ += other.errors_;
  wrong_reads_ += other.wrong_reads_;
  reads_ += other.reads_;
  misses_ += other.misses_;
  last_reply_ = std::max(last_reply_, other.last_reply_);
  for (const auto& [kind, failures] : other.failures_) add_failures(kind, failures.sample, failures.count);
}

Histogram Tally::latency_of_all() const {
  Histogram all;
  for (const Histogram& latency : latencies_) all.merge(latency);
  return all;
}

}  // namespace minod::bench
