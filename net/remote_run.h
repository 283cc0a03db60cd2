// Commands that one shard runs for another, one after the other: what a parsed pipeline has for that shard, as one
// message there, and one back with the replies when everything that they tell is committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_queue.h"
#include "net/burst_clock.h"
#include "net/commit_gate.h"
#include "store/command.h"
#include "store/reply.h"
#include "store/request.h"

namespace minod {

class Shard;

// A command on the keys of one partition.
struct PlacedCommand {
  const CommandSpec* spec = nullptr;
  std::span<const std::string_view> args;
  std::uint16_t partition = 0;
};

// Belongs to the asking shard, but from send() until `answered` to the other one. Used again and again.
class RemoteRun {
 public:
  // `answered` is called on `from`'s thread, in a later turn than send().
  RemoteRun(Shard& from, int to, std::function<void()> answered);

  void clear();
  void add(const PlacedCommand& command) { commands_.push_back(command); }
  std::size_t size() const { return commands_.size(); }

  // What the arguments point to must stay as it is until `answered`. Not all may be done then: a run ends early when
  // its replies have grown large, and goes on when it is sent again.
  void send(int db, Protocol protocol);

  // Of the n-th command; false: the run ended before it. The view is good until the next send() or clear().
  bool has_reply(std::size_t n) const { return n < done_; }
  std::string_view reply(std::size_t n) const;

  // Commands that took long, for the slow log; by their number.
  struct Slow {
    std::size_t number;
    Nanos took;
  };
  const std::vector<Slow>& slow() const { return slow_; }

  std::size_t memory_bytes() const { return replies_.capacity(); }

  // For the other shard, when it was overloaded.
  void resume() { run(); }

 private:
  struct Gate : CommitGate::Waiter {
    RemoteRun* run = nullptr;
  };

  void begin();
  void run();
  bool run_next();
  void note_dependencies();
  void leave();

  Shard& from_;
  Shard& to_;
  std::function<void()> answered_;
  std::vector<PlacedCommand> commands_;
  std::vector<std::size_t> ends_;  // in replies_, of those from first_ on
  std::vector<Slow> slow_;
  int db_ = 0;
  Protocol protocol_ = Protocol::kResp2;
  std::size_t first_ = 0;  // the command that the run began with when it was sent last
  std::size_t done_ = 0;
  BurstClock burst_;
  ByteQueue replies_;
  Request request_;
  std::vector<Dependency> dependencies_;  // of all replies: the greatest end in each log
  Gate gate_;
};

}  // namespace minod
