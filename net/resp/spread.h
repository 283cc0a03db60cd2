// Requests that stand one behind the other in a connection's input and lie with several shards: each shard gets its
// part at once, in their order, and the replies are put in the order of the requests. docs/PROTOCOLS.md, "Pipelines".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/byte_queue.h"
#include "net/remote_run.h"
#include "net/reply_queue.h"
#include "net/resp/lookahead.h"

namespace minod::resp {

// Belongs to a session. The session runs the part that is its own shard's.
class Spread {
 public:
  // `answered` is called when the other shards have answered what was sent last.
  Spread(Shard& shard, std::function<void()> answered);

  bool active() const { return !order_.empty(); }

  // Beginning: add() each, in order, then send(). What the arguments point to must stay until active() is false, or
  // until the other shards have answered: see abandon().
  void add(int owner, const PlacedCommand& command);
  void send(int db, Protocol protocol);

  // The next of the own shard's commands to be run into own_replies(); nullptr: no more, for the present.
  const PlacedCommand* next_own() const;
  ByteQueue& own_replies() { return own_replies_; }
  void own_done(const boost::container::small_vector<Dependency, 2>& dependencies);

  bool answered() const { return unanswered_ == 0; }

  // When answered() and next_own() is null: appends to `replies` what is there, in order. False: some shard stopped
  // because its replies had grown large, and was told to go on. True: these were all; end() it.
  bool collect(ReplyQueue& replies);
  void end();
  std::size_t size() const { return order_.size(); }

  // Calls visit(n, took) for the n-th request if it took long on another shard. Before end().
  template <class Visit>
  void for_each_slow(Visit&& visit) const;

  std::size_t memory_bytes() const;

  // The connection is gone: keeps what the arguments point to until every shard has answered, and itself.
  static void abandon(std::unique_ptr<Spread> spread, ByteQueue input, std::unique_ptr<Lookahead> requests);

 private:
  struct Place {
    int shard;
    std::size_t number;  // among the commands of that shard
  };

  void one_answered();

  Shard& shard_;
  std::function<void()> answered_;
  std::vector<std::unique_ptr<RemoteRun>> runs_;  // by shard; null: none was ever needed
  std::vector<PlacedCommand> own_;
  std::vector<std::size_t> own_ends_;  // in own_replies_, of those from own_first_ on
  ByteQueue own_replies_;
  std::size_t own_first_ = 0;
  boost::container::small_vector<Dependency, 2> dependencies_;
  std::vector<Place> order_;
  std::size_t next_ = 0;  // in order_: what was not collected yet
  std::size_t unanswered_ = 0;
  int db_ = 0;
  Protocol protocol_ = Protocol::kResp2;
  bool abandoned_ = false;
  ByteQueue input_;
  std::unique_ptr<Lookahead> requests_;
};

template <class Visit>
void Spread::for_each_slow(Visit&& visit) const {
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const Place& place = order_[i];
    const auto& run = runs_[static_cast<std::size_t>(place.shard)];
    if (!run) continue;
    for (const RemoteRun::Slow& slow : run->slow()) {
      if (slow.number == place.number) visit(i, slow.took);
    }
  }
}

}  // namespace minod::resp
