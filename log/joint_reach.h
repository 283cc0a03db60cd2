// How far each of a node's logs has what a follower was sent of transactions that were written to several logs: a part
// of one is safe here only when all its parts are. Each log says how far it is durable, but no further than the end of
// the first such transaction that it waits for: what stands behind may depend on others. The leader wrote them in one
// order to all its logs, so two never wait for each other. docs/SHIPPING.md.
//
// Any thread, without locks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"
#include "log/together.h"

namespace minod {

class JointReach {
 public:
  JointReach(int databases, int partitions)
      : databases_(databases),
        partitions_(partitions),
        reached_(static_cast<std::size_t>(databases) * static_cast<std::size_t>(partitions)) {}

  // This log has all below `end`. Goes back when the log is cut.
  void reach(std::int16_t db, std::int16_t number, Offset end) {
    if (!exists(db, number)) return;
    at(db, number).store(end.value());
    if (waiting_.load() == 0) return;
    moves_.fetch_add(1);
    on_moved();
  }

  // A log that there can't be is not waited for.
  bool has(const LogReach& part) const {
    return !exists(part.db, part.number) || at(part.db, part.number).load() >= part.end.value();
  }

  // While one of its logs waits, moves() says whether it should look again.
  void begin_waiting() { waiting_.fetch_add(1); }
  void end_waiting() { waiting_.fetch_sub(1); }
  std::uint64_t moves() const { return moves_.load(); }

  // Called by the thread that moved something which another may wait for. Set before the first use.
  std::function<void()> on_moved = [] {};

 private:
  bool exists(int db, int number) const { return db >= 0 && db < databases_ && number >= 0 && number < partitions_; }
  std::size_t index(int db, int number) const { return static_cast<std::size_t>(db * partitions_ + number); }
  std::atomic<std::int64_t>& at(int db, int number) { return reached_[index(db, number)]; }
  const std::atomic<std::int64_t>& at(int db, int number) const { return reached_[index(db, number)]; }

  int databases_;
  int partitions_;
  std::vector<std::atomic<std::int64_t>> reached_;
  std::atomic<std::uint64_t> waiting_{0};
  std::atomic<std::uint64_t> moves_{0};
};

}  // namespace minod
