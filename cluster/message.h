// What members say to each other about one log. docs/REPLICATION.md, "Messages"; their bytes: docs/FORMAT.md, "Between
// nodes".
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "cluster/epoch_history.h"
#include "cluster/in_sync_set.h"
#include "cluster/log_name.h"
#include "cluster/member.h"

namespace minod {

// Follower to leader: what I have, and give me more. Also the acknowledgement.
struct Fetch {
  Leadership known;              // whom the follower follows
  Leadership last;               // of its last record
  Offset end;                    // of its log
  Offset durable;                // of what is on its disk
  Offset told;                   // the leader's high watermark, as it was last told
  SetVersion set;                // the newest set it has stored
  std::uint32_t generation = 0;  // of the follower's log, StoredState::generation
  bool incomplete = false;       // StoredState::incomplete
  bool wants = false;            // an Answer, as soon as there is something new; else this acknowledges only
  friend bool operator==(const Fetch&, const Fetch&) = default;
};

// Leader to follower. The batches of [begin, next) travel behind it.
struct Answer {
  Leadership leadership;
  Offset begin;  // where the follower's log ended when it fetched
  Offset next;
  std::vector<EpochLine> epochs;                       // of the records of [begin, next)
  std::optional<EpochHistory::Divergence> divergence;  // then nothing else counts
  Leadership last;                                     // of a divergence: the follower's last record, as it fetched
  Offset first;                                        // what is below this is not shipped in answers
  Offset committed;                                    // the high watermark
  InSyncSet set;
  bool in_force = false;         // that set
  std::uint32_t generation = 0;  // of the follower's log, as it fetched
  bool complete = false;         // the follower has all that is committed, and is of the set in force
  friend bool operator==(const Answer&, const Answer&) = default;
};

// To a Fetch or Promise that this node can't serve.
struct Refusal {
  Leadership known;
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

// Candidate to everybody: accept no lower epoch from now on, and say what you know.
struct Promise {
  Leadership wanted;
  friend bool operator==(const Promise&, const Promise&) = default;
};

struct Promised {
  Leadership wanted;
  bool counts = false;        // was in a set in force once
  InSyncSet set;              // the newest that it has stored
  std::vector<LogName> logs;  // that it has of this partition number
  friend bool operator==(const Promised&, const Promised&) = default;
};

// Candidate to everybody: what do you know? It asks before it wants a promise, so that one who can't lead disturbs
// nobody.
struct Inquiry {
  friend bool operator==(const Inquiry&, const Inquiry&) = default;
};

struct Standing {
  Leadership promised;
  bool counts = false;  // was in a set in force once
  InSyncSet set;        // the newest that it has stored
  friend bool operator==(const Standing&, const Standing&) = default;
};

// Leader to one of its set: all that I have is committed, and nothing is being added. Lead.
struct HandOver {
  Leadership leadership;
  Offset end;
  friend bool operator==(const HandOver&, const HandOver&) = default;
};

// ---- what the owners of a Replica say to each other; it ignores them

// Leader to follower: all logs of the frame's partition number.
struct Logs {
  std::vector<LogName> names;
  friend bool operator==(const Logs&, const Logs&) = default;
};

// Follower to leader: my log is empty, which segments are there?
struct SegmentsWanted {
  Leadership known;
  friend bool operator==(const SegmentsWanted&, const SegmentsWanted&) = default;
};

struct SegmentEntry {
  Offset base;
  std::int64_t size = 0;
  friend bool operator==(const SegmentEntry&, const SegmentEntry&) = default;
};

// Leader to follower: a log in files, all as of one moment.
struct Segments {
  Leadership leadership;
  Offset end;                          // of the last batch
  std::vector<EpochLine> epochs;       // of all records below
  std::vector<SegmentEntry> segments;  // ascending; the last may be the one that is written, as far as it is
  friend bool operator==(const Segments&, const Segments&) = default;
};

// Follower to leader: so many bytes of a segment from there.
struct SegmentRead {
  Offset base;
  std::int64_t position = 0;
  std::int32_t size = 0;
  friend bool operator==(const SegmentRead&, const SegmentRead&) = default;
};

// Leader to follower. The bytes travel behind it.
struct SegmentBytes {
  Offset base;
  std::int64_t position = 0;
  std::int64_t file_size = -1;  // -1: that segment is gone; ask for the list again
  friend bool operator==(const SegmentBytes&, const SegmentBytes&) = default;
};

// Who leads a partition's first log to one that has another of its logs: stand for the lead of this one in that term,
// and hand it over to me when I have it.
struct Lend {
  std::int32_t term = 0;
  friend bool operator==(const Lend&, const Lend&) = default;
};

using Message = std::variant<Fetch, Answer, Refusal, Promise, Promised, Inquiry, Standing, HandOver, Logs,
                             SegmentsWanted, Segments, SegmentRead, SegmentBytes, Lend>;

struct Envelope {
  MemberId to;
  Message message;
  friend bool operator==(const Envelope&, const Envelope&) = default;
};

}  // namespace minod
