// Who waits for which log to get how far. Belongs to one shard.
#pragma once

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "log/log.h"
#include "store/request.h"

namespace minod {

class CommitGate {
 public:
  // Embedded in what waits; waits for one dependency at a time. One of the two is called, once: wake() from released(),
  // lost() from give_up().
  struct Waiter {
    void (*wake)(Waiter&) = nullptr;
    void (*lost)(Waiter&) = nullptr;
    bool waiting = false;
  };

  void wait(Waiter& waiter, const Dependency& dependency) {
    waiter.waiting = true;
    auto& heap = waiting_[dependency.log];
    heap.push_back(Entry{dependency.end, &waiter});
    std::ranges::push_heap(heap, later);
  }

  void released(Log& log) {
    const auto found = waiting_.find(&log);
    if (found == waiting_.end()) return;
    std::vector<Waiter*> awake;
    auto& heap = found->second;
    while (!heap.empty() && heap.front().end <= log.released()) {
      awake.push_back(heap.front().waiter);
      std::ranges::pop_heap(heap, later);
      heap.pop_back();
    }
    // A waiter that is woken may wait again, or be gone with another that is woken: each is looked at when its turn
    // comes.
    for (Waiter* waiter : awake) waiter->waiting = false;
    for (Waiter* waiter : awake) waiter->wake(*waiter);
  }

  // What is waited for may never come to be: a log that was led is led no longer.
  void give_up() {
    std::vector<Waiter*> all;
    for (auto& [log, heap] : waiting_) {
      for (const Entry& entry : heap) all.push_back(entry.waiter);
    }
    waiting_.clear();
    for (Waiter* waiter : all) waiter->waiting = false;
    for (Waiter* waiter : all) waiter->lost(*waiter);
  }

  // The waiter goes away.
  void forget(Waiter& waiter) {
    if (!waiter.waiting) return;
    waiter.waiting = false;
    for (auto& [log, heap] : waiting_) {
      if (std::erase_if(heap, [&](const Entry& entry) { return entry.waiter == &waiter; }) != 0) {
        std::ranges::make_heap(heap, later);
      }
    }
  }

 private:
  struct Entry {
    Offset end;
    Waiter* waiter;
  };
  static bool later(const Entry& a, const Entry& b) { return a.end > b.end; }

  std::unordered_map<Log*, std::vector<Entry>> waiting_;
};

}  // namespace minod
