#include "net/connection.h"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <cerrno>

#include "net/shard.h"

namespace minod {

namespace {

namespace asio = boost::asio;

// A client that does not read its replies is not served further above this; what one command answers may exceed it.
constexpr std::size_t kUnreadRepliesMax = std::size_t{1} << 20;
constexpr std::size_t kKeptMemory = std::size_t{64} << 10;

}  // namespace

Connection::Connection(Shard& shard, std::uint64_t id, int fd, bool is_unix, std::string peer)
    : shard_(shard),
      id_(id),
      socket_(shard.io().get_executor(), asio::generic::stream_protocol(is_unix ? AF_UNIX : AF_INET, 0), fd),
      is_unix_(is_unix),
      peer_(std::move(peer)),
      created_at_(shard.node().clock().monotonic()),
      active_at_(created_at_),
      session_(shard, *this) {
  socket_.native_non_blocking(true);
  gate_.wake = wake;
  gate_.connection = this;
}

Connection::~Connection() { shard_.gate().forget(gate_); }

void Connection::start() { read(); }

void Connection::read() {
  if (reading_ || closed_ || closing_) return;
  // Ten thousand idle clients must not cost a full buffer each, so the room follows what the client has sent.
  const std::size_t wanted = std::clamp(session_.missing_bytes(), read_size_, kReadBytesMax);
  char* const into = in_.reserve(wanted);
  reading_ = true;
  ++operations_;
  socket_.async_read_some(asio::buffer(into, in_.room()),
                          [this](const boost::system::error_code& error, std::size_t size) {
                            --operations_;
                            reading_ = false;
                            if (error || closed_) {
                              close();
                              return;
                            }
                            if (size == in_.room()) read_size_ = std::min(read_size_ * 4, kReadChunkBytes);
                            in_.grew(size);
                            shard_.report().net_in_bytes += size;
                            active_at_ = shard_.node().clock().monotonic();
                            process();
                          });
}

void Connection::process() {
  if (executing_ || closed_) return;
  bool full = false;
  do {
    executing_ = true;
    full = execute();
    executing_ = false;
    flush();
  } while (full && !closed_ && !writing_ && !gate_.waiting);
  if (in_.empty()) in_.shrink(kKeptMemory);
  if (!full && !closed_ && !session_.waiting() && (in_.empty() || needs_more_)) read();
}

// True when it stopped because too many replies stand unsent: it goes on when the client has taken them.
bool Connection::execute() {
  needs_more_ = false;
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

void Connection::resume() {
  if (!closed_) process();
}

void Connection::flush() {
  if (writing_ || closed_) return;
  for (;;) {
    const std::size_t size = replies_.released();
    if (size == 0) break;
    const ssize_t sent = ::send(socket_.native_handle(), replies_.bytes().data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        wait_writable();
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

void Connection::wait_writable() {
  writing_ = true;
  ++operations_;
  socket_.async_wait(Socket::wait_write, [this](const boost::system::error_code& error) {
    --operations_;
    writing_ = false;
    if (error || closed_) {
      close();
      return;
    }
    flush();
    if (!closed_ && !in_.empty() && !session_.waiting()) process();
  });
}

void Connection::wake(CommitGate::Waiter& waiter) {
  Connection& connection = *static_cast<Gate&>(waiter).connection;
  connection.flush();
  // Commands that stopped because too many replies were held.
  if (!connection.closed_ && !connection.reading_) connection.process();
}

void Connection::close_after_reply() {
  closing_ = true;
  flush();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  session_.cancel();
  shard_.gate().forget(gate_);
  boost::system::error_code ignored;
  socket_.close(ignored);
  shard_.closed(id_);
}

}  // namespace minod
