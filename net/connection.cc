#include "net/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/diag.h"
#include "net/shard.h"

namespace minod {

namespace {

constexpr std::size_t kKeptMemory = std::size_t{64} << 10;

}  // namespace

Connection::Connection(Shard& shard, std::uint64_t id, int fd, bool is_unix, std::string peer)
    : shard_(shard),
      id_(id),
      socket_(fd),
      is_unix_(is_unix),
      peer_(std::move(peer)),
      created_at_(shard.node().clock().monotonic()),
      active_at_(created_at_),
      session_(shard, *this) {
  gate_.wake = wake;
  gate_.lost = lost;
  gate_.connection = this;
  watch_.ready = [](SocketPoller::Member& member, std::uint32_t events) {
    static_cast<Watch&>(member).connection->ready(events);
  };
  watch_.connection = this;
}

Connection::~Connection() {
  shard_.gate().forget(gate_);
  shard_.sockets().forget(watch_);
}

void Connection::start() {
  if (const auto watched = shard_.sockets().add(socket_.get(), watch_); !watched) {
    diag::warning("a client is turned away: " + watched.error().message());
    close();
  }
}

void Connection::ready(std::uint32_t events) {
  queued_ = false;
  if (closed_) return;
  answer();  // what follows in the socket may be its end
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if (writing_ && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    writing_ = false;
    flush();
    if (!in_.empty() && !session_.waiting()) process();
  }
  if (readable_ && wants_input()) receive();
}

bool Connection::wants_input() const {
  return !closed_ && !closing_ && !executing_ && !session_.waiting() && !session_.holds_input() &&
         (in_.empty() || needs_more_);
}

// One read at a time: a client that sends without an end does not keep the others waiting.
void Connection::receive() {
  check(!session_.holds_input(), "requests that are parsed and have not run are views of the input");
  // Ten thousand idle clients must not cost a full buffer each, so the room follows what the client has sent.
  const std::size_t wanted = std::clamp(session_.missing_bytes(), read_size_, kReadBytesMax);
  char* const into = in_.reserve(wanted);
  const std::size_t room = in_.room();
  const ssize_t got = ::recv(socket_.get(), into, room, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    readable_ = errno == EINTR;
    if (readable_) process();
    return;
  }
  if (got <= 0) {
    close();
    return;
  }
  const auto size = static_cast<std::size_t>(got);
  if (size == room) {
    read_size_ = std::min(read_size_ * 4, kReadChunkBytes);
  } else {
    readable_ = hung_up_;  // a stream that gave less than asked is empty, and what comes next is a new edge
  }
  in_.grew(size);
  shard_.report().net_in_bytes += size;
  // Runs, or with what else has come: shard_.arrivals().serve(). Nothing is read into the input before that.
  if (session_.parse_early(in_, shard_.arrivals().prefetch())) {
    shard_.arrivals().add(*this);
  } else {
    process(Replies::kTogether);
  }
}

void Connection::process(Replies replies) {
  if (executing_ || closed_) return;
  bool full = false;
  do {
    executing_ = true;
    full = execute();
    executing_ = false;
    if (!full && replies == Replies::kTogether) {
      if (!std::exchange(unanswered_, true)) shard_.arrivals().answer(*this);
    } else {
      flush();
    }
  } while (full && !closed_ && !writing_ && !gate_.waiting && !unleased_);
  if (in_.empty()) in_.shrink(kKeptMemory);
  if (!full && readable_ && !queued_ && wants_input()) {
    queued_ = true;
    shard_.sockets().again(watch_);
  }
}

// True when it stopped because too many replies stand unsent: it goes on when the client has taken them.
bool Connection::execute() {
  needs_more_ = false;
  if (in_.empty()) return false;
  active_at_ = session_.begin_burst();
  while (!closing_ && !session_.waiting() && !in_.empty()) {
    if (replies_.bytes().size() > kUnreadRepliesMax) return true;
    if (shard_.overloaded()) {
      shard_.resume_when_relieved(id_);
      return false;
    }
    const resp::Session::Step step = session_.execute_next(in_, replies_);
    if (step == resp::Session::Step::kNeedsMore) {
      needs_more_ = true;
      return false;
    }
    if (step == resp::Session::Step::kClose) closing_ = true;
  }
  return false;
}

void Connection::leased() {
  unleased_ = false;
  if (closed_) return;
  flush();
  process();
}

void Connection::resume() {
  if (!closed_) process();
}

void Connection::run() { process(Replies::kTogether); }

void Connection::answer() {
  if (std::exchange(unanswered_, false)) flush();
}

void Connection::flush() {
  if (writing_ || closed_) return;
  if (tells_of_keys_ && shard_.waits_for_lease()) {
    if (!std::exchange(unleased_, true)) shard_.resume_when_leased(id_);
    return;
  }
  tells_of_keys_ = false;
  for (;;) {
    const std::size_t size = replies_.released();
    if (size == 0) break;
    const ssize_t sent = ::send(socket_.get(), replies_.bytes().data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        writing_ = true;  // the edge of EPOLLOUT is to come
      } else {
        close();
      }
      return;
    }
    replies_.sent(static_cast<std::size_t>(sent));
    shard_.report().net_out_bytes += static_cast<std::uint64_t>(sent);
  }
  if (const Dependency* const dependency = replies_.waits_for()) {
    if (!gate_.waiting) shard_.gate().wait(gate_, *dependency);
    return;
  }
  replies_.bytes().shrink(kKeptMemory);
  if (closing_) close();
}

void Connection::wake(CommitGate::Waiter& waiter) {
  Connection& connection = *static_cast<Gate&>(waiter).connection;
  connection.flush();
  // Commands that stopped because too many replies were held.
  connection.process();
}

// Whether what it asked for has happened, nobody can say.
void Connection::lost(CommitGate::Waiter& waiter) { static_cast<Gate&>(waiter).connection->close(); }

void Connection::close_after_reply() {
  closing_ = true;
  flush();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  session_.cancel(in_);
  shard_.gate().forget(gate_);
  socket_ = Fd();
  shard_.closed(id_);
}

}  // namespace minod
