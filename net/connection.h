// One client's socket: reads, lets the session execute, holds replies until what they tell is committed, writes. TCP
// and Unix sockets alike. Belongs to its shard.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <string>

#include "base/byte_queue.h"
#include "net/commit_gate.h"
#include "net/limits.h"
#include "net/reply_queue.h"
#include "net/resp/session.h"

namespace minod {

class Shard;

class Connection {
 public:
  // Takes the descriptor over.
  Connection(Shard& shard, std::uint64_t id, int fd, bool is_unix, std::string peer);
  ~Connection();

  void start();

  // The session can go on: a value was read, room was made, another shard answered.
  void resume();

  // After the replies so far have left, or at once.
  void close_after_reply();
  void close();

  std::uint64_t id() const { return id_; }
  resp::Session& session() { return session_; }
  const resp::Session& session() const { return session_; }
  const std::string& peer() const { return peer_; }
  const std::string& local() const { return local_; }
  bool is_unix() const { return is_unix_; }
  int fd() { return socket_.native_handle(); }
  bool can_be_destroyed() const { return closed_ && operations_ == 0; }
  std::size_t memory_bytes() const { return sizeof *this + in_.capacity() + replies_.bytes().capacity(); }
  std::size_t input_bytes() const { return in_.size(); }
  std::size_t input_room() const { return in_.room(); }
  std::size_t output_bytes() const { return replies_.bytes().size(); }
  MonotonicNanos created_at() const { return created_at_; }
  MonotonicNanos active_at() const { return active_at_; }
  bool idle() const { return !executing_ && in_.empty() && replies_.empty(); }
  bool half_command() const { return !in_.empty() && !session_.waiting(); }

 private:
  using Socket =
      boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, boost::asio::io_context::executor_type>;
  void read();
  void process();
  bool execute();
  void flush();
  void wait_writable();
  static void wake(CommitGate::Waiter& waiter);

  struct Gate : CommitGate::Waiter {
    Connection* connection = nullptr;
  };

  Shard& shard_;
  std::uint64_t id_;
  Socket socket_;
  bool is_unix_;
  std::string peer_;
  std::string local_;
  MonotonicNanos created_at_;
  MonotonicNanos active_at_;
  ByteQueue in_;
  std::size_t read_size_ = kReadBytesMin;
  ReplyQueue replies_;
  resp::Session session_;
  Gate gate_;
  int operations_ = 0;  // asynchronous ones that hold a pointer to this
  bool reading_ = false;
  bool writing_ = false;  // waiting for the socket to take more
  bool executing_ = false;
  bool needs_more_ = false;  // the input is not a whole request
  bool closing_ = false;     // no more commands; closed when the replies have left
  bool closed_ = false;
};

}  // namespace minod
