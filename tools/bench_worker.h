// One generator thread: its connections, its schedule, its epoll loop.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "tools/bench_connection.h"
#include "tools/bench_schedule.h"
#include "tools/bench_series.h"
#include "tools/bench_tally.h"

namespace minod::bench {

// run() is the thread; everything else belongs to whoever made the worker, before the thread starts and after it ended.
class Worker {
 public:
  struct Surroundings {
    const Clock& clock;
    Series& series;
    const std::atomic<bool>& stop;  // ends the run early
    bool lockstep = false;          // of a closed loop: see Options
  };

  // Without a schedule the loop is closed.
  Worker(const Surroundings& surroundings, std::vector<Connection> connections, std::optional<Schedule> schedule,
         Window window);

  Result<void> prepare();
  void run();

  const Tally& tally() const { return tally_; }
  MonotonicNanos measured_from() const { return window_.from; }
  double cpu_share() const { return cpu_share_; }  // of the measured time, 0 to 1
  std::uint64_t backlog_max() const { return backlog_max_; }
  std::uint64_t backlog_at_end() const { return backlog_at_end_; }
  std::uint64_t connections_lost() const { return connections_lost_; }
  MonotonicNanos issuing_ended() const { return issuing_ended_; }

 private:
  bool may_issue(MonotonicNanos now) const;
  void issue_due(MonotonicNanos now);
  void fill(Connection& connection, MonotonicNanos now);
  void flush(Connection& connection);
  void lose(Connection& connection, const Error& error);
  Connection* next_with_room();
  void wait(MonotonicNanos deadline, bool refill);
  void serve(Connection& connection, std::uint32_t events, bool refill);
  MonotonicNanos wake_time(MonotonicNanos now) const;
  void report_second(MonotonicNanos now);
  void drain();
  void end_issuing();

  Surroundings around_;
  std::vector<Connection> connections_;
  std::optional<Schedule> schedule_;
  Window window_;
  Tally tally_;
  Fd epoll_;
  AlignedBuffer scratch_;
  std::vector<std::uint32_t> unflushed_;  // connections that issue_due() wrote to
  std::size_t cursor_ = 0;
  std::uint64_t second_ = 0;  // that tally_'s interval is of
  std::optional<MonotonicNanos> measuring_since_;
  std::int64_t cpu_before_ns_ = 0;
  double cpu_share_ = 0;
  std::uint64_t backlog_max_ = 0;
  std::uint64_t backlog_at_end_ = 0;
  std::uint64_t connections_lost_ = 0;
  MonotonicNanos issuing_ended_;
};

}  // namespace minod::bench
