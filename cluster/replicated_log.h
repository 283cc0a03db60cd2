// One log of a group: its Replica, and what carries out what that decides over the Log, the Store and the Disk.
//
//   a leader     tells the Replica how far its log goes and is safe, ships batches to those that fetch, out of RAM or
//                from the disk, and lets writers in when all of its epoch that must be on disk is;
//   a follower   appends what comes, applies it to its index when the high watermark has passed it and it is written,
//                and forgets and recovers the log when it has to be cut.
//
// Belongs to the thread of its Store.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/batch_source.h"
#include "cluster/log_name.h"
#include "cluster/replica.h"
#include "cluster/replication.h"
#include "cluster/segment_copy.h"
#include "cluster/segment_source.h"
#include "cluster/shipped_changes.h"
#include "cluster/transport.h"
#include "log/disk.h"
#include "log/joint_reach.h"
#include "store/store.h"

namespace minod {

class ReplicatedLog;

// What all logs of a shard share.
struct ReplicationHost {
  Disk& disk;
  const Clock& clock;
  Store& store;
  MemberId self;
  ReplicationOptions options;
  Transport& transport;
  std::function<void()> role_changed;
  std::function<void(const std::string&)> refused;
  // Whether this node leads, or stands for, the first log of that partition: then it is to lead all of them.
  std::function<bool(std::int16_t partition)> leads_partition;
  std::function<std::vector<LogName>(std::int16_t partition)> logs_of;  // all that this node has
  std::function<bool(const ReplicatedLog&)> may_begin;                  // it is the first one, or that is led here
};

class ReplicatedLog {
 public:
  // Of a log that is not started yet, or that was just made. `stored`: nothing when it was never replicated; `epochs`:
  // then those of its records, which this node led.
  ReplicatedLog(ReplicationHost& host, Partition& partition, std::optional<StoredState> stored,
                std::vector<EpochLine> epochs);
  ~ReplicatedLog();

  void lead(Epoch least);
  void follow(MemberId leader);
  void promote(const std::vector<MemberId>& others, bool accept_loss);
  void hand_over(MemberId to);
  void start_anew();  // a follower's: what it has is damaged where it was committed

  // Who leads the partition's first log leads this one, too: stands for it, and when others have it and this node is
  // not of its set, asks one of them to lead it and to hand it over. Until it leads, or give_up_claim().
  void claim(std::vector<MemberId> others, bool accept_loss);
  void give_up_claim();
  bool is_claimed() const { return claim_.has_value(); }
  Millis claimed_for() const { return claim_ ? now() - claim_->since : Millis(0); }
  // `to` leads the first log, and asks for this one.
  void lend(MemberId to, std::int32_t term);
  void end_loan() { lent_to_ = kNobody; }
  bool is_lent() const { return lent_to_ != kNobody && replica_.state().role != Role::kFollower; }
  // All that are known here to have a part in it, but for this node.
  std::vector<MemberId> other_members() const;

  void receive(MemberId from, const Message& message, Bytes batches);
  void tick();
  bool poll();  // true: there is more to do at once
  // Followers are connected: the newest batches are kept for them.
  void keep_recent(bool keep);
  bool idle() const { return jobs_ == 0 && !storing_ && (!copy_ || copy_->idle()); }

  const Replica& replica() const { return replica_; }
  Partition& partition() { return partition_; }
  const Partition& partition() const { return partition_; }
  const LogName& name() const { return name_; }
  bool is_promoted() const { return (promotion_ && !promotion_->alone) || replica_.state().role == Role::kCandidate; }
  bool leads() const { return leads_; }  // and may be written to, but for a hand-over
  bool may_read() const;
  bool loading() const { return remaking_; }
  std::uint64_t copied_bytes() const { return copied_bytes_ + (copy_ ? copy_->copied_bytes() : 0); }
  Offset acknowledged(std::size_t members) const;
  Millis now() const;

 private:
  struct Arrived {
    BatchRun run;
    std::uint64_t after = 0;  // the store that must be durable first
  };
  struct Shipping {
    Answer answer;
    bool reading = false;
  };

  // replicated_log.cc
  Log& log() { return partition_.log(); }
  const Log& log() const { return partition_.log(); }
  std::string directory() const;
  void sync_end(bool whole);
  void carry_out();
  void let_writers();
  void send(Envelope envelope);
  void want_store(Output::Store store);
  void store_next();
  void role_becomes(Role role);
  void step_down();
  void open_epoch();
  bool poll_promotion();
  void tell_first();

  // replicated_log_claim.cc
  void tick_claim();
  void borrow();
  void tick_loan();

  // replicated_log_remake.cc
  bool is_away() const { return remaking_ || cut_ || wipe_ || in_place_; }  // the log, or it is about to be
  void remake();
  Store::Recover recovery();
  void remade(const Result<void>& result);
  void begin_copy();
  void poll_copy();

  // replicated_log_leader.cc
  void ship(MemberId to);
  void ship_run(MemberId to, const BatchRun& run);
  void ship_those_that_wait();

  // replicated_log_follower.cc
  void take_records(MemberId from, Answer answer, Bytes batches);
  void append_arrived();
  bool append(const BatchRun& run);
  bool apply_some();
  bool apply_run(const BatchRun& run, Offset limit);
  void read_back();

  ReplicationHost& host_;
  Partition& partition_;
  LogName name_;
  Replica replica_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // callbacks that come later than this goes see it gone

  bool storing_ = false;
  std::optional<Output::Store> to_store_;
  std::uint64_t wanted_store_ = 0;  // the last that was asked for
  std::uint64_t stored_ = 0;        // the last that is durable
  Offset stored_committed_;         // as it is on disk
  MonotonicNanos stored_at_;
  std::size_t jobs_ = 0;

  bool leads_ = false;
  bool opening_ = false;  // its epoch is being written
  bool keeps_recent_ = false;
  std::map<MemberId, Shipping> shipping_;

  std::deque<Arrived> arrived_;  // not appended yet
  std::size_t arrived_bytes_ = 0;
  Offset append_end_;           // of the first of them, as far as it was appended
  bool fetch_waits_ = false;    // until less is on its way to the disk
  std::deque<BatchRun> queue_;  // appended, not applied; may have gaps
  std::size_t queue_bytes_ = 0;
  Offset applied_;
  bool reading_back_ = false;
  std::uint64_t life_ = 0;  // of the log: it was remade so often
  ShippedChanges changes_;
  Decompressor decompressor_;

  // What is to be done with the log as a whole, one of them at a time.
  std::optional<Offset> cut_;
  bool wipe_ = false;
  bool in_place_ = false;  // what was copied is to be put there
  bool remaking_ = false;

  std::unique_ptr<SegmentCopy> copy_;
  std::uint64_t copied_bytes_ = 0;
  SegmentSource source_;

  bool served_ = false;  // all that was committed when this log was begun is in the index, or was at a start
  struct Promotion {
    std::vector<MemberId> others;
    bool accept_loss = false;
    bool alone = false;          // the node's other logs go on meanwhile
    std::int32_t lend_term = 0;  // for another node
    bool stopped = false;
    bool agreed = false;  // it ends where it is to end, or is being cut there
    bool asked = false;   // the Replica
  };
  std::optional<Promotion> promotion_;  // nothing is appended meanwhile
  struct Claim {
    std::vector<MemberId> others;
    bool accept_loss = false;
    Millis since;
    std::optional<Millis> tried_at;
    std::size_t asked = 0;  // how many for a loan
  };
  std::optional<Claim> claim_;
  MemberId lent_to_ = kNobody;
};

}  // namespace minod
