// One partition's log: appends records in batches, writes them in groups, and tells how far they are safe.
//
// Group commit without a timer: while a write is in flight, appends gather; its completion sends all of them. Space is
// prepared (allocated and zeroed) before it is written, by jobs off this thread, so a write never waits for metadata.
//
// Belongs to one thread, that of its Disk. Nothing here blocks except open(), which may run in a job.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/ack_policy.h"
#include "log/batch.h"
#include "log/compression.h"
#include "log/disk.h"
#include "log/group.h"
#include "log/joint_order.h"
#include "log/joint_reach.h"
#include "log/segment_store.h"
#include "log/ship_ring.h"
#include "log/tail.h"
#include "log/watermarks.h"

namespace minod {

// When a reply may leave: Redis's appendfsync.
enum class SyncPolicy : std::uint8_t {
  kAlways,    // when the record is durable
  kEverySec,  // when the device has it; it is durable a second later
  kNo,        // when the device has it
};

struct LogOptions {
  std::string directory;
  std::int64_t segment_bytes = kSegmentBytesDefault;
  SyncPolicy sync = SyncPolicy::kAlways;
  bool compress = false;
  SegmentSpace space;
  std::shared_ptr<JointOrder> joints = nullptr;  // of all logs that a transaction may write to; none: there are no such
};

// Where writing goes on, as recovery found it. A new log: the default.
struct LogStart {
  std::vector<SegmentFile> segments;  // in order; the last is the active one
  Offset end = kFirstOffset;          // the next record's offset
  Offset log_start = kFirstOffset;    // every record below it is gone
  Epoch epoch{1};                     // greater than any in the log, and persisted
  bool dirty_tail = false;            // bytes behind the end may be anything: zero them before the first append
};

// What the owner is told, from inside append() or Disk::poll().
struct LogEvents {
  std::function<void(const BatchHeader&, Offset segment, FilePosition)> placed;  // a batch has its place
  std::function<void()> released;                                                // released() has moved
  std::function<void(Offset segment)> sealed;  // the segment is complete, trimmed and durable
  std::function<void(Offset first)> trimmed;   // segments below this base offset are gone; may be left out
  std::function<void()> room;                  // make_room() may answer otherwise than before
  std::function<void(const Error&)> failed;    // writing has failed: nothing is acknowledged any more
};

struct LogCounters {
  std::uint64_t records = 0;
  std::uint64_t batches = 0;
  std::uint64_t groups = 0;
  std::uint64_t bytes = 0;
  Histogram commit_ns;  // from dispatch to durable
  Histogram group_bytes;
};

class Log {
 public:
  // Opens for appending what recovery left. Blocking: for start-up and for a database's first use.
  static Result<std::unique_ptr<Log>> open(Disk& disk, const Clock& clock, LogOptions options, LogStart start,
                                           LogEvents events);

  // Begins the work in the background: preparing the next segment, sealing what a crash left unsealed.
  void start();

  // Nothing may be in flight: poll the disk until idle() first.
  ~Log();
  // Nothing that is in flight will ever complete (a simulated crash; a start that failed): the log may be destroyed.
  void abandon();

  enum class Room : std::uint8_t { kYes, kWait, kFull, kReadOnly };

  // Whether records of `bytes` (record_bytes() of each) can be appended as one group. kWait: space is being prepared,
  // or writers have to wait; events.room follows. kFull: the disk has none; asked again a second later. kReadOnly:
  // another node leads this log. `last_reserve`: deletes may use the
  // space that is kept for them.
  Room make_room(std::size_t bytes, bool last_reserve);
  static std::size_t record_bytes(std::size_t key_and_value_bytes) { return key_and_value_bytes + kRecordOverheadMax; }
  const Error& space_error() const { return segments_.space_error(); }  // why kFull

  // make_room() has answered kYes for this record, or for the group it belongs to.
  Offset append(const NewRecord& record, UnixMillis now);

  // What is appended in between is one batch: after a crash, all of it is there or nothing.
  void begin_group(std::size_t bytes);
  void end_group();

  // The same for the part of joint transaction `joint` that goes to this log: batches of their own, each with the
  // header `together`. What stands behind `begin` is not released before the transaction has passed in options.joints.
  // make_room() has answered kYes for these bytes and joint_bytes(together, …).
  void begin_joint(std::size_t bytes, std::uint64_t joint, std::string together);
  static std::size_t joint_bytes(std::size_t together_size, bool with_log_start) {
    const std::size_t batches = with_log_start ? 2 : 1;
    return batches * (together_size + kBatchHeaderSize + kRecordOverheadMax);
  }

  // What has passed in options.joints may release more here. Call when they have moved; costs nothing while nothing is
  // kept back.
  void look_at_joints();
  bool keeps_back() const { return !holds_.empty(); }
  bool may_be_cut() const { return replicated_ || keeps_back(); }  // what is not committed

  // Appends the control batch that ends the life of every record below `below` (kNoOffset: below the batch itself);
  // segments that lie below go when it is committed. Returns the batch's offset.
  Offset append_log_start(UnixMillis now, Offset below = kNoOffset);

  // Whether records of `bytes` would begin a new segment.
  bool needs_new_segment(std::size_t bytes) const;

  // Bytes of files that this log has, with the segment that is prepared ahead; and those without the segments that go
  // as soon as the log start is committed. next_segment_bytes(): what a new segment takes.
  std::int64_t disk_bytes() const { return segments_.disk_bytes(); }
  std::int64_t live_disk_bytes() const;
  std::int64_t next_segment_bytes() const { return segments_.next_size(); }

  // Sends what has gathered, unless a write is in flight already. Call once a turn.
  void dispatch();

  // Makes all that is written so far durable; for SyncPolicy::kEverySec, once a second.
  void sync();

  // Nothing is in flight, and (unless the log has failed) nothing waits to be written.
  bool idle() const {
    return !in_flight_ && !syncing_ && segments_.idle() && (failure_.has_value() || pending_bytes() == 0) &&
           (holds_.empty() || options_.joints->given_up());
  }
  std::size_t pending_bytes() const { return pending_bytes_ + builder_.size(); }  // appended, not yet written

  const Watermarks& marks() const { return marks_; }
  // Replies that depend on records below this may leave.
  Offset released() const {
    if (acks_ == AckPolicy::kAll) return marks_.committed();
    return options_.sync == SyncPolicy::kAlways ? marks_.safe() : std::min(marks_.written(), unwritten_joint_);
  }
  // What is on its way to the disk ends here; what lies above goes with the next group.
  Offset dispatched() const { return in_flight_ ? writing_.end_offset : marks_.written(); }
  Offset log_start() const { return log_start_; }
  void set_sync_policy(SyncPolicy policy) { options_.sync = policy; }
  const Error* failure() const { return failure_ ? &*failure_ : nullptr; }

  Tail& tail() { return tail_; }
  const Tail& tail() const { return tail_; }
  void drop_tail() {
    while (tail_.drop_oldest(marks_.written(), [](const RecordView&) {})) {
    }
  }
  const std::map<Offset, Segment>& segments() const { return segments_.all(); }
  const SegmentStore& segment_store() const { return segments_; }
  bool out_of_space() const { return segments_.out_of_space(); }

  // ---- for compaction

  // Leaves the active segment, if it holds a record and the next one is prepared, so that it can be sealed and
  // compacted.
  bool leave_active();

  // While held, no segment file is removed.
  void hold_segments(bool held);

  // `file` of `size` bytes has taken the place of the sealed segments that begin in [base, end): in one step here, on
  // disk already. events.sealed follows. Returns the old files: let them go in a job, that may free much space.
  std::vector<std::shared_ptr<File>> replace_segments(Offset base, Offset end, std::shared_ptr<File> file,
                                                      std::int64_t size);

  FilePosition segment_end(Offset segment) const;  // where its last placed batch ends
  const std::string& directory() const { return options_.directory; }

  // Where the first byte stands that is not known to be written: behind the batch that ends at marks().written().
  struct Place {
    Offset segment;
    FilePosition position;
  };
  Place written_place() const;

  // Reads the bytes [begin, end) of a segment; delivers them, block-aligned memory behind them. The segment may be
  // dropped meanwhile.
  struct Block {
    AlignedBuffer memory;
    Bytes bytes;
  };
  using BlockCallback = std::function<void(Result<std::shared_ptr<Block>>)>;
  void read(Offset segment, FilePosition begin, FilePosition end, BlockCallback done);

  // Where the next batch goes, as far as it is known, and its base offset: all below has its place. It begins the next
  // segment if it does not fit this one.
  struct NextPlace {
    Offset segment;
    FilePosition position;
    Offset offset;
  };
  NextPlace next_place() const {
    return {segments_.all().rbegin()->first, position_,
            builder_.is_open() ? builder_.base_offset() : marks_.appended()};
  }

  // ---- for replication: log_replicated.cc. A log that is not replicated commits what is safe.

  // From now on only commit_to() commits, and nobody writes until set_writers(). Before start(), or before anything was
  // appended. All below `committed` is. `self`: which log it is in `reach`, which all logs of the node share.
  void replicate(Offset committed, AckPolicy acks, LogReach self, std::shared_ptr<JointReach> reach);

  enum class Writers : std::uint8_t { kMay, kWait, kMayNot };
  void set_writers(Writers writers);
  bool takes_writes() const { return writers_ == Writers::kMay; }

  // All below `end`, which is safe, is committed.
  void commit_to(Offset end);

  // What is appended from now on is of `epoch`, which is on disk as that of this log's leader. All that was shipped has
  // been applied.
  void begin_epoch(Epoch epoch);
  Epoch epoch() const { return epoch_; }

  // A follower's: `batch`, whole and valid, begins where this log ends. `together`: what the batch's header `t` names.
  // Only kYes has appended it.
  Room append_shipped(const BatchHeader& header, Bytes batch, std::vector<LogReach> together);
  // A shipped log start has been applied: what is below goes.
  void start_shipped(Offset below);
  // What was shipped of transactions that may lack parts in other logs.
  std::vector<JointBatch> open_joints() const;
  bool is_replicated() const { return replicated_; }
  // What other logs have may make more safe here. Costs nothing while nothing is waited for.
  void look_at_reach();

  void close_batches() {
    if (builder_.is_open()) close_batch();
  }
  // Batches are whole up to here: records above stand in one that still grows.
  Offset closed_end() const { return builder_.is_open() ? builder_.base_offset() : marks_.appended(); }
  // Keeps the newest batches, about so many bytes; 0: none.
  void keep_recent(std::size_t bytes);
  ShipRing* recent() { return recent_.get(); }

  // It is idle and another Log takes its place. Lets all go that takes memory or files; only marks() and released()
  // may be asked any more.
  void retire();

  const LogCounters& counters() const { return counters_; }
  std::size_t memory_bytes() const {
    return tail_.memory_bytes() + open_.memory_bytes() + spare_.memory_bytes() +
           (recent_ ? recent_->memory_bytes() : 0);
  }

  // Enough for the encoding of any record beside its key and value, and its share of the batch header.
  static constexpr std::size_t kRecordOverheadMax = 144;

 private:
  Log(Disk& disk, const Clock& clock, LogOptions options, const LogStart& start, LogEvents events);
  Result<void> start_writing(const LogStart& start);
  void open_batch(std::size_t need, UnixMillis now, bool control);
  void close_batch();
  void roll();
  void fail(Error error);
  void write_next_group();
  void end_joint();
  void settle_joints();
  Offset settle_shipped();
  void commit_safe(Offset end);
  void durable_reached(Offset end);
  void written(std::size_t size);
  void seal_finished_segments();
  void drop_dead_segments();

  Disk& disk_;
  const Clock& clock_;
  LogOptions options_;
  LogEvents events_;
  Watermarks marks_;
  Epoch epoch_;
  Offset log_start_;
  Offset committed_log_start_;  // segments below it may go
  struct PendingLogStart {
    Offset at;
    Offset below;
  };
  std::deque<PendingLogStart> pending_log_starts_;  // appended, not committed
  SegmentStore segments_;
  Tail tail_;
  Offset cached_end_;  // below it, records may be written but not durable
  BatchBuilder builder_;
  std::byte* batch_ = nullptr;   // where the open batch starts, in tail_
  std::size_t group_bytes_ = 0;  // reserved by begin_group(); 0: no group
  std::string together_;         // of the joint transaction whose part is the group

  // A part of a joint transaction, from begin_joint() until that has passed.
  struct Hold {
    Offset begin;
    Offset end;
    std::uint64_t joint = 0;
    bool written = false;  // this log has told so
    bool durable = false;
  };
  static constexpr Offset kNothingHeld{std::numeric_limits<std::int64_t>::max()};
  std::deque<Hold> holds_;
  Offset unwritten_joint_ = kNothingHeld;  // where the first part begins that is not written in all its logs

  // What log_replicated.cc knows of a log that others have, too.
  struct ShippedJoint {
    Offset begin;
    Offset end;
    std::vector<LogReach> logs;
  };
  bool replicated_ = false;
  AckPolicy acks_ = AckPolicy::kLeader;
  Writers writers_ = Writers::kMay;
  LogReach self_;
  std::shared_ptr<JointReach> reach_;
  std::uint64_t reach_seen_ = 0;
  std::deque<ShippedJoint> shipped_joints_;  // that are not known to have all their parts
  std::unique_ptr<ShipRing> recent_;

  FilePosition position_;  // in the active segment: where the next batch is placed
  Group open_;             // gathers closed batches for the active segment
  Group writing_;
  Group spare_;
  std::deque<Group> queued_;  // complete groups of segments that are being left
  std::size_t pending_bytes_ = 0;
  bool in_flight_ = false;
  bool syncing_ = false;
  bool held_ = false;  // hold_segments()
  MonotonicNanos dispatched_at_;
  std::optional<Error> failure_;
  std::unique_ptr<Compressor> compressor_;
  LogCounters counters_;
};

}  // namespace minod
