// Everything that a member knows about one log, as plain values: a simulation copies and compares it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "cluster/epoch_history.h"
#include "cluster/in_sync_set.h"
#include "cluster/member.h"
#include "cluster/message.h"
#include "cluster/rules.h"

namespace minod {

// The same on every node of a group.
struct GroupOptions {
  std::size_t nodes = 2;          // that hold a copy, the leader included
  std::size_t least = 1;          // members that must have a record before it is committed, the leader included
  Millis lag_max{10'000};         // a member that has not had the leader's end for so long leaves the set
  Millis idle_answer{300};        // a fetch is answered after this, whether there is anything new or not
  Millis retry{1'000};            // a fetch that was not answered is sent again
  std::size_t answers_ahead = 4;  // so many answers with records leave before the first is acknowledged
  Millis ask_max{5'000};          // a promotion is given up when too few have answered for so long
  Rules rules;
};

// What survives a restart: docs/FORMAT.md, "replication-state".
struct StoredState {
  Leadership promised;   // no lower epoch is accepted
  bool counts = false;   // was in a set in force once, or in one of another log of the partition when this log was
                         // made: it may take part in an election
  bool in_force = true;  // of a leader: the first of `sets` was stored by all of its members
  std::vector<InSyncSet> sets;  // the one in force, then those requested since; a follower: the one it was told
  EpochHistory epochs;
  Offset committed;              // a lower bound of the high watermark
  bool incomplete = false;       // the log was started anew, and has not been of a set in force since: it may not lead
  std::uint32_t generation = 0;  // how often the log was started anew
  friend bool operator==(const StoredState&, const StoredState&) = default;
};

enum class Role : std::uint8_t { kFollower, kCandidate, kLeader };

// What a leader knows of another member, from fetches of this epoch.
struct Progress {
  MemberId member;
  Offset durable;
  Offset end;                               // of its log, when it has all that was sent
  Offset told;                              // the high watermark that it was told
  SetVersion stored;                        // the newest set that it has stored
  SetVersion told_set;                      // the newest that was sent to it
  bool told_in_force = false;               // and that it is in force
  std::optional<std::uint32_t> generation;  // of its log
  bool wants = false;                       // it gets an answer as soon as there is something new
  std::vector<Offset> sent;                 // ends of the answers that it has not acknowledged
  Offset leader_end;                        // when it fetched last
  Millis fetched_at;                        // likewise
  Millis caught_up_at;                      // when it last had all that the leader had
  Millis wants_since;
  friend bool operator==(const Progress&, const Progress&) = default;
};

struct ReplicaState {
  StoredState stored;  // as it is to be; what is on disk may be older, see Output::store
  Role role = Role::kFollower;
  Offset end;      // of the log
  Offset durable;  // of what is on this disk

  // A leader's.
  Offset epoch_start;
  SetVersion own_stored;  // the newest set that is on this disk
  std::vector<Progress> progress;
  Offset first;             // what is below is not shipped to logs that end there
  Offset first_of_empty;    // nor to an empty one
  bool more_comes = false;  // records are gathered that followers get soon
  MemberId handing_to;      // who is to lead; no record is added meanwhile
  std::optional<Millis> handed_at;
  std::vector<MemberId> greeting;  // who has not fetched in this epoch, and was asked for its promise
  Millis greeted_at;

  // A follower's.
  MemberId following;  // whom it fetches from
  bool waits_for_answer = false;
  bool cutting = false;  // the log is being cut
  bool wiping = false;   // the log is being started anew
  bool copying = false;  // the log is empty, its beginning is being copied
  bool stuck = false;    // what is committed here is not at the leader
  Offset told;           // the leader's high watermark
  Millis sent_at;
  Millis heard_at;

  // A candidate's, and before: of a follower that asks whether it could lead.
  bool asking = false;
  Millis asking_since;
  Millis asked_at;
  std::int32_t newest_term = 0;  // that was heard of
  std::vector<MemberId> asked;
  std::vector<MemberId> promises;  // that count; while it asks: answers that count
  MemberId led_before;
  InSyncSet newest;  // of the sets that were heard of

  friend bool operator==(const ReplicaState&, const ReplicaState&) = default;
};

}  // namespace minod
