// WAIT and WAITAOF: how many replicas, and whether this disk, have what was written before. Without replication there
// are none, and replies leave only when what they tell is on this disk anyway.
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "net/connection.h"
#include "net/node_replication.h"
#include "net/resp/connection_commands.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/number.h"

namespace minod::resp {

namespace {

using Timer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      boost::asio::io_context::executor_type>;

// A waiting connection does not read, so whether its client is still there is looked at this often.
constexpr std::chrono::milliseconds kLookEvery{1000};
// Of members that are looked for; a group has fewer.
constexpr std::int64_t kMembersAsked = 64;

bool client_left(int fd) {
  char byte = 0;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

struct Wanted {
  std::int64_t members = 0;
  bool local = false;
  bool tells_local = false;  // WAITAOF
};

// Owned by its own timer's handler.
class Waiting : public std::enable_shared_from_this<Waiting> {
 public:
  // No `deadline`: for ever, which is what timeout 0 means.
  Waiting(Session& session, Wanted wanted, std::optional<Timer::time_point> deadline)
      : shard_(session.shard()),
        session_(session),
        alive_(session.alive()),
        timer_(shard_.io().get_executor()),
        wanted_(wanted),
        deadline_(deadline) {
    ++shard_.report().blocked_clients;
  }

  // Asks all shards with logs of a group; they tell until they are told to stop.
  void ask() {
    static std::atomic<std::uint64_t> numbers{0};
    id_ = ++numbers;
    Node& node = shard_.node();
    for (int i = 0; i < node.shard_count(); ++i) {
      Shard& asked = node.shard(i);
      if (asked.replication() == nullptr) continue;
      const std::size_t at = answers_.size();
      answers_.push_back({});
      // Only this thread keeps it alive, since its timer is this thread's.
      const std::weak_ptr<Waiting> weak = weak_from_this();
      asked.post(shard_.number(), [&asked, at, weak, id = id_, &origin = shard_] {
        asked.replication()->watch_acks(id, kMembersAsked,
                                        [&asked, at, weak, &origin](std::size_t members, bool local) {
                                          origin.post(asked.number(), [at, weak, members, local] {
                                            if (const auto self = weak.lock()) self->told(at, members, local);
                                          });
                                        });
      });
    }
  }

  void go_on() {
    if (done_) return;
    const auto now = std::chrono::steady_clock::now();
    if (!*alive_) {
      end();
    } else if (enough() || (deadline_ && now >= *deadline_)) {
      end();
      finish_later(session_, [&](Reply& reply) { answer(reply); });
    } else if (shard_.node().replication() != nullptr && !shard_.node().replication()->leads()) {
      end();
      finish_later(session_, [](Reply& reply) {
        reply.error("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)");
      });
    } else if (client_left(session_.connection().fd())) {
      end();
      session_.connection().close();
    } else {
      timer_.expires_at(deadline_ ? std::min(*deadline_, now + kLookEvery) : now + kLookEvery);
      timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) { self->go_on(); });
    }
  }

 private:
  struct Answer {
    bool there = false;
    std::size_t members = 0;
    bool local = false;
  };

  void told(std::size_t at, std::size_t members, bool local) {
    answers_[at] = {true, members, local};
    if (!done_ && enough()) timer_.cancel();  // its handler goes on
  }

  std::int64_t members() const {
    std::size_t least = answers_.empty() ? 0 : kMembersAsked;
    for (const Answer& one : answers_) least = std::min(least, one.members);
    return static_cast<std::int64_t>(least);
  }
  // Without replication, what was answered before is on this disk, or will not be waited for.
  bool local() const { return std::ranges::all_of(answers_, &Answer::local); }
  bool enough() const {
    return std::ranges::all_of(answers_, &Answer::there) && members() >= wanted_.members && (!wanted_.local || local());
  }

  void answer(Reply& reply) const {
    if (wanted_.tells_local) {
      reply.array(2);
      reply.integer(local() ? 1 : 0);
    }
    reply.integer(members());
  }

  void end() {
    done_ = true;
    --shard_.report().blocked_clients;
    Node& node = shard_.node();
    for (int i = 0; i < node.shard_count(); ++i) {
      Shard& asked = node.shard(i);
      if (asked.replication() == nullptr) continue;
      asked.post(shard_.number(), [&asked, id = id_] { asked.replication()->forget_acks(id); });
    }
  }

  Shard& shard_;
  Session& session_;  // while *alive_
  std::shared_ptr<bool> alive_;
  Timer timer_;
  Wanted wanted_;
  std::optional<Timer::time_point> deadline_;
  std::uint64_t id_ = 0;
  std::vector<Answer> answers_;  // of the shards that were asked
  bool done_ = false;
};

void wait_for(Session& session, Wanted wanted, std::string_view timeout) {
  const auto timeout_ms = parse_integer(timeout);
  if (!timeout_ms) return session.reply().error("ERR timeout is not an integer or out of range");
  if (*timeout_ms < 0) return session.reply().error("ERR timeout is negative");
  const NodeReplication* const replication = session.shard().node().replication();
  const bool none = replication == nullptr && wanted.members <= 0;
  if (session.executing_transaction() || none) {
    if (wanted.tells_local) session.reply().array(2);
    if (wanted.tells_local) session.reply().integer(session.executing_transaction() ? 0 : 1);
    return session.reply().integer(0);
  }
  std::optional<Timer::time_point> deadline;
  if (*timeout_ms > 0) deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(*timeout_ms);
  session.reply_later();
  const auto waiting = std::make_shared<Waiting>(session, wanted, deadline);
  if (replication != nullptr) waiting->ask();
  waiting->go_on();
}

// Replies the error.
bool refused_at_replica(Session& session, std::string_view text) {
  const NodeReplication* const replication = session.shard().node().replication();
  if (replication == nullptr || replication->leads()) return false;
  session.reply().error(text);
  return true;
}

}  // namespace

void wait(Session& session) {
  if (refused_at_replica(session,
                         "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a "
                         "replica is configured to be writable (which is not the default) writes to replicas are just "
                         "local and are not propagated.")) {
    return;
  }
  const auto replicas = parse_integer(session.args()[1]);
  if (!replicas) return session.reply().error("ERR value is not an integer or out of range");
  wait_for(session, Wanted{*replicas, false, false}, session.args()[2]);
}

void waitaof(Session& session) {
  const auto local = parse_integer(session.args()[1]);
  if (!local || *local < 0 || *local > 1) {
    return session.reply().error(local ? "ERR value is out of range, must be between 0 and 1"
                                       : "ERR value is not an integer or out of range");
  }
  const auto replicas = parse_integer(session.args()[2]);
  if (!replicas) return session.reply().error("ERR value is not an integer or out of range");
  if (*replicas < 0) return session.reply().error("ERR value is out of range, must be positive");
  if (refused_at_replica(session,
                         "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas "
                         "are just local and are not propagated.")) {
    return;
  }
  wait_for(session, Wanted{*replicas, *local == 1, true}, session.args()[3]);
}

}  // namespace minod::resp
