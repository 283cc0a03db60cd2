// What a client says over its connection, in the Redis protocol: its requests in order, and the state that outlives a
// request (database, name, authentication, protocol version). Commands on keys go to the store of the shard that owns
// the partition; commands on the connection and the server run here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_queue.h"
#include "net/burst_clock.h"
#include "net/reply_queue.h"
#include "net/resp/lookahead.h"
#include "net/resp/multi.h"
#include "net/resp/parser.h"
#include "net/resp/spread.h"
#include "net/resp/touched.h"
#include "store/command.h"
#include "store/reply.h"
#include "store/request.h"
#include "store/store.h"

namespace minod {

class Connection;
class Prefetch;
class Shard;

namespace resp {

class Session {
 public:
  Session(Shard& shard, Connection& connection);
  ~Session();

  enum class Step : std::uint8_t {
    kDone,       // a request was used up
    kNeedsMore,  // `in` does not hold a whole request
    kWaiting,    // the request waits; Connection::resume() follows, then call again with the same input
    kClose,      // close the connection when the replies have left
  };
  // Before the first of the commands that run one after the other; returns when that is.
  MonotonicNanos begin_burst();
  // Parses what has come. True: it is one request, and its key is added to `prefetch`. Of several requests each hides
  // the loads of the others.
  bool parse_early(const ByteQueue& in, Prefetch& prefetch);
  // Requests that have not run are parsed: they are views of the input, which must stay where it is.
  bool holds_input() const { return !ahead_->empty(); }

  // Executes the request at the front of `in`.
  Step execute_next(ByteQueue& in, ReplyQueue& replies);

  bool waiting() const { return waiting_; }
  // The connection is closing: forgets what the request waits for. What other shards still read of `in` stays with
  // them.
  void cancel(ByteQueue& in);
  std::size_t missing_bytes() const { return parser_.missing(); }

  // ---- for the commands that run here (connection_commands.cc and its neighbours)

  struct State {
    std::string name;
    std::string lib_name;
    std::string lib_version;
    std::string_view last_command;  // "client|list"; the table's own
    int db = 0;
    Protocol protocol = Protocol::kResp2;
    bool authenticated = false;
    bool reply_off = false;        // CLIENT REPLY OFF
    bool skip_next_reply = false;  // CLIENT REPLY SKIP: the next command's reply is dropped
    bool skip_this_reply = false;
    bool no_evict = false;
    bool no_touch = false;
    bool read_only = false;  // READONLY: what a replica has is good enough
  };
  State& state() { return state_; }
  const State& state() const { return state_; }
  Shard& shard() { return shard_; }
  Connection& connection() { return connection_; }
  std::span<const std::string_view> args() const { return args_; }
  Reply& reply() { return *reply_; }
  bool quitting() const { return quit_; }
  void quit() { quit_ = true; }  // close after this reply
  // The reply comes later, as RESP bytes, through finish_later(); alive() tells then whether this session still is.
  void reply_later() { waiting_ = true; }
  void finish_later(std::string bytes);
  std::shared_ptr<bool> alive() const { return alive_; }

  // ---- transactions (multi.cc)

  bool in_multi() const;
  bool executing_transaction() const { return exec_ != nullptr; }
  bool multi_is_used() const { return multi_ != nullptr || exec_ != nullptr; }
  std::int64_t queued_commands() const;  // -1: not in MULTI
  std::size_t queued_bytes() const;
  std::size_t spread_bytes() const { return spread_ ? spread_->memory_bytes() : 0; }
  Multi& multi_state();
  void drop_transaction();  // with what is watched
  void watch();
  void exec();

 private:
  RequestParser::Status fill_ahead(const ByteQueue& in);
  Step look_ahead(ByteQueue& in);
  void prefetch(Prefetch& prefetch) const;
  bool spread();
  bool place(Lookahead::Request& request) const;
  Step run_spread(ByteQueue& in, ReplyQueue& replies);
  void end_spread(ByteQueue& in);
  Step dispatch(ReplyQueue& replies, ByteQueue& in);
  bool refuse(const CommandSpec* spec, const CommandSpec* leaf);
  std::string_view refused_by_role(const CommandSpec& leaf) const;
  Step run_timed(const CommandSpec& spec, const CommandSpec& leaf, ReplyQueue& replies);
  void note_slow(const CommandSpec& leaf, Nanos took);
  Step run_here(const CommandSpec& spec);
  Step run_in_store(const CommandSpec& spec, ReplyQueue& replies);
  bool run_own(const CommandSpec& spec, std::uint16_t partition, Reply& reply, ByteQueue& out);
  Step run_on(int shard, const CommandSpec& spec);
  Step run_joint(const CommandSpec& spec, const Touched& touched, ReplyQueue& replies);
  bool run_transaction(const std::shared_ptr<Transaction>& transaction, const Touched& touched);
  bool waits_for_role(const Transaction& transaction, std::span<const std::uint16_t> partitions);
  bool wait_for_role();
  bool refuse_transaction(Transaction& transaction, std::span<const std::uint16_t> partitions);
  void reject(const CommandSpec& leaf, const std::string& text);
  bool queues(const CommandSpec& spec) const;
  void queue(const CommandSpec& spec, const CommandSpec& leaf);
  void refuse_queued(std::string_view text);
  bool begin_exec();
  bool run_stored();
  void finish_exec();
  bool collect_replies();

  Shard& shard_;
  Connection& connection_;
  State state_;
  RespLimits limits_;
  RequestParser parser_;
  std::unique_ptr<Lookahead> ahead_;  // requests of the input that are parsed and have not run
  std::unique_ptr<Spread> spread_;    // of them, those that several shards run; null: there were never any
  Request request_;
  BurstClock burst_;
  std::span<const std::string_view> args_;
  Reply* reply_ = nullptr;
  ReplyQueue* replies_ = nullptr;
  bool waiting_ = false;
  bool quit_ = false;
  bool has_later_ = false;
  std::string later_;                   // bytes of a reply that came from elsewhere
  std::shared_ptr<Transaction> joint_;  // a command on several logs
  bool joint_answered_ = false;         // what the conductor was asked to run is done
  std::unique_ptr<Multi> multi_;        // null: nothing is watched or queued
  std::unique_ptr<Exec> exec_;
  std::shared_ptr<bool> alive_;  // for answers that come from other shards
};

// Runs a command that the table marks kConnection. connection_commands.cc.
void run_connection_command(Session& session, const CommandSpec& spec);

}  // namespace resp
}  // namespace minod
