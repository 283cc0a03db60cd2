// Runs the transactions that touch partitions of several shards: on shard 0, one after the other, while the shards
// whose partitions they touch stand still. docs/TRANSACTIONS.md, "While it runs".
//
// Only shard 0 asks others to stand still, and waits for nothing while it has them, so nobody waits in a circle.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "store/reach.h"
#include "store/request.h"
#include "store/transaction.h"

namespace minod {

class Node;
class Shard;

class Conductor {
 public:
  Conductor(Node& node, int shards);
  ~Conductor();

  // From the thread of shard `from`. `partitions` ascend; `done` comes on that thread, in a later turn, when all that
  // the replies tell may be told; with false when whether it has happened will never be known. `stale`: the client has
  // said READONLY.
  using Done = std::function<void(bool known)>;
  void run(Shard& from, std::shared_ptr<Transaction> transaction, std::vector<std::uint16_t> partitions, bool stale,
           Done done);

  // `look` is called for every shard, on shard 0's thread, in one moment of the whole node.
  void at_one_moment(Shard& from, std::function<void(Shard&)> look);

  // Of shard 0: runs what waits; returns how many.
  std::size_t turn();

  // This shard's thread ends: it never stands still again, and what would need it is refused.
  void leave(int shard);
  bool alone() const;  // all but shard 0 have left

  // ---- for INFO, on shard 0

  std::uint64_t rounds() const { return rounds_; }  // times that shards stood still
  std::uint64_t runs() const { return runs_; }      // of transactions, repeated ones too

 private:
  struct Performance;
  static constexpr std::uint32_t kGone = 0xffffffff;

  void queue(Shard& from, std::unique_ptr<Performance> performance);
  bool stop(const std::vector<bool>& shards);
  void stand_still(int shard, std::uint32_t round);
  void let_go();
  void perform(std::unique_ptr<Performance> performance);
  void resumed(Performance& performance);
  void finish(std::unique_ptr<Performance> performance);
  bool stands_back(std::unique_ptr<Performance>& performance);
  void tell(Performance& performance, int thread, bool known);
  void refuse(std::unique_ptr<Performance> performance);
  Request& request_of(Performance& performance, int shard);

  Node& node_;
  std::deque<std::unique_ptr<Performance>> waiting_;
  std::vector<std::unique_ptr<Performance>> parked_;
  std::vector<std::unique_ptr<Performance>> refused_;  // kept: their requests may be known to a shard that is ending
  std::uint64_t rounds_ = 0;
  std::uint64_t runs_ = 0;
  std::uint32_t round_ = 0;
  std::atomic<std::uint32_t> over_{0};  // the last round that is over
  struct alignas(64) Still {
    std::atomic<std::uint32_t> round{0};  // in which the shard stands still, or did last
  };
  std::vector<Still> still_;
};

}  // namespace minod
