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
#include "cluster/member.h"

namespace minod {

// Follower to leader: what I have, and give me more. Also the acknowledgement.
struct Fetch {
  Leadership known;    // whom the follower follows
  Leadership last;     // of its last record
  Offset end;          // of its log
  Offset durable;      // of what is on its disk
  Offset told;         // the leader's high watermark, as it was last told
  SetVersion set;      // the newest set it has stored
  bool wants = false;  // an Answer, as soon as there is something new; else this acknowledges only
  friend bool operator==(const Fetch&, const Fetch&) = default;
};

// Leader to follower. The batches of [begin, next) travel behind it.
struct Answer {
  Leadership leadership;
  Offset begin;
  Offset next;
  std::vector<EpochLine> epochs;                       // of the records of [begin, next)
  std::optional<EpochHistory::Divergence> divergence;  // then nothing else counts
  Offset committed;                                    // the high watermark
  InSyncSet set;
  bool in_force = false;  // that set
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
  bool counts = false;  // was in a set in force once
  InSyncSet set;        // the newest that it has stored
  friend bool operator==(const Promised&, const Promised&) = default;
};

using Message = std::variant<Fetch, Answer, Refusal, Promise, Promised>;

struct Envelope {
  MemberId to;
  Message message;
  friend bool operator==(const Envelope&, const Envelope&) = default;
};

}  // namespace minod
