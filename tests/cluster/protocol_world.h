// A small group of members, all that is under way between them, and what can happen next. The members are the server's
// own Replica.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replica.h"

namespace minod {

// How far things go.
struct WorldBounds {
  std::int64_t records = 1;
  std::int32_t terms = 2;
  int crashes = 0;
  int drops = 0;  // members that are dropped from the set without a reason
  int replaced_disks = 0;
  bool losses = false;  // messages are lost, and not only overtaken: a walk gets further
  int repeats = 0;      // messages that come twice
  int hand_overs = 0;   // that a leader is asked for
  int damages = 0;      // logs that have to be started anew, one after the other
  bool floors = false;  // leaders give up shipping what is committed
  bool new_disk_is_new_member = true;
  bool slow_disks = true;  // what is appended becomes durable later
  bool slow_votes = true;  // promises are messages like others; else a candidate hears some nodes at once
};

struct InFlight {
  MemberId from;
  Envelope envelope;
  bool again = false;  // came once before
};

// A record that a client was told is safe.
struct Acknowledged {
  Offset offset;
  Leadership leadership;
  friend bool operator==(const Acknowledged&, const Acknowledged&) = default;
};

struct Move {
  enum class Kind : std::uint8_t {
    kDeliver,
    kRepeat,
    kLose,
    kAppend,
    kDurable,
    kRetry,
    kDrop,
    kFollow,
    kPromote,
    kRestart,
    kReplaceDisk,
    kHandOver,
    kDamage,
    kCopied,
    kFloor
  };
  Kind kind;
  std::size_t node = 0;
  std::size_t other = 0;  // a message, a node, a set of nodes as bits, or how much of the tail is left
};

class World {
 public:
  static constexpr std::size_t kNodes = 3;

  // A leads, all three are in sync, nothing was written yet.
  World(const GroupOptions& options, const WorldBounds& bounds);

  std::vector<Move> moves() const;
  std::string describe(const Move& move) const;  // before it is made
  void make(const Move& move);

  // What an acknowledgement promises, where it is broken.
  std::optional<std::string> violation() const;

  struct Key {
    std::uint64_t high;
    std::uint64_t low;
    friend bool operator==(const Key&, const Key&) = default;
  };
  Key key() const;

 private:
  static std::string name_of(MemberId id);
  std::size_t index_of(MemberId id) const;
  std::vector<MemberId> others(std::size_t i) const;
  bool waits_for(MemberId id) const;
  void add_operations(std::size_t i, std::vector<Move>& moves) const;
  void add_rebuilding(std::size_t i, std::vector<Move>& moves) const;
  void deliver(const InFlight& one);
  void copy_from_leader(std::size_t i);
  void settle(std::size_t i);
  void send(InFlight one);
  void forget_promise(std::size_t i);
  void note_acknowledged(std::size_t i);
  void hold_vote(std::size_t i, std::size_t voters);
  void restart(std::size_t i, Offset end);
  void replace_disk(std::size_t i);

  const GroupOptions* options_;
  const WorldBounds* bounds_;
  std::vector<Replica> nodes_;
  std::vector<StoredState> disks_;
  std::vector<InFlight> network_;
  std::vector<Acknowledged> acknowledged_;
  std::int32_t newest_term_ = 0;  // that anybody has led
  int crashes_ = 0;
  int drops_ = 0;
  int replaced_ = 0;
  int repeats_ = 0;
  int hand_overs_ = 0;
  int damages_ = 0;
  const char* broken_ = nullptr;  // what a promotion or hand-over did that it must not
};

}  // namespace minod
