// A connection's replies in order, and what each waits for: bytes leave only when everything that they tell is
// committed. A reply that waits holds back all behind it.
#pragma once

#include <cstdint>
#include <deque>

#include "base/byte_queue.h"
#include "log/log.h"
#include "store/request.h"

namespace minod {

class ReplyQueue {
 public:
  ByteQueue& bytes() { return bytes_; }
  const ByteQueue& bytes() const { return bytes_; }

  // Everything from byte `begin` of the queue on waits for these dependencies too.
  void hold(std::size_t begin, const boost::container::small_vector<Dependency, 2>& dependencies) {
    for (const Dependency& dependency : dependencies) {
      if (dependency.end <= dependency.log->released()) continue;
      if (!marks_.empty() && same_wait(marks_.back(), dependency)) {
        marks_.back().dependency.end = std::max(marks_.back().dependency.end, dependency.end);
      } else {
        marks_.push_back(Mark{consumed_ + begin, dependency});
      }
    }
  }

  // Bytes at the front that may leave now.
  std::size_t released() {
    while (!marks_.empty() && marks_.front().dependency.end <= marks_.front().dependency.log->released()) {
      marks_.pop_front();
    }
    return marks_.empty() ? bytes_.size() : static_cast<std::size_t>(marks_.front().begin - consumed_);
  }

  // After released(): what the next bytes wait for; nullptr when nothing waits.
  const Dependency* waits_for() const { return marks_.empty() ? nullptr : &marks_.front().dependency; }

  void sent(std::size_t size) {
    bytes_.consume(size);
    consumed_ += size;
  }

  bool empty() const { return bytes_.empty(); }

 private:
  struct Mark {
    std::uint64_t begin;  // in the stream of all bytes that ever stood in the queue
    Dependency dependency;
  };

  // Two replies that wait for the same group leave together; one mark serves both.
  static bool same_wait(const Mark& mark, const Dependency& dependency) {
    return mark.dependency.log == dependency.log &&
           (dependency.end <= mark.dependency.end || mark.dependency.end > dependency.log->dispatched());
  }

  ByteQueue bytes_;
  std::uint64_t consumed_ = 0;
  std::deque<Mark> marks_;
};

}  // namespace minod
