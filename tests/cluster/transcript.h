// A group of members whose every message is written down in words, for tests that read like a conversation. Disks are
// quick unless a test says otherwise; messages are delivered when a test says so, in the order they were sent.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/replica.h"

namespace minod {

class Transcript {
 public:
  explicit Transcript(GroupOptions options) : options_(options) {}

  // Members are single letters.
  void node(char name, StoredState stored = {}, std::int64_t end = 0);
  void lead(char name);
  void follow(char name, char leader);
  void promote(char name, const std::string& others, bool accept_loss = false);
  void append(char name, std::int64_t end, bool more = false);
  void tick(std::int64_t millis);
  void drop(char leader, char member);
  void hand_over(char leader, char to);
  void set_first(char leader, std::int64_t first);
  void start_anew(char name);
  void copied(char name, char leader);  // all that the leader has
  void restart(char name);
  void cut_off(char name, bool off);     // what it sends and what is sent to it is lost
  void slow_disk(char name, bool slow);  // nothing becomes durable meanwhile
  void deliver();                        // until nothing is under way

  Replica& operator[](char name) { return nodes_.at(name); }
  std::string take();  // what was written since the last time
  // What was written is what tests/data/cluster/NAME.txt says. With MINOD_REWRITE=1, that file is written anew instead:
  // read the difference.
  void expect(const std::string& name);

  static MemberId id_of(char name) { return MemberId{0, static_cast<std::uint64_t>(name - 'A' + 1)}; }

 private:
  void settle(char name);
  void write(const std::string& line) { text_ += line + "\n"; }

  struct InFlight {
    char from;
    Envelope envelope;
  };

  GroupOptions options_;
  Millis now_;
  std::map<char, Replica> nodes_;
  std::map<char, StoredState> disks_;
  std::set<char> cut_off_;
  std::set<char> slow_;
  std::deque<InFlight> network_;
  std::string text_;
};

GroupOptions group(std::size_t nodes, std::size_t least);

// A leads and B is in sync; nothing is under way.
Transcript pair_in_sync(std::size_t nodes = 2, std::size_t least = 2);

}  // namespace minod
