// One thread that runs jobs in the order they were given, for calls that block. The owner's thread gives jobs and takes
// back what is finished; the two meet only in the two locked queues here.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace minod {

class SideThread {
 public:
  enum class Work : std::uint8_t { kUrgent, kBackground };

  // Adds 1 to the eventfd for each finished job, after the job can be taken. Background: the owner's thread, which
  // would else wait for a time slice when both are on one processor, may interrupt it.
  explicit SideThread(int event_fd, Work work = Work::kUrgent);
  ~SideThread();  // runs what it was given to the end; what was not taken is dropped

  void run(std::function<void()> job, std::function<void()> done);

  bool any_finished() const { return finished_count_.load(std::memory_order_acquire) != 0; }

  // Appends the `done` of each finished job; the caller calls them. Returns how many.
  std::size_t take_finished(std::vector<std::function<void()>>& into);

  std::size_t in_flight() const { return in_flight_; }

 private:
  struct Job {
    std::function<void()> job;
    std::function<void()> done;
  };

  void loop();

  const int event_fd_;
  std::size_t in_flight_ = 0;  // the owner's: given, not taken back
  std::atomic<std::size_t> finished_count_{0};

  std::mutex given_lock_;
  std::condition_variable given_or_stopping_;
  std::deque<Job> given_;
  bool stopping_ = false;

  std::mutex finished_lock_;
  std::vector<std::function<void()>> finished_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace minod
