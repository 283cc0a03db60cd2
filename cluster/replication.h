// One shard's logs in their group: for each log of its Store a cluster/replicated_log.h, that is one Replica and what
// carries out its Output. docs/REPLICATION.md.
//
// Belongs to one thread, that of the Store and its Disk. Nothing here blocks but open().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "cluster/joint_round.h"
#include "cluster/log_name.h"
#include "cluster/member.h"
#include "cluster/message.h"
#include "cluster/replica_state.h"
#include "cluster/transport.h"
#include "log/ack_policy.h"
#include "log/disk.h"
#include "log/joint_reach.h"
#include "replay/recovery.h"
#include "store/store.h"

namespace minod {

// Commands wait so long for a log that its leader-to-be has no answer about.
inline constexpr Millis kClaimMax{3'000};

struct ReplicationOptions {
  GroupOptions group;
  AckPolicy acks = AckPolicy::kAll;                      // when a leader's replies leave
  std::size_t answer_bytes_max = std::size_t{1} << 20;   // of records in one answer, unless one batch is larger
  std::size_t ring_bytes = std::size_t{4} << 20;         // of a log's newest batches, kept in RAM for followers
  std::size_t apply_queue_bytes = std::size_t{8} << 20;  // of a log's batches that wait for the high watermark
  std::size_t backlog_max = std::size_t{8} << 20;        // on the way to one member; then it has to wait
  std::shared_ptr<JointReach> reach = nullptr;           // of all shards of the node; none: it makes its own
  std::shared_ptr<JointRound> round = nullptr;           // likewise
  std::uint64_t copy_from = std::uint64_t{64} << 20;   // a new member copies files when there is so much in sealed ones
  std::uint64_t copy_rate = std::uint64_t{256} << 20;  // bytes a second of segments that a new member fetches
  std::vector<int> own = {};  // partition numbers, of which a leader makes the first log by itself
};

// For INFO and ROLE. Numbers are of all logs of the shard together; offsets are sums over them.
struct MemberReport {
  MemberId member;
  bool connected = false;
  bool in_sync = false;  // in every log
  std::uint64_t offset_lag = 0;
  std::uint64_t bytes_lag = 0;  // as far as it is known: by the mean size of a record
  Millis ms_lag;                // the longest since it last had all that the leader had
  std::int64_t acknowledged = 0;
};

struct ReplicationReport {
  Role role = Role::kFollower;  // kLeader when all logs lead
  MemberId leader;              // nobody: not known
  std::int32_t term = 0;        // the greatest
  std::int64_t committed = 0;
  std::int64_t end = 0;
  std::size_t in_sync_least = 0;   // the fewest members in sync of any log
  bool enough_in_sync = false;     // of every log: writes can be acknowledged
  bool loading = false;            // some log recovers or is being copied
  std::uint64_t copied_bytes = 0;  // of segments, since the start
  Millis heard_ago;                // from the leader
  std::vector<MemberReport> members;
};

// Of the log in `directory`, for recover_together(): nothing when this node led it last, or nobody ever did.
// `fetches_again`: a leader will be followed, so what is damaged here is fetched from it. Blocking.
Result<std::optional<FollowedLog>> followed_log(Disk& disk, const std::string& directory, MemberId self,
                                                bool fetches_again);

class Replication {
 public:
  // What is named stays the caller's and outlives this.
  Replication(Disk& disk, const Clock& clock, Store& store, MemberId self, ReplicationOptions options,
              Transport& transport);
  ~Replication();

  // Start-up, blocking: after recovery, before Store::start(). Reads what each log's member has promised.
  Result<void> open();

  // ---- what the operator wants: of all logs, those made later included

  void lead();                   // it led last, or was never replicated; else on_refused
  void follow(MemberId leader);  // the link to it is there, or there again
  void promote(std::vector<MemberId> others, bool accept_loss);
  // Some log is still led here that is to be handed over: to follow now would leave it without a leader.
  bool hands_over() const;
  void hand_over(MemberId to);  // no write runs until `to` has all and leads; may be called again to give up: kNobody

  // ---- what happens

  // `batches` is only looked at during the call.
  void receive(MemberId from, const LogName& log, const Message& message, Bytes batches);
  void connected(MemberId member);  // a leader tells it which logs there are
  void disconnected(MemberId member);
  void tick();  // about ten times a second
  bool poll();  // once a turn, after Disk::poll() and before Store::end_turn(); true: again at once, there is more
  bool idle() const;
  void abandon();  // nothing in flight will ever complete: see Log::abandon()

  // ---- what comes of it

  bool leads(int db, int partition) const;  // commands that write may run
  // A leader's: for how long it has tried to lead this log, too, which others have or may have. Nothing: it does not.
  std::optional<Millis> claimed_for(int db, int partition) const;
  bool may_read(int db, int partition) const;  // a leader: always. A follower: it has applied nothing above the HW
  Offset acknowledged(int db, int partition, std::size_t members) const;  // so many others have all below this
  ReplicationReport report() const;

  std::function<void()> on_role = [] {};                                    // some log's role has changed
  std::function<void(const std::string&)> on_refused = [](const auto&) {};  // an operator has to know

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace minod
