// Commands and transactions on several logs: here when this shard has all of them, else by the conductor.
#include <algorithm>
#include <utility>

#include "net/conductor.h"
#include "net/connection.h"
#include "net/remote_call.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/reach.h"

namespace minod::resp {

// True when it is done; false: it waits, and is called again.
bool Session::run_transaction(const std::shared_ptr<Transaction>& transaction, const Touched& touched) {
  if (std::exchange(joint_answered_, false)) return true;
  Node& node = shard_.node();
  const bool own = std::ranges::all_of(
      touched, [&](std::uint16_t partition) { return node.owner_of(partition) == shard_.number(); });
  if (!own) {
    waiting_ = true;
    const auto done = [this, alive = alive_](bool known) {
      if (!*alive) return;
      if (!known) return connection_.close();
      joint_answered_ = true;
      waiting_ = false;
      connection_.resume();
    };
    node.conductor().run(shard_, transaction, {touched.begin(), touched.end()}, state_.read_only, done);
    return false;
  }
  if (waits_for_role(*transaction, touched)) return false;
  if (refuse_transaction(*transaction, touched)) return true;
  Store& store = shard_.store();
  std::vector<Reach::Place> places;
  for (const std::uint16_t partition : touched) places.push_back({partition, &store, &request_});
  waiting_ = store.run(*transaction, Reach(store.options().partitions, std::move(places))) == Store::Outcome::kParked;
  return !waiting_;
}

bool Session::waits_for_role(const Transaction& transaction, std::span<const std::uint16_t> partitions) {
  return pauses(transaction, partitions, shard_) && wait_for_role();
}

bool Session::wait_for_role() {
  waiting_ = true;
  shard_.replication()->when_it_goes_on([this, alive = alive_] {
    if (*alive) request_.resume();
  });
  return true;
}

bool Session::refuse_transaction(Transaction& transaction, std::span<const std::uint16_t> partitions) {
  const std::string_view why = refusal_of(transaction, partitions, state_.read_only, shard_);
  if (why.empty()) return false;
  transaction.result = Transaction::Result::kRefused;
  transaction.error = why;
  return true;
}

Session::Step Session::run_joint(const CommandSpec& spec, const Touched& touched, ReplyQueue& replies) {
  if (!joint_) {
    joint_ = std::make_shared<Transaction>();
    joint_->alone = true;
    joint_->protocol = state_.protocol;
    joint_->commands.push_back({&spec, {args_.begin(), args_.end()}, state_.db});
  }
  if (!run_transaction(joint_, touched)) return Step::kWaiting;
  const std::shared_ptr<Transaction> done = std::exchange(joint_, nullptr);
  const std::size_t begin = replies.bytes().size();
  if (done->result == Transaction::Result::kRefused) {
    reply_->error(done->error);
  } else {
    connection_.told_of_keys();
    replies.bytes().append(done->replies.front());
  }
  replies.hold(begin, request_.dependencies);
  request_.reset();
  return Step::kDone;
}

}  // namespace minod::resp
