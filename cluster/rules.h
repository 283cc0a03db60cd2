// The rules that the protocol stands on, docs/REPLICATION.md. Each is always on; the model check turns one off at a
// time, to show that an acknowledged write is lost without it.
#pragma once

namespace minod {

struct Rules {
  bool fence_epochs = true;           // messages of another epoch change nothing
  bool keep_promises = true;          // a new epoch is stored before anything else is said
  bool truncate_by_epoch = true;      // a log is cut where it parts from the leader's, never to a watermark
  bool acknowledge_durable = true;    // what is acknowledged is on this member's disk
  bool leader_is_durable = true;      // the leader's own disk counts like another's
  bool count_requested_sets = true;   // members of a set that was requested count before it is in force
  bool shrink_when_stored = true;     // members that leave count until the smaller set is in force
  bool store_sets_everywhere = true;  // a set is in force when all of its members have stored it
  bool begin_with_own_set = true;     // a new leader commits nothing before a set of its own epoch is in force
  bool join_at_high_watermark = true;
  bool join_at_epoch_start = true;
  bool admit_with_others = true;   // enough that were in a set before know of a set with a member that never was
  bool enough_in_sync = true;      // nothing is committed by fewer members than the least
  bool elect_from_set = true;      // only a member of the newest set that was heard of may lead
  bool ask_before_leading = true;  // so many nodes promise that any set in force has one of them
  bool vote_when_in_force = true;  // to be in a set that was only requested gives no vote
  bool members_promise = true;     // a node that was never in a set in force knows of none: its promise does not count
  bool cut_what_was_compared = true;  // an answer about another end than the log has now cuts nothing
  bool inquire_first = true;          // a candidate that can't win is told so before anybody has promised it anything
  bool hand_over_when_committed = true;  // a leader hands over when all that it has is committed
  bool hand_over_in_quiet = true;        // and adds nothing from when it was asked to
  bool lead_when_led = true;       // a restart goes on leading only when it led: to have stood for a term is not enough
  bool lead_when_complete = true;  // a log that was started anew leads only when it has all again
  bool keep_incomplete = true;     // that it was is stored before the log is wiped
  bool forget_generations = true;  // what a log had before it was started anew does not count
  bool complete_by_leader = true;  // only the leader knows that it has all again,
  bool answer_generation = true;   // and says it of this log, not of the one before
  // Of all logs of a partition together.
  bool elect_for_new_logs = true;        // who was elected is elected for a log that it makes, too
  bool begin_with_leader_of_all = true;  // nobody begins a new log with another than who leads the first one
  bool tell_all_logs = true;  // who promises says which logs there are: the candidate has them before it leads
  bool show_all_logs = true;  // who joins a set has heard of all other logs
};

}  // namespace minod
