#include "net/resp/session.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "net/connection.h"
#include "net/remote_call.h"
#include "net/resp/value.h"
#include "net/shard.h"
#include "store/slot.h"

namespace minod::resp {

// One reply a partition, in order, until all have answered.
struct Session::Walk {
  const CommandSpec* spec = nullptr;
  std::vector<std::string> args;
  std::vector<std::uint16_t> left;  // partitions still to ask, the next one last
  std::vector<Value> replies;
};

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

void append_value(Reply& reply, const Value& value) {
  switch (value.type) {
    case Value::Type::kInteger:
      reply.integer(value.integer);
      return;
    case Value::Type::kError:
      reply.error(value.text);
      return;
    case Value::Type::kSimple:
      reply.simple(value.text);
      return;
    case Value::Type::kNull:
      reply.null();
      return;
    case Value::Type::kArray:
      reply.array(value.elements.size());
      for (const Value& element : value.elements) append_value(reply, element);
      return;
    default:
      reply.bulk(value.text);
      return;
  }
}

// What the partitions' replies are together: counts add up, lists are joined, an error wins.
Value merged(std::vector<Value> replies) {
  Value result = std::move(replies.front());
  for (std::size_t i = 1; i < replies.size() && !result.is_error(); ++i) {
    Value& other = replies[i];
    if (other.is_error() || result.type == Value::Type::kNull) {
      result = std::move(other);
    } else if (result.type == Value::Type::kInteger) {
      result.integer += other.integer;
    } else if (result.type == Value::Type::kArray) {
      std::ranges::move(other.elements, std::back_inserter(result.elements));
    }
  }
  return result;
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

void Session::cancel() {
  *alive_ = false;
  alive_ = std::make_shared<bool>(false);
  request_.reset();
  walk_.reset();
  multi_.reset();
  exec_.reset();
  ahead_->clear();
}

Session::Step Session::execute_next(ByteQueue& in, ReplyQueue& replies) {
  Reply reply(replies.bytes(), state_.protocol);
  reply_ = &reply;
  replies_ = &replies;
  Step step = Step::kDone;
  if (ahead_->empty()) step = look_ahead(in);
  if (!ahead_->empty()) step = dispatch(replies, in);
  reply_ = nullptr;
  replies_ = nullptr;
  return step;
}

// What cannot be parsed is told only when everything before it has run: then nothing stands in front of it.
Session::Step Session::look_ahead(ByteQueue& in) {
  limits_.bulk_bytes_max = shard_.store().options().value_size_max;
  // A login may change what the next request is allowed to be.
  const std::size_t most = state_.authenticated ? Lookahead::kRequestsMax : 1;
  const RequestParser::Status status = ahead_->fill(parser_, in.view(), state_.authenticated, most);
  if (!ahead_->empty()) {
    if (ahead_->size() > 1) prefetch();
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

// In three passes over the requests, so that the loads of each pass run side by side.
void Session::prefetch() {
  const Store& store = shard_.store();
  if (store.options().partitions != 1) return;
  std::array<KeyHash, Lookahead::kRequestsMax> hashes;
  std::size_t count = 0;
  for (std::size_t i = 0; i < ahead_->size(); ++i) {
    const auto& args = (*ahead_)[i].args;
    // The first argument is the key of nearly every command; of the others, nothing worse than a wasted load comes.
    if (args.size() < 2 || args[1].size() > kKeySizeMax) continue;
    hashes[count] = store.hash(args[1]);
    store.prefetch_entry(hashes[count++], state_.db);
  }
  std::array<Offset, Lookahead::kRequestsMax> offsets;
  for (std::size_t i = 0; i < count; ++i) offsets[i] = store.prefetch_place(hashes[i], state_.db);
  for (std::size_t i = 0; i < count; ++i) store.prefetch_record(offsets[i], state_.db);
}

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
  state_.last_command = leaf->name;
  return false;
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

bool Session::route(const CommandSpec& spec, std::uint16_t& partition) {
  const int partitions = shard_.store().options().partitions;
  partition = 0;
  if (partitions == 1 || spec.keys.first == 0) return true;
  const auto keys = key_positions(spec, args_);
  if (!keys || keys->empty()) return true;
  partition = partition_of(args_[keys->front()], partitions);
  for (const std::size_t key : *keys) {
    if (partition_of(args_[key], partitions) == partition) continue;
    reply_->error("CROSSSLOT Keys in request don't hash to the same slot");
    return false;
  }
  return true;
}

Session::Step Session::run_in_store(const CommandSpec& spec, ReplyQueue& replies) {
  std::uint16_t partition = 0;
  if (!route(spec, partition)) return Step::kDone;
  if (shard_.store().options().partitions > 1 && (spec.flags & kAllPartitions) != 0) return run_on_all(spec);
  const int owner = shard_.node().owner_of(partition);
  if (owner != shard_.number()) {
    request_.partition = partition;
    return run_on(owner, spec);
  }
  const std::size_t begin = replies.bytes().size();
  request_.args = args_;
  request_.db = state_.db;
  request_.partition = partition;
  request_.now = burst_.wall();
  if (shard_.store().run(spec, request_, *reply_, replies.bytes()) == Store::Outcome::kParked) {
    waiting_ = true;
    return Step::kWaiting;
  }
  replies.hold(begin, request_.dependencies);
  request_.reset();
  return Step::kDone;
}

Session::Step Session::run_on(int owner, const CommandSpec& spec) {
  RemoteCall call{&spec, {}, state_.db, request_.partition, state_.protocol};
  call.args.assign(args_.begin(), args_.end());
  waiting_ = true;
  run_remotely(shard_, owner, std::move(call), [this, alive = alive_](std::string bytes) {
    if (*alive) finish_later(std::move(bytes));
  });
  return Step::kWaiting;
}

void Session::finish_later(std::string bytes) {
  later_ = std::move(bytes);
  has_later_ = true;
  waiting_ = false;
  connection_.resume();
}

// ---- commands on all partitions

namespace {

// A SCAN cursor over partitions: which partition, and the cursor within it.
struct WideCursor {
  std::uint64_t within = 0;
  std::uint16_t partition = 0;
};

std::optional<WideCursor> parse_wide_cursor(std::string_view text, int partitions) {
  std::uint64_t cursor = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), cursor);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const auto count = static_cast<std::uint64_t>(partitions);
  return WideCursor{cursor / count, static_cast<std::uint16_t>(cursor % count)};
}

std::uint64_t next_wide_cursor(WideCursor from, std::uint64_t next_within, int partitions) {
  const auto count = static_cast<std::uint64_t>(partitions);
  if (next_within != 0) return next_within * count + from.partition;
  return from.partition + 1u < count ? from.partition + 1u : 0;
}

}  // namespace

Session::Step Session::run_on_all(const CommandSpec& spec) {
  const int partitions = shard_.store().options().partitions;
  const bool scans = spec.name == "scan";
  if (!walk_) {
    walk_ = std::make_unique<Walk>();
    walk_->spec = &spec;
    walk_->args.assign(args_.begin(), args_.end());
    if (scans) {
      const auto cursor = parse_wide_cursor(args_[1], partitions);
      walk_->left.push_back(cursor ? cursor->partition : std::uint16_t{0});
      if (cursor) walk_->args[1] = std::to_string(cursor->within);
    } else {
      for (int p = partitions; p > 0; --p) walk_->left.push_back(static_cast<std::uint16_t>(p - 1));
      // RANDOMKEY takes the first partition that has a key, so it begins somewhere else each time.
      if (spec.name == "randomkey") {
        const auto turn = shard_.store().random().below(static_cast<std::uint64_t>(partitions));
        std::rotate(walk_->left.begin(), walk_->left.begin() + static_cast<std::ptrdiff_t>(turn), walk_->left.end());
      }
    }
  }
  if (walk_->left.empty()) {
    Value result = merged(std::move(walk_->replies));
    if (scans && !result.is_error()) {
      std::uint64_t within = 0;
      const std::string& text = result.elements[0].text;
      std::from_chars(text.data(), text.data() + text.size(), within);
      const auto from = parse_wide_cursor(args_[1], partitions);
      result.elements[0].text = std::to_string(next_wide_cursor(*from, within, partitions));
    }
    walk_.reset();
    append_value(*reply_, result);
    return Step::kDone;
  }
  const std::uint16_t partition = walk_->left.back();
  walk_->left.pop_back();
  waiting_ = true;
  run_remotely(shard_, shard_.node().owner_of(partition),
               RemoteCall{walk_->spec, walk_->args, state_.db, partition, Protocol::kResp2},
               [this, alive = alive_](const std::string& bytes) {
                 if (!*alive) return;
                 std::size_t used = 0;
                 auto value = parse_value(bytes, used);
                 if (value) walk_->replies.push_back(std::move(*value));
                 waiting_ = false;
                 connection_.resume();
               });
  return Step::kWaiting;
}

}  // namespace minod::resp
