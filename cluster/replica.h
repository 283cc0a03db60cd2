// One member's part in the replication of one log: the protocol of docs/REPLICATION.md as a function of what happens to
// what is to be done. No I/O, no clock, no thread: its owner tells it of messages, of time and of the disk, and carries
// out what take() says. The server, the simulator and the model check own one alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "cluster/message.h"
#include "cluster/replica_state.h"

namespace minod {

// What is to be done, in this order.
struct Output {
  struct Store {
    std::uint64_t number = 0;
    StoredState state;
  };
  std::optional<Offset> cut;           // the log, durably, then truncated(); nothing else is done before that
  bool wipe = false;                   // the whole log and its files, durably, then wiped()
  bool copy = false;                   // the log's beginning from the leader's files, then copied() or copy_failed()
  std::optional<Store> store;          // to be made durable, then stored(number); a later one replaces it
  std::vector<Envelope> messages;      // may leave now; to lose one does no harm
  std::optional<Offset> committed;     // the high watermark has moved there
  std::optional<Role> role;            // has changed; what was appended and not committed has an unknown outcome
  std::optional<std::string> refused;  // what was asked for can't be, or an operator has to act
};

class Replica {
 public:
  // As a restart found it: a follower of nobody until it is told otherwise. `end`: of the log, all of it durable.
  Replica(MemberId self, GroupOptions options, StoredState stored, Offset end);

  // ---- what its owner wants

  // Leads in a new epoch, `least` or later: a node whose log nobody else has led, or that led it last. Otherwise
  // `refused`.
  void lead(Epoch least);
  // Fetches from `leader`, whatever epoch that has. What others led before is kept in mind.
  void follow(MemberId leader);
  // Leads in another's place: asks `others` what they know; if this node is of the newest in-sync set that enough of
  // them know, asks for their promise, and leads when enough have given it. If not: `refused`, and nothing has changed
  // anywhere. `accept_loss`: leads at once, whatever may be lost.
  void promote(const std::vector<MemberId>& others, bool accept_loss);
  // Whether it may be elected for a log that nobody has a set of. Not unless this node leads the partition's first log.
  void set_may_begin(bool may) { may_begin_ = may; }
  // Stands for exactly that term, if that is news here and this node is of the set that it knows: another one has asked
  // for it. Otherwise nothing happens.
  void stand_for(const std::vector<MemberId>& others, std::int32_t term);
  // A leader's: adds no record from now on (accepts_writes()). When all it has is committed, `to` is asked to lead;
  // then this node follows it. kNobody: gives it up; `to` may lead all the same, if it was asked already.
  void hand_over(MemberId to);
  // A follower's whose log has damage where it was committed, or that can't continue it: what it has is given up, and
  // the leader's is copied. Until it is of a set in force again it leads only if a loss is accepted.
  void start_anew();
  // A follower's: records from `end` on, which were never acknowledged, are not wanted.
  void cut_tail(Offset end);
  // A leader's: a log that ends below `first` is started anew. An empty one is copied up to `of_empty` at least, if
  // that is above 0.
  void set_first(Offset first, Offset of_empty);

  // ---- what happens

  // The batches of an Answer lie in the owner's hands: it has validated them and set `next` behind the last.
  // True when they are to be appended, after what take() wants to be stored.
  bool receive(MemberId from, const Message& message);
  // A leader's own records, up to `end`. `more`: others are gathered behind them and leave soon; what is committed is
  // told with those, and not by a message of its own.
  void appended(Offset end, bool more = false);
  // A leader's: an Answer of take() with the records of [begin, next) has left. More may follow without being fetched.
  void shipped(MemberId to, Offset begin, Offset next);
  void durable(Offset end);
  void truncated();
  void wiped();
  // The log is that of the leader's files now, up to `end`, durably.
  void copied(Offset end, std::vector<EpochLine> epochs);
  void copy_failed();  // the log is empty; asks again with its next fetch
  void stored(std::uint64_t number);
  void tick(Millis now);

  // Takes `member` out of the in-sync set. tick() does it to those that lag.
  void drop(MemberId member);
  // Sends the fetch again.
  void retry();

  // ---- what comes of it

  Output take();

  const ReplicaState& state() const { return state_; }
  MemberId self() const { return self_; }
  const GroupOptions& options() const { return options_; }
  bool leads() const { return state_.role == Role::kLeader; }
  bool accepts_writes() const;  // leads, and does not hand over
  Offset committed() const { return state_.stored.committed; }
  Leadership leadership() const { return state_.stored.promised; }
  // The newest set: in force, or requested.
  const InSyncSet* set() const { return state_.stored.sets.empty() ? nullptr : &state_.stored.sets.back(); }
  // Enough members are in sync for a record to be committed.
  bool enough_in_sync() const;

 private:
  struct Held {
    std::uint64_t after = 0;  // the store that must be durable first
    Envelope envelope;
  };

  // replica.cc
  void send(MemberId to, Message message);
  void change_role(Role role);
  void must_store() { dirty_ = true; }
  void commit(Offset to);
  void refuse(std::string why);
  void hear(Leadership newer);

  bool rebuilding() const { return state_.cutting || state_.wiping || state_.copying; }

  // replica_leader.cc
  void take_lead(Epoch epoch, std::vector<InSyncSet> sets, bool in_force);
  void receive_fetch(MemberId from, const Fetch& fetch);
  Progress& progress_of(MemberId member);
  bool in_this_epoch(MemberId from, const Fetch& fetch);
  bool of_this_log(MemberId from, const Fetch& fetch);
  Answer short_answer(const Fetch& fetch) const;
  void note_progress(MemberId from, const Fetch& fetch);
  std::vector<MemberId> counted() const;
  bool has_stored(MemberId member, SetVersion version) const;
  bool others_know(const InSyncSet& newer) const;
  void request_set(std::vector<MemberId> members);
  void let_join(MemberId member);
  void settle_set();
  void count();
  void advance();
  Offset first_for(Offset end) const;
  void answer(Progress& progress);
  void answer_those_that_wait();
  void tick_leader(Millis now);
  void pass_on();

  // replica_follower.cc
  bool receive_answer(MemberId from, const Answer& answer);
  void cut_after(const Answer& answer);
  void learn_complete(const Answer& answer);
  void begin_copy();
  void learn_set(const InSyncSet& newer, bool in_force);
  void learn_committed();
  void fetch(bool wants);

  // replica_election.cc
  void receive_promise(MemberId from, const Promise& promise);
  void receive_promised(MemberId from, const Promised& promised);
  void receive_standing(MemberId from, const Standing& standing);
  void receive_hand_over(MemberId from, const HandOver& hand_over);
  void hear_of(const InSyncSet& other);
  std::size_t promises_needed() const;
  void begin_asking();
  void lead_after(Leadership other);
  void ask();
  bool may_be_elected() const;
  void consider();
  void stand();
  void elect();
  void greet();
  void greet_again();
  void tick_asking();

  MemberId self_;
  GroupOptions options_;
  ReplicaState state_;
  Millis now_;
  bool led_ = false;  // as a restart found it: in the epoch that was promised last
  bool may_begin_ = true;
  bool dirty_ = false;
  std::uint64_t store_number_ = 0;              // the last that was asked for
  std::uint64_t stored_number_ = 0;             // the last that is durable
  SetVersion storing_;                          // the newest set in the last that was asked for
  std::optional<std::uint64_t> rebuild_after_;  // the store that must be durable before the log is wiped or copied
  std::vector<Held> held_;
  Output output_;
};

}  // namespace minod
