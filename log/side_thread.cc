#include "log/side_thread.h"

#include <sys/eventfd.h>

#include "base/time_slice.h"

namespace minod {

namespace {

constexpr Nanos kLongSlice{100'000'000};  // longer than any other thread's

}  // namespace

SideThread::SideThread(int event_fd, Work work)
    : event_fd_(event_fd), thread_([this, work] {
        if (work == Work::kBackground) set_time_slice(kLongSlice);
        loop();
      }) {}

SideThread::~SideThread() {
  {
    const std::lock_guard lock(given_lock_);
    stopping_ = true;
  }
  given_or_stopping_.notify_one();
  thread_.join();
}

void SideThread::run(std::function<void()> job, std::function<void()> done) {
  ++in_flight_;
  {
    const std::lock_guard lock(given_lock_);
    given_.push_back({std::move(job), std::move(done)});
  }
  given_or_stopping_.notify_one();
}

std::size_t SideThread::take_finished(std::vector<std::function<void()>>& into) {
  if (!any_finished()) return 0;
  const std::lock_guard lock(finished_lock_);
  const std::size_t count = finished_.size();
  for (auto& done : finished_) into.push_back(std::move(done));
  finished_.clear();
  finished_count_.store(0, std::memory_order_relaxed);
  in_flight_ -= count;
  return count;
}

void SideThread::loop() {
  for (;;) {
    Job next;
    {
      std::unique_lock lock(given_lock_);
      given_or_stopping_.wait(lock, [this] { return stopping_ || !given_.empty(); });
      if (given_.empty()) return;
      next = std::move(given_.front());
      given_.pop_front();
    }
    next.job();
    next.job = nullptr;  // what the job owns is released here, before the owner hears of it
    {
      const std::lock_guard lock(finished_lock_);
      finished_.push_back(std::move(next.done));
      finished_count_.fetch_add(1, std::memory_order_release);
    }
    eventfd_write(event_fd_, 1);
  }
}

}  // namespace minod
