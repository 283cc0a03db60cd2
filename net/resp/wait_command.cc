// WAIT: replies leave only when what they tell is on disk, so only replicas are left to wait for, and there are none.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "net/connection.h"
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

bool client_left(int fd) {
  char byte = 0;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

// Owned by its own timer's handler.
class Waiting : public std::enable_shared_from_this<Waiting> {
 public:
  // No `deadline`: for ever, which is what timeout 0 means.
  Waiting(Session& session, std::optional<Timer::time_point> deadline)
      : shard_(session.shard()),
        session_(session),
        alive_(session.alive()),
        timer_(shard_.io().get_executor()),
        deadline_(deadline) {
    ++shard_.report().blocked_clients;
  }

  void go_on() {
    const auto now = std::chrono::steady_clock::now();
    if (!*alive_) {
      --shard_.report().blocked_clients;
    } else if (deadline_ && now >= *deadline_) {
      --shard_.report().blocked_clients;
      finish_later(session_, [](Reply& reply) { reply.integer(0); });
    } else if (client_left(session_.connection().fd())) {
      --shard_.report().blocked_clients;
      session_.connection().close();
    } else {
      timer_.expires_at(deadline_ ? std::min(*deadline_, now + kLookEvery) : now + kLookEvery);
      timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) { self->go_on(); });
    }
  }

 private:
  Shard& shard_;
  Session& session_;  // while *alive_
  std::shared_ptr<bool> alive_;
  Timer timer_;
  std::optional<Timer::time_point> deadline_;
};

}  // namespace

void wait(Session& session) {
  const auto replicas = parse_integer(session.args()[1]);
  if (!replicas) return session.reply().error("ERR value is not an integer or out of range");
  const auto timeout_ms = parse_integer(session.args()[2]);
  if (!timeout_ms) return session.reply().error("ERR timeout is not an integer or out of range");
  if (*timeout_ms < 0) return session.reply().error("ERR timeout is negative");
  if (*replicas <= 0 || session.executing_transaction()) return session.reply().integer(0);
  std::optional<Timer::time_point> deadline;
  if (*timeout_ms > 0) deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(*timeout_ms);
  session.reply_later();
  std::make_shared<Waiting>(session, deadline)->go_on();
}

}  // namespace minod::resp
