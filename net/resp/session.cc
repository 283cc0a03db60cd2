#include "net/resp/session.h"

#include <algorithm>

#include "net/connection.h"
#include "net/node_replication.h"
#include "net/prefetch.h"
#include "net/remote_call.h"
#include "net/shard.h"
#include "store/slot.h"

namespace minod::resp {

namespace {

// As Redis prints it: 128 characters of the name, and of all arguments together, each up to its first NUL.
std::string unknown_command(std::span<const std::string_view> args) {
  constexpr std::size_t kShown = 128;
  const auto shown = [](std::string_view text, std::size_t most) {
    return std::string(text.substr(0, std::min(text.find('\0'), most)));
  };
  std::string list;
  for (std::size_t i = 1; i < args.size() && list.size() < kShown; ++i) {
    list += "'" + shown(args[i], kShown - list.size()) + "' ";
  }
  return "ERR unknown command '" + shown(args[0], kShown) + "', with args beginning with: " + list;
}

}  // namespace

Session::Session(Shard& shard, Connection& connection)
    : shard_(shard),
      connection_(connection),
      parser_(limits_),
      ahead_(std::make_unique<Lookahead>()),
      alive_(std::make_shared<bool>(true)) {
  const Config config = shard.node().config();
  limits_.bulk_bytes_max = config.proto_max_bulk_len;
  state_.authenticated = config.requirepass.empty();
  request_.resume = [this] {
    waiting_ = false;
    connection_.resume();
  };
}

Session::~Session() = default;

MonotonicNanos Session::begin_burst() {
  burst_.start(shard_.node().clock());
  return burst_.began();
}

void Session::cancel(ByteQueue& in) {
  if (spread_) {
    Spread::abandon(std::move(spread_), std::move(in), std::move(ahead_));
    ahead_ = std::make_unique<Lookahead>();
  }
  *alive_ = false;
  alive_ = std::make_shared<bool>(false);
  request_.reset();
  joint_.reset();
  joint_answered_ = false;
  multi_.reset();
  exec_.reset();
  ahead_->clear();
}

Session::Step Session::execute_next(ByteQueue& in, ReplyQueue& replies) {
  Reply reply(replies.bytes(), state_.protocol);
  reply_ = &reply;
  replies_ = &replies;
  Step step = Step::kDone;
  if (spread_ && spread_->active()) {
    step = run_spread(in, replies);
  } else {
    if (ahead_->empty()) step = look_ahead(in);
    if (!ahead_->empty()) step = spread() ? run_spread(in, replies) : dispatch(replies, in);
  }
  reply_ = nullptr;
  replies_ = nullptr;
  return step;
}

RequestParser::Status Session::fill_ahead(const ByteQueue& in) {
  limits_.bulk_bytes_max = shard_.store().options().value_size_max;
  // A login may change what the next request is allowed to be.
  const std::size_t most = state_.authenticated ? Lookahead::kRequestsMax : 1;
  return ahead_->fill(parser_, in.view(), state_.authenticated, most);
}

// What is incomplete or wrong is left to look_ahead(), which parses it again.
bool Session::parse_early(const ByteQueue& in, Prefetch& prefetch) {
  check(!holds_input(), "what was parsed before has run before more is read");
  fill_ahead(in);
  if (ahead_->size() > 1) {
    Prefetch own;
    this->prefetch(own);
    own.finish(shard_.store());
  }
  if (ahead_->size() != 1) return false;
  this->prefetch(prefetch);
  return true;
}

// What cannot be parsed is told only when everything before it has run: then nothing stands in front of it.
Session::Step Session::look_ahead(ByteQueue& in) {
  const RequestParser::Status status = fill_ahead(in);
  if (!ahead_->empty()) {
    if (ahead_->size() > 1) {
      Prefetch own;
      prefetch(own);
      own.finish(shard_.store());
    }
    return Step::kDone;
  }
  if (status == RequestParser::Status::kIncomplete) return Step::kNeedsMore;
  if (parser_.silent()) {
    diag::warning("possible attack through another protocol from " + connection_.peer() + ": " + parser_.error());
  } else {
    reply_->error(parser_.error());
  }
  in.clear();
  return Step::kClose;
}

void Session::prefetch(Prefetch& prefetch) const {
  const Store& store = shard_.store();
  for (std::size_t i = 0; i < ahead_->size(); ++i) {
    // The first argument is the key of nearly every command.
    const auto& args = (*ahead_)[i].args;
    if (args.size() > 1) prefetch.add(store, state_.db, partition_of(args[1], store.options().partitions), args[1]);
  }
}

// ---- requests that several shards run

// Whether it is an ordinary command on keys of one partition; then says where it runs.
bool Session::place(Lookahead::Request& request) const {
  if (!request.in_input) return false;
  request.spec = find_command(request.args.front());
  if (request.spec == nullptr || (request.spec->flags & (kConnection | kContainer | kManyDatabases)) != 0) return false;
  if (!arity_fits(*request.spec, request.args.size())) return false;
  const auto partition = one_touched_by(*request.spec, request.args, shard_.store().options().partitions);
  if (!partition) return false;
  request.partition = *partition;
  request.owner = shard_.node().owner_of(*partition);
  return true;
}

// True: the first requests, as far as they are ordinary ones, are on their way to the shards that they lie with. False:
// the first is to be run by itself.
bool Session::spread() {
  if (shard_.node().shard_count() == 1 || ahead_->front_is_known()) return false;
  // There each command looks by itself whether it may run.
  if (shard_.node().replication() != nullptr) return false;
  const bool ordinary = state_.authenticated && !in_multi() && !state_.reply_off && !state_.skip_this_reply;
  std::size_t count = 0;
  bool all_own = true;
  while (ordinary && count < ahead_->size() && place((*ahead_)[count])) {
    all_own = all_own && (*ahead_)[count].owner == shard_.number();
    ++count;
  }
  if (all_own) {
    ahead_->know(std::max<std::size_t>(count, 1));
    return false;
  }
  if (!spread_) {
    spread_ = std::make_unique<Spread>(shard_, [this] {
      if (!waiting_ || spread_->next_own() != nullptr) return;
      waiting_ = false;
      connection_.resume();
    });
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Lookahead::Request& request = (*ahead_)[i];
    spread_->add(request.owner, {request.spec, request.args, request.partition});
  }
  spread_->send(state_.db, state_.protocol);
  return true;
}

Session::Step Session::run_spread(ByteQueue& in, ReplyQueue& replies) {
  while (const PlacedCommand* const own = spread_->next_own()) {
    args_ = own->args;
    Reply reply(spread_->own_replies(), state_.protocol);
    const bool done = run_own(*own->spec, own->partition, reply, spread_->own_replies());
    const Nanos took = burst_.lap(shard_.node().clock());
    if (took >= shard_.slow_after()) note_slow(*own->spec, took);
    if (!done) return Step::kWaiting;
    spread_->own_done(request_.dependencies);
    request_.reset();
  }
  if (!spread_->answered()) {
    waiting_ = true;
    return Step::kWaiting;
  }
  if (spread_->collect(replies)) end_spread(in);
  return Step::kDone;
}

void Session::end_spread(ByteQueue& in) {
  spread_->for_each_slow([&](std::size_t number, Nanos took) {
    const Lookahead::Request& request = (*ahead_)[number];
    args_ = request.args;
    note_slow(*request.spec, took);
  });
  std::size_t consumed = 0;
  for (std::size_t i = 0; i < spread_->size(); ++i) {
    consumed += ahead_->front().consumed;
    state_.last_command = ahead_->front().spec->name;
    ahead_->pop();
  }
  shard_.report().commands += spread_->size();
  in.consume(consumed);
  spread_->end();
}

// ---- requests by themselves

Session::Step Session::dispatch(ReplyQueue& replies, ByteQueue& in) {
  const std::size_t consumed = ahead_->front().consumed;
  args_ = ahead_->front().args;
  if (args_.empty()) {
    ahead_->pop();
    in.consume(consumed);
    return Step::kDone;
  }
  const std::size_t begin = replies.bytes().size();
  Step step = Step::kDone;
  bool refused = false;
  if (has_later_ && !exec_) {
    has_later_ = false;
    replies.bytes().append(later_);
    later_.clear();
  } else {
    const CommandSpec* const spec = find_command(args_[0]);
    const CommandSpec* leaf = spec;
    if (spec != nullptr && args_.size() > 1 && has_subcommands(*spec)) leaf = find_subcommand(spec->name, args_[1]);
    refused = refuse(spec, leaf);
    if (refused) {
      if (multi_) multi_->dirty = multi_->dirty || multi_->open;
    } else if (queues(*spec)) {
      queue(*spec, *leaf);
    } else {
      step = run_timed(*spec, *leaf, replies);
    }
  }
  if (step == Step::kWaiting) return step;
  ahead_->pop();
  if (!refused) ++shard_.report().commands;
  in.consume(consumed);
  if (state_.reply_off || state_.skip_this_reply) replies.bytes().truncate(begin);
  state_.skip_this_reply = std::exchange(state_.skip_next_reply, false);
  return quit_ ? Step::kClose : step;
}

// An EXEC that is no good ends its transaction all the same.
void Session::reject(const CommandSpec& leaf, const std::string& text) {
  if (leaf.name != "exec") return reply_->error(text);
  drop_transaction();
  reply_->error("EXECABORT Transaction discarded because of: " + text.substr(text.starts_with("ERR ") ? 4 : 0));
}

// Replies the error itself. `leaf` is `spec` or the subcommand of it that is meant.
bool Session::refuse(const CommandSpec* spec, const CommandSpec* leaf) {
  if (spec == nullptr) {
    reply_->error(unknown_command(args_));
    return true;
  }
  if (leaf == nullptr) {
    std::string container(spec->name);
    std::ranges::transform(container, container.begin(), [](unsigned char c) { return std::toupper(c); });
    reply_->error("ERR unknown subcommand '" + std::string(args_[1].substr(0, 128)) + "'. Try " + container + " HELP.");
    return true;
  }
  if (!arity_fits(*leaf, args_.size())) {
    reject(*leaf, "ERR wrong number of arguments for '" + std::string(leaf->name) + "' command");
    return true;
  }
  if (!state_.authenticated && (spec->flags & kNoAuth) == 0) {
    reject(*leaf, "NOAUTH Authentication required.");
    return true;
  }
  if (const std::string_view why = refused_by_role(*leaf); !why.empty()) {
    reject(*leaf, std::string(why));
    return true;
  }
  state_.last_command = leaf->name;
  return false;
}

// For MULTI, and so that most of what a replica does not serve gets no further; each log looks again when it runs.
std::string_view Session::refused_by_role(const CommandSpec& leaf) const {
  const NodeReplication* const replication = shard_.node().replication();
  if (replication == nullptr || (leaf.flags & kConnection) != 0 || replication->leads()) return {};
  if ((leaf.flags & kWrite) != 0) return kReadOnlyReplica;
  return state_.read_only ? std::string_view() : kReadsNeedReadOnly;
}

// What is timed is execution: a run that has to be repeated is timed again, and waiting is not.
Session::Step Session::run_timed(const CommandSpec& spec, const CommandSpec& leaf, ReplyQueue& replies) {
  const Step step = (leaf.flags & kConnection) != 0 ? run_here(spec) : run_in_store(leaf, replies);
  const Nanos took = burst_.lap(shard_.node().clock());
  if (took >= shard_.slow_after()) note_slow(leaf, took);
  return step;
}

void Session::note_slow(const CommandSpec& leaf, Nanos took) {
  if ((leaf.flags & kSkipSlowlog) != 0) return;
  Node& node = shard_.node();
  SlowLog::Entry entry;
  entry.unix_seconds = node.clock().now().value() / 1000;
  entry.micros = took.value() / 1000;
  entry.args = SlowLog::cut(args_);
  // AUTH, HELLO and CONFIG SET may hold a password.
  const bool secret = leaf.name == "auth" || leaf.name == "hello" || leaf.name == "config|set";
  if (secret) std::fill(entry.args.begin() + 1, entry.args.end(), "(redacted)");
  entry.peer = connection_.peer();
  entry.client_name = state_.name;
  node.slow_log().add(std::move(entry), node.config().slowlog_max_len);
}

Session::Step Session::run_here(const CommandSpec& spec) {
  run_connection_command(*this, spec);
  return waiting_ ? Step::kWaiting : Step::kDone;
}

// ---- commands on keys

Session::Step Session::run_in_store(const CommandSpec& spec, ReplyQueue& replies) {
  const int partitions = shard_.store().options().partitions;
  const auto one = one_touched_by(spec, args_, partitions);
  const Touched touched = one ? Touched() : touched_by(spec, args_, partitions);
  if ((spec.flags & kManyDatabases) != 0) return run_joint(spec, touched_by(spec, args_, partitions), replies);
  if (touched.size() > 1) return run_joint(spec, touched, replies);
  const std::uint16_t partition = one ? *one : touched.front();
  const int owner = shard_.node().owner_of(partition);
  if (owner != shard_.number()) {
    request_.partition = partition;
    return run_on(owner, spec);
  }
  if (ShardReplication* const replication = shard_.replication()) {
    if (replication->pauses(state_.db, partition) && wait_for_role()) return Step::kWaiting;
    const std::string_view why = replication->refusal(spec.flags, state_.db, partition, state_.read_only);
    if (!why.empty()) {
      request_.reset();
      reply_->error(why);
      return Step::kDone;
    }
  }
  const std::size_t begin = replies.bytes().size();
  if (!run_own(spec, partition, *reply_, replies.bytes())) return Step::kWaiting;
  replies.hold(begin, request_.dependencies);
  request_.reset();
  return Step::kDone;
}

// False: it waits, and is to be called again.
bool Session::run_own(const CommandSpec& spec, std::uint16_t partition, Reply& reply, ByteQueue& out) {
  request_.args = args_;
  request_.db = state_.db;
  request_.partition = partition;
  request_.now = burst_.wall();
  connection_.told_of_keys();
  waiting_ = shard_.store().run(spec, request_, reply, out) == Store::Outcome::kParked;
  return !waiting_;
}

// What spread() does not take: several keys of one partition, words in quotes, a client that wants no replies.
Session::Step Session::run_on(int owner, const CommandSpec& spec) {
  RemoteCall call{&spec, {}, state_.db, request_.partition, state_.protocol, state_.read_only};
  call.args.assign(args_.begin(), args_.end());
  waiting_ = true;
  run_remotely(shard_, owner, std::move(call), [this, alive = alive_](std::string bytes) {
    if (!*alive) return;
    if (bytes.empty()) return connection_.close();
    if (!is_refusal(bytes)) connection_.told_of_keys();
    finish_later(std::move(bytes));
  });
  return Step::kWaiting;
}

void Session::finish_later(std::string bytes) {
  later_ = std::move(bytes);
  has_later_ = true;
  waiting_ = false;
  connection_.resume();
}

}  // namespace minod::resp
