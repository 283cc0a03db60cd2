// What one thread has counted, and later all of them together.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/histogram.h"
#include "base/ids.h"
#include "tools/bench_operation.h"

namespace minod::bench {

// Replies that come after `from` are measured, to requests that were meant to be sent before `until`. What the warm-up
// leaves waiting is measured too: in an overloaded open loop that is everything.
struct Window {
  MonotonicNanos start;
  MonotonicNanos from;
  MonotonicNanos until;
};

// Errors that begin with the same word: ERR, OOM, MOVED ...
struct Failures {
  std::uint64_t count = 0;
  std::string sample;  // the first one's text
};

class Tally {
 public:
  explicit Tally(Window window) : window_(window) {}

  // A reply came at `now` to a request that was meant to be sent at `intended`.
  void answered(Operation operation, MonotonicNanos intended, MonotonicNanos now) {
    half_answered(now);
    if (now < window_.from || intended >= window_.until) return;
    const auto latency = static_cast<std::uint64_t>((now - intended).value());
    latencies_[static_cast<std::size_t>(operation)].record(latency);
    interval_.record(latency);
  }
  void sent(MonotonicNanos intended, MonotonicNanos now) {
    if (now >= window_.from) lateness_.record(static_cast<std::uint64_t>((now - intended).value()));
  }
  // A command that is not an operation of its own: the first half of a read-modify-write.
  void half_answered(MonotonicNanos now) {
    replies_ += now >= window_.from;
    last_reply_ = now;
  }
  void read(std::uint64_t keys, std::uint64_t misses, MonotonicNanos now) {
    if (now < window_.from) return;
    reads_ += keys;
    misses_ += misses;
  }

  // Errors count during the warm-up too: a run with one is not a good run.
  void failed(std::string_view kind, std::string_view text, std::uint64_t count = 1);
  void failed_verification(std::string_view kind, std::uint64_t key);

  void merge(const Tally& other);

  const Histogram& latency(Operation operation) const { return latencies_[static_cast<std::size_t>(operation)]; }
  Histogram latency_of_all() const;
  const Histogram& lateness() const { return lateness_; }
  std::uint64_t replies() const { return replies_; }  // that came after the warm-up
  std::uint64_t errors() const { return errors_; }    // failed verifications included
  std::uint64_t wrong_reads() const { return wrong_reads_; }
  std::uint64_t keys_read() const { return reads_; }
  std::uint64_t misses() const { return misses_; }
  MonotonicNanos last_reply() const { return last_reply_; }
  const std::map<std::string, Failures, std::less<>>& failures() const { return failures_; }

  // Since the last new_interval().
  const Histogram& interval() const { return interval_; }
  std::uint64_t interval_errors() const { return interval_errors_; }
  void new_interval() {
    interval_.reset();
    interval_errors_ = 0;
  }

 private:
  void add_failures(std::string_view kind, std::string_view text, std::uint64_t count);

  Window window_;
  std::array<Histogram, kOperationCount> latencies_;
  Histogram lateness_;
  Histogram interval_;
  std::uint64_t interval_errors_ = 0;
  std::uint64_t replies_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t wrong_reads_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t misses_ = 0;
  MonotonicNanos last_reply_;
  std::map<std::string, Failures, std::less<>> failures_;
};

}  // namespace minod::bench
