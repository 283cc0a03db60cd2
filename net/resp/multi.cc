// MULTI, EXEC, DISCARD, WATCH and UNWATCH.
#include "net/resp/multi.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "net/connection.h"
#include "net/limits.h"
#include "net/remote_call.h"
#include "net/resp/connection_commands.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/number.h"
#include "store/slot.h"

namespace minod::resp {

namespace {

bool is_never_queued(const CommandSpec& spec) {
  static constexpr auto kNames =
      std::to_array<std::string_view>({"exec", "discard", "multi", "watch", "quit", "reset"});
  return std::ranges::find(kNames, spec.name) != kNames.end();
}

std::size_t bytes_of(std::span<const std::string_view> args) {
  std::size_t bytes = 0;
  for (const std::string_view arg : args) bytes += arg.size() + sizeof(std::string);
  return bytes;
}

// As the command would: where it would be refused, nothing changes.
int selected(const Queued& queued, int db) {
  if (queued.spec->name != "select") return db;
  const auto wanted = parse_integer(queued.args[1]);
  return wanted && *wanted >= 0 && *wanted < kDatabases ? static_cast<int>(*wanted) : db;
}

}  // namespace

bool Session::in_multi() const { return multi_ && multi_->open; }

std::int64_t Session::queued_commands() const {
  if (exec_) return static_cast<std::int64_t>(exec_->queued.size());
  return in_multi() ? static_cast<std::int64_t>(multi_->queued.size()) : -1;
}

std::size_t Session::queued_bytes() const { return multi_ ? multi_->bytes : 0; }

void Session::drop_transaction() { multi_.reset(); }

Multi& Session::multi_state() {
  if (!multi_) multi_ = std::make_unique<Multi>();
  return *multi_;
}

// ---- queueing

bool Session::queues(const CommandSpec& spec) const { return in_multi() && !is_never_queued(spec); }

void Session::refuse_queued(std::string_view text) {
  multi_->dirty = true;
  reply_->error(text);
}

void Session::queue(const CommandSpec& spec, const CommandSpec& leaf) {
  Multi& multi = *multi_;
  if ((leaf.flags & kNoMulti) != 0) return refuse_queued("ERR Command not allowed inside a transaction");
  if (multi.queued.size() == kQueuedCommandsMax) {
    return refuse_queued("ERR more than " + std::to_string(kQueuedCommandsMax) +
                         " commands in a transaction (queued commands limit)");
  }
  const std::size_t bytes = bytes_of(args_);
  if (bytes > kQueuedBytesMax - multi.bytes) {
    return refuse_queued("ERR more than " + std::to_string(kQueuedBytesMax) +
                         " bytes of commands and watched keys in a transaction (queued bytes limit)");
  }
  multi.bytes += bytes;
  if ((leaf.flags & kConnection) == 0) {
    add_touched(multi.touched, touched_in_multi(leaf, args_, shard_.store().options().partitions));
  }
  multi.queued.push_back(Queued{&spec, &leaf, {args_.begin(), args_.end()}});
  reply_->simple("QUEUED");
}

void multi(Session& session) {
  if (session.in_multi()) return session.reply().error("ERR MULTI calls can not be nested");
  session.multi_state().open = true;
  session.reply().ok();
}

void discard(Session& session) {
  if (!session.in_multi()) return session.reply().error("ERR DISCARD without MULTI");
  session.drop_transaction();
  session.reply().ok();
}

// ---- watching

// In EXEC nothing is watched any more, and there it comes.
void unwatch(Session& session) {
  if (!session.in_multi()) session.drop_transaction();
  session.reply().ok();
}

void Session::watch() {
  if (in_multi()) return reply_->error("ERR WATCH inside MULTI is not allowed");
  const std::size_t bytes = bytes_of(args_);
  if (bytes > kQueuedBytesMax - queued_bytes()) {
    return reply_->error("ERR more than " + std::to_string(kQueuedBytesMax) +
                         " bytes of commands and watched keys in a transaction (queued bytes limit)");
  }
  Multi& multi = multi_state();
  multi.bytes += bytes;
  const int partitions = shard_.store().options().partitions;
  add_touched(multi.touched, touched_by(*find_command(args_[0]), args_, partitions));
  std::map<int, std::vector<WatchedKey>> by_owner;
  for (const std::string_view key : args_.subspan(1)) {
    by_owner[shard_.node().owner_of(partition_of(key, partitions))].push_back(WatchedKey{state_.db, std::string(key)});
  }
  const auto note = [this](const std::vector<WatchedKey>& found) {
    multi_->watched.insert(multi_->watched.end(), found.begin(), found.end());
  };
  if (const auto own = by_owner.find(shard_.number()); own != by_owner.end()) {
    find_newest_records(shard_.store(), own->second);
    note(own->second);
    by_owner.erase(own);
  }
  if (by_owner.empty()) return reply_->ok();
  reply_later();
  auto missing = std::make_shared<std::size_t>(by_owner.size());
  for (auto& [owner, keys] : by_owner) {
    watch_remotely(shard_, owner, std::move(keys),
                   [this, note, missing, alive = alive_](const std::vector<WatchedKey>& found) {
                     if (!*alive) return;
                     note(found);
                     if (--*missing == 0) finish_later("+OK\r\n");
                   });
  }
}

// ---- executing

void Session::exec() {
  if (!exec_ && !begin_exec()) return;
  if (!exec_->stored && !run_stored()) return;
  finish_exec();
}

bool Session::begin_exec() {
  if (!in_multi()) {
    reply_->error("ERR EXEC without MULTI");
    return false;
  }
  const std::unique_ptr<Multi> multi = std::move(multi_);
  if (multi->dirty) {
    reply_->error("EXECABORT Transaction discarded because of previous errors.");
    return false;
  }
  exec_ = std::make_unique<Exec>();
  exec_->queued = std::move(multi->queued);
  exec_->touched = std::move(multi->touched);
  exec_->transaction = std::make_shared<Transaction>();
  exec_->transaction->watched = std::move(multi->watched);
  exec_->transaction->protocol = state_.protocol;
  int db = state_.db;
  for (Queued& queued : exec_->queued) {
    db = selected(queued, db);
    if ((queued.leaf->flags & kConnection) != 0) continue;
    exec_->transaction->commands.push_back({queued.leaf, std::move(queued.args), db});
  }
  shard_.report().commands += exec_->queued.size();
  return true;
}

// True when it is done; false: it waits.
bool Session::run_stored() {
  const Transaction& transaction = *exec_->transaction;
  if (transaction.commands.empty() && transaction.watched.empty()) return true;
  if (exec_->touched.size() > 1) {
    exec_->stored = run_transaction(exec_->transaction, exec_->touched);
    return exec_->stored;
  }
  const std::uint16_t partition = exec_->touched.empty() ? std::uint16_t{0} : exec_->touched.front();
  const int owner = shard_.node().owner_of(partition);
  if (owner != shard_.number()) {
    reply_later();
    run_remotely(shard_, owner, exec_->transaction, partition, state_.read_only, [this, alive = alive_](bool known) {
      if (!*alive) return;
      if (!known) return connection_.close();
      exec_->stored = true;
      waiting_ = false;
      connection_.resume();
    });
    return false;
  }
  if (waits_for_role(*exec_->transaction, {&partition, 1})) return false;
  if (refuse_transaction(*exec_->transaction, {&partition, 1})) return exec_->stored = true;
  request_.partition = partition;
  exec_->stored = shard_.store().run(*exec_->transaction, request_) == Store::Outcome::kDone;
  if (!exec_->stored) reply_later();
  return exec_->stored;
}

void Session::finish_exec() {
  const Transaction& transaction = *exec_->transaction;
  const std::size_t begin = replies_->bytes().size();
  if (transaction.result != Transaction::Result::kRefused) connection_.told_of_keys();
  if (transaction.result == Transaction::Result::kChanged) {
    reply_->null_array();
  } else if (transaction.result == Transaction::Result::kRefused) {
    reply_->error("EXECABORT Transaction discarded because of: " + transaction.error);
  } else {
    if (!collect_replies()) return;
    replies_->bytes().append(exec_->out.view());
  }
  replies_->hold(begin, request_.dependencies);
  request_.reset();
  exec_.reset();
}

// False: one of the connection's own commands waits for its reply.
bool Session::collect_replies() {
  Exec& exec = *exec_;
  exec.stored = true;
  if (!std::exchange(exec.begun, true)) Reply(exec.out, state_.protocol).array(exec.queued.size());
  if (std::exchange(has_later_, false)) {
    exec.out.append(later_);
    later_.clear();
    ++exec.next;
  }
  for (; exec.next < exec.queued.size(); ++exec.next) {
    const Queued& queued = exec.queued[exec.next];
    if ((queued.leaf->flags & kConnection) == 0) {
      exec.out.append(exec.transaction->replies[exec.next_stored++]);
      continue;
    }
    const std::vector<std::string_view> args(queued.args.begin(), queued.args.end());
    Reply reply(exec.out, state_.protocol);
    Reply* const whole = std::exchange(reply_, &reply);
    args_ = args;
    run_connection_command(*this, *queued.spec);
    args_ = ahead_->front().args;
    reply_ = whole;
    if (waiting_) return false;
  }
  return true;
}

void exec(Session& session) { session.exec(); }

void watch(Session& session) { session.watch(); }

}  // namespace minod::resp
