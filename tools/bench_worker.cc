#include "tools/bench_worker.h"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace minod::bench {

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr Nanos kWaitMax{100'000'000};      // how late a stop request or a second's end may be noticed
constexpr Nanos kDrainMax{5 * kSecond};     // for replies to what is under way at the end
constexpr Nanos kStoppedDrainMax{kSecond};  // the same, after Ctrl-C

std::int64_t thread_cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * kSecond + used.tv_nsec;
}

Result<void> ask_epoll(int epoll, int operation, int fd, std::uint32_t events, std::size_t index) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = static_cast<std::uint32_t>(index);
  if (::epoll_ctl(epoll, operation, fd, &event) != 0) return errno_error("epoll_ctl", errno);
  return {};
}

}  // namespace

Worker::Worker(const Surroundings& surroundings, std::vector<Connection> connections, std::optional<Schedule> schedule,
               Window window)
    : around_(surroundings),
      connections_(std::move(connections)),
      schedule_(std::move(schedule)),
      window_(window),
      tally_(window),
      scratch_(kReadBytes) {}

Result<void> Worker::prepare() {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return errno_error("epoll_create1", errno);
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    auto added = ask_epoll(epoll_.get(), EPOLL_CTL_ADD, connections_[i].fd(), EPOLLIN, i);
    if (!added) return added.error();
  }
  return {};
}

void Worker::run() {
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // the kernel's default makes each wake-up 50 us late
  MonotonicNanos now = around_.clock.monotonic();
  while (now < window_.start) {
    wait(window_.start, false);
    now = around_.clock.monotonic();
  }
  if (!schedule_) {
    for (Connection& connection : connections_) {
      fill(connection, around_.clock.monotonic());
      flush(connection);
    }
  }
  for (now = around_.clock.monotonic(); may_issue(now); now = around_.clock.monotonic()) {
    report_second(now);
    if (schedule_) issue_due(now);
    wait(wake_time(now), true);
  }
  if (schedule_) issue_due(now);
  end_issuing();
  drain();
  around_.series.add(second_, tally_.interval(), tally_.interval_errors());
}

bool Worker::may_issue(MonotonicNanos now) const {
  if (now >= window_.until || around_.stop.load(std::memory_order_relaxed)) return false;
  return std::any_of(connections_.begin(), connections_.end(), [](const Connection& c) { return !c.exhausted(); });
}

void Worker::issue_due(MonotonicNanos now) {
  unflushed_.clear();
  while (schedule_->next() <= now && schedule_->next() < window_.until) {
    Connection* connection = next_with_room();
    if (connection == nullptr) break;  // the slot stays due; it is sent late and timed from when it was meant
    if (!connection->has_unsent()) unflushed_.push_back(static_cast<std::uint32_t>(connection - connections_.data()));
    connection->request(schedule_->next());
    tally_.sent(schedule_->next(), now);
    schedule_->take();
  }
  for (const std::uint32_t index : unflushed_) flush(connections_[index]);
  backlog_max_ = std::max(backlog_max_, schedule_->backlog(now));
}

Connection* Worker::next_with_room() {
  for (std::size_t tried = 0; tried < connections_.size(); ++tried) {
    cursor_ = cursor_ + 1 < connections_.size() ? cursor_ + 1 : 0;
    if (connections_[cursor_].has_room()) return &connections_[cursor_];
  }
  return nullptr;
}

void Worker::fill(Connection& connection, MonotonicNanos now) {
  while (connection.has_room()) connection.request(now);
}

void Worker::flush(Connection& connection) {
  if (!connection.is_open()) return;
  auto flushed = connection.flush();
  if (!flushed) return lose(connection, flushed.error());
  if (connection.has_unsent() == connection.polled_for_write) return;
  connection.polled_for_write = connection.has_unsent();
  const std::uint32_t events = connection.has_unsent() ? EPOLLIN | EPOLLOUT : EPOLLIN;
  const auto index = static_cast<std::size_t>(&connection - connections_.data());
  auto asked = ask_epoll(epoll_.get(), EPOLL_CTL_MOD, connection.fd(), events, index);
  if (!asked) lose(connection, asked.error());
}

void Worker::lose(Connection& connection, const Error& error) {
  tally_.failed("connection", error.message());
  connection.drop(error.message(), tally_);
  ++connections_lost_;
}

MonotonicNanos Worker::wake_time(MonotonicNanos now) const {
  MonotonicNanos wake = std::min(now + kWaitMax, window_.until);
  if (!schedule_) return wake;
  // A slot that is due already waits for room, and room comes with a reply.
  return schedule_->next() > now ? std::min(wake, schedule_->next()) : wake;
}

void Worker::wait(MonotonicNanos deadline, bool refill) {
  std::array<epoll_event, 256> events;
  const std::int64_t left = std::max<std::int64_t>((deadline - around_.clock.monotonic()).value(), 0);
  const timespec timeout{left / kSecond, left % kSecond};
  int count = ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  if (count < 0 && errno == ENOSYS) {  // before Linux 5.11: rounded down, the last millisecond is spent polling
    count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(left / 1'000'000));
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    serve(connections_[event.data.u32], event.events, refill);
  }
}

void Worker::serve(Connection& connection, std::uint32_t events, bool refill) {
  if (!connection.is_open()) return;
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
    auto received = connection.receive(around_.clock, scratch_.span(), tally_);
    if (!received) return lose(connection, received.error());
  }
  const bool amid_pipeline = around_.lockstep && connection.under_way() != 0;
  if (refill && !schedule_ && !amid_pipeline) {
    const MonotonicNanos now = around_.clock.monotonic();
    if (now < window_.until) fill(connection, now);
  }
  flush(connection);
}

void Worker::report_second(MonotonicNanos now) {
  if (now < window_.from) return;
  if (!measuring_since_) {
    measuring_since_ = now;
    cpu_before_ns_ = thread_cpu_ns();
  }
  const auto second = static_cast<std::uint64_t>((now - window_.from).value() / kSecond);
  if (second == second_) return;
  around_.series.add(second_, tally_.interval(), tally_.interval_errors());
  tally_.new_interval();
  second_ = second;
}

void Worker::end_issuing() {
  issuing_ended_ = around_.clock.monotonic();
  if (measuring_since_ && issuing_ended_ > *measuring_since_) {
    const auto elapsed = static_cast<double>((issuing_ended_ - *measuring_since_).value());
    cpu_share_ = static_cast<double>(thread_cpu_ns() - cpu_before_ns_) / elapsed;
  }
  const bool had_more =
      std::any_of(connections_.begin(), connections_.end(), [](const Connection& c) { return !c.exhausted(); });
  if (schedule_ && had_more) {
    backlog_at_end_ = schedule_->backlog(std::min(issuing_ended_, window_.until - Nanos(1)));
  }
}

void Worker::drain() {
  const bool stopped = around_.stop.load(std::memory_order_relaxed);
  const MonotonicNanos deadline = issuing_ended_ + (stopped ? kStoppedDrainMax : kDrainMax);
  const auto waiting = [](const Connection& connection) { return connection.under_way() != 0; };
  while (std::any_of(connections_.begin(), connections_.end(), waiting)) {
    const MonotonicNanos now = around_.clock.monotonic();
    if (now >= deadline) break;
    wait(std::min(deadline, now + kWaitMax), false);
  }
  for (Connection& connection : connections_) {
    if (waiting(connection)) connection.drop("no reply before the end of the run", tally_);
  }
}

}  // namespace minod::bench
