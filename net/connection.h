// One client's socket: reads, lets the session execute, holds replies until what they tell is committed, writes. TCP
// and Unix sockets alike. Belongs to its shard.
#pragma once

#include <cstdint>
#include <string>

#include "base/byte_queue.h"
#include "base/fd.h"
#include "net/commit_gate.h"
#include "net/limits.h"
#include "net/reply_queue.h"
#include "net/resp/session.h"
#include "net/socket_poller.h"

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
  // What was parsed; its replies leave with answer(). For Arrivals.
  void run();
  void answer();
  // A command on keys has run: its reply is true as long as nobody else leads.
  void told_of_keys() { tells_of_keys_ = true; }
  // Replies may leave again: Shard::resume_when_leased().
  void leased();

  // After the replies so far have left, or at once.
  void close_after_reply();
  void close();

  std::uint64_t id() const { return id_; }
  resp::Session& session() { return session_; }
  const resp::Session& session() const { return session_; }
  const std::string& peer() const { return peer_; }
  const std::string& local() const { return local_; }
  bool is_unix() const { return is_unix_; }
  int fd() const { return socket_.get(); }
  std::size_t memory_bytes() const {
    return sizeof *this + in_.capacity() + replies_.bytes().capacity() + session_.queued_bytes() +
           session_.spread_bytes();
  }
  std::size_t input_bytes() const { return in_.size(); }
  std::size_t input_room() const { return in_.room(); }
  std::size_t output_bytes() const { return replies_.bytes().size(); }
  bool holds_replies() const { return !replies_.empty(); }
  MonotonicNanos created_at() const { return created_at_; }
  MonotonicNanos active_at() const { return active_at_; }
  bool idle() const { return !executing_ && in_.empty() && replies_.empty(); }
  bool half_command() const { return !in_.empty() && !session_.waiting(); }

 private:
  void ready(std::uint32_t events);
  bool wants_input() const;
  void receive();
  enum class Replies : std::uint8_t { kNow, kTogether };
  void process(Replies replies = Replies::kNow);
  bool execute();
  void flush();
  static void wake(CommitGate::Waiter& waiter);
  static void lost(CommitGate::Waiter& waiter);

  struct Gate : CommitGate::Waiter {
    Connection* connection = nullptr;
  };
  struct Watch : SocketPoller::Member {
    Connection* connection = nullptr;
  };

  Shard& shard_;
  std::uint64_t id_;
  Fd socket_;
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
  Watch watch_;
  bool readable_ = false;  // the socket may hold input that was not read
  bool hung_up_ = false;   // the client sends no more: an end, or an error, stands behind the input
  bool queued_ = false;    // the poller calls again without an edge
  bool writing_ = false;   // waiting for the socket to take more
  bool executing_ = false;
  bool unanswered_ = false;     // answer() follows
  bool needs_more_ = false;     // the input is not a whole request
  bool tells_of_keys_ = false;  // since flush() last looked whether this node still leads
  bool unleased_ = false;       // waits for leased()
  bool closing_ = false;        // no more commands; closed when the replies have left
  bool closed_ = false;
};

}  // namespace minod
