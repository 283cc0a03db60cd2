// How fast one log takes records, without a network: group commits one after the other, and large groups as fast as the
// disk takes them. bench/storage.sh runs it beside fio.
//   log_bench commit|blocks|append|sustain DIRECTORY SECONDS
// commit: one small record a group, whose last block the next group writes again; blocks: one record that fills a block
// of 4 KiB; append: 16 KiB values, as many a group as gather while one is on its way, as far as space is ready;
// sustain: the same, for so long that space is made ready meanwhile. Prints one line of name=value.
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "base/time_slice.h"
#include "log/aio_disk.h"
#include "log/log.h"

namespace minod {
namespace {

constexpr std::size_t kSmallValue = 100;
constexpr std::int64_t kPollNs = 200'000;
constexpr std::size_t kLargeValue = std::size_t{16} << 10;
constexpr std::size_t kPendingMax = std::size_t{4} << 20;

constexpr std::size_t kReadyBytes = std::size_t{200} << 20;  // in the first segment, and about that in the two next

// With the key "k" a batch of 4 KiB.
std::size_t block_value() {
  const std::string some(4000, 'v');
  const NewRecord record{.key = "k", .value = some, .durable_upto = kFirstOffset};
  return 4096 - kBatchHeaderSize - (record_size(record, 0, 0) - some.size());
}

class Bench {
 public:
  Bench(std::string directory, double seconds) : directory_(std::move(directory)), seconds_(seconds) {
    const auto direct = AioDisk::supports_direct(directory_);
    if (!direct) stop(direct.error());
    auto disk = AioDisk::open({.direct = *direct});
    if (!disk) stop(disk.error());
    disk_ = std::move(*disk);
    LogOptions options;
    options.directory = directory_;
    options.space.ready = 2;
    LogEvents events;
    events.placed = [](const BatchHeader&, Offset, FilePosition) {};
    events.released = [] {};
    events.sealed = [](Offset) {};
    events.room = [] {};
    events.failed = [](const Error& error) { stop(error); };
    auto log = Log::open(*disk_, clock_, options, {}, events);
    if (!log) stop(log.error());
    log_ = std::move(*log);
  }
  ~Bench() { settle(); }

  void commit(std::size_t value_size) {
    warm_up();
    const std::string value(value_size, 'v');
    Histogram latency;
    const MonotonicNanos begin = clock_.monotonic();
    std::uint64_t commits = 0;
    while (elapsed(begin) < seconds_) {
      const MonotonicNanos before = clock_.monotonic();
      append(value);
      log_->dispatch();
      while (log_->released() != log_->marks().appended()) wait();
      latency.record(static_cast<std::uint64_t>((clock_.monotonic() - before).value()));
      log_->drop_tail();
      ++commits;
    }
    const double seconds = elapsed(begin);
    std::printf("per_second=%.0f p50_us=%.1f p99_us=%.1f p999_us=%.1f ", static_cast<double>(commits) / seconds,
                micros(latency, 0.5), micros(latency, 0.99), micros(latency, 0.999));
    print_groups();
  }

  void append_large(std::uint64_t bytes_max) {
    warm_up();
    const std::string value(kLargeValue, 'v');
    const std::uint64_t before = log_->counters().bytes;
    const MonotonicNanos begin = clock_.monotonic();
    while (elapsed(begin) < seconds_ && log_->counters().bytes - before < bytes_max) {
      while (log_->pending_bytes() < kPendingMax) {
        append(value);
        // Half of it gathers while the other half is written.
        if (log_->pending_bytes() >= kPendingMax / 2) log_->dispatch();
      }
      log_->drop_tail();
      wait();
    }
    while (log_->pending_bytes() != 0) {
      log_->dispatch();
      wait();
    }
    const double seconds = elapsed(begin);
    std::printf("mib_per_second=%.0f ",
                static_cast<double>(log_->counters().bytes - before) / seconds / (std::size_t{1} << 20));
    print_groups();
  }

 private:
  // The first segments of a log are small and follow each other quickly: one as large as all that is measured goes
  // before, so that the roll between them and its preparation are outside.
  void warm_up() {
    while (log_->make_room(kReadyBytes, false) == Log::Room::kWait) wait();
    log_->start();
    settle();
  }
  void append(std::string_view value) {
    for (;;) {
      const Log::Room room = log_->make_room(Log::record_bytes(1 + value.size()), false);
      if (room == Log::Room::kYes) break;
      if (room == Log::Room::kFull) stop(log_->space_error());
      ++waits_for_room_;
      wait();
    }
    log_->append(NewRecord{.key = "k", .value = value}, clock_.now());
  }
  // As a shard does: looks again for a while before it sleeps.
  void wait() {
    const MonotonicNanos begin = clock_.monotonic();
    do {
      if (disk_->poll() != 0) return;
    } while ((clock_.monotonic() - begin).value() < kPollNs);
    pollfd wait{disk_->event_fd(), POLLIN, 0};
    check(::poll(&wait, 1, 10'000) == 1, "the disk answers within ten seconds");
    disk_->poll();
  }
  void settle() {
    log_->dispatch();
    while (!log_->idle() || disk_->in_flight() != 0) {
      wait();
      log_->dispatch();
    }
  }
  void print_groups() {
    const Histogram& groups = log_->counters().group_bytes;
    const AioCounters& aio = disk_->counters();
    std::printf("group_p50_bytes=%llu submit_mean_us=%.1f submits_blocked=%llu waits_for_room=%llu\n",
                static_cast<unsigned long long>(groups.value_at(0.5)),
                static_cast<double>(aio.submit_ns) / 1000 / static_cast<double>(aio.submits),
                static_cast<unsigned long long>(aio.slow_submits), static_cast<unsigned long long>(waits_for_room_));
  }
  double elapsed(MonotonicNanos begin) const { return static_cast<double>((clock_.monotonic() - begin).value()) / 1e9; }
  static double micros(const Histogram& histogram, double quantile) {
    return static_cast<double>(histogram.value_at(quantile)) / 1000;
  }
  [[noreturn]] static void stop(const Error& error) {
    std::fprintf(stderr, "log_bench: %s\n", error.message().c_str());
    std::exit(1);
  }

  std::string directory_;
  double seconds_;
  SystemClock clock_;
  std::unique_ptr<AioDisk> disk_;
  std::unique_ptr<Log> log_;
  std::uint64_t waits_for_room_ = 0;
};

}  // namespace
}  // namespace minod

int main(int argc, char** argv) {
  // As a shard's thread does, which polls too: or what completes a durable write waits until it sleeps.
  minod::set_time_slice(minod::Nanos(10'000'000));
  const std::string_view what = argc == 4 ? argv[1] : "";
  if (what != "commit" && what != "blocks" && what != "append" && what != "sustain") {
    std::fprintf(stderr, "usage: log_bench commit|blocks|append|sustain DIRECTORY SECONDS\n");
    return 2;
  }
  minod::Bench bench(argv[2], std::atof(argv[3]));
  if (what == "commit") bench.commit(minod::kSmallValue);
  if (what == "blocks") bench.commit(minod::block_value());
  if (what == "append") bench.append_large(2 * minod::kReadyBytes);
  if (what == "sustain") bench.append_large(std::uint64_t{1} << 40);
  return 0;
}
