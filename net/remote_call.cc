#include "net/remote_call.h"

#include <algorithm>
#include <memory>

#include "net/reply_queue.h"
#include "net/shard.h"
#include "store/slot.h"

namespace minod {

namespace {

// Lives on the shard that runs the call, and owns itself until the reply is on its way.
class Execution {
 public:
  Execution(Shard& shard, int origin, RemoteCall call, std::function<void(std::string)> done)
      : shard_(shard), origin_(origin), call_(std::move(call)), done_(std::move(done)) {
    for (const std::string& arg : call_.args) args_.push_back(arg);
    request_.args = args_;
    request_.db = call_.db;
    request_.partition = call_.partition;
    request_.resume = [this] { run(); };
    gate_.wake = [](CommitGate::Waiter& waiter) { static_cast<Gate&>(waiter).execution->leave(); };
    gate_.lost = [](CommitGate::Waiter& waiter) { static_cast<Gate&>(waiter).execution->answer({}); };
    gate_.execution = this;
  }

  void run() {
    ShardReplication* const replication = shard_.replication();
    if (call_.transaction) return run_transaction();
    Reply reply(replies_.bytes(), call_.protocol);
    if (replication != nullptr) {
      if (replication->pauses(call_.db, call_.partition)) return replication->when_it_goes_on([this] { run(); });
      const std::string_view why = replication->refusal(call_.spec->flags, call_.db, call_.partition, call_.stale);
      if (!why.empty()) {
        reply.error(why);
        return leave();
      }
    }
    if (shard_.store().run(*call_.spec, request_, reply, replies_.bytes()) == Store::Outcome::kParked) return;
    replies_.hold(0, request_.dependencies);
    leave();
  }

 private:
  struct Gate : CommitGate::Waiter {
    Execution* execution = nullptr;
  };

  void run_transaction() {
    if (pauses(*call_.transaction, {&call_.partition, 1}, shard_)) {
      return shard_.replication()->when_it_goes_on([this] { run(); });
    }
    if (const std::string_view why = refusal_of(*call_.transaction, {&call_.partition, 1}, call_.stale, shard_);
        !why.empty()) {
      call_.transaction->result = Transaction::Result::kRefused;
      call_.transaction->error = why;
      return answer("-");
    }
    if (shard_.store().run(*call_.transaction, request_) == Store::Outcome::kParked) return;
    replies_.bytes().append('+');  // stands for the replies in the transaction: it leaves when they may
    replies_.hold(0, request_.dependencies);
    leave();
  }

  void leave() {
    if (replies_.released() < replies_.bytes().size()) {
      shard_.gate().wait(gate_, *replies_.waits_for());
      return;
    }
    answer(std::string(replies_.bytes().view()));
  }

  void answer(std::string bytes) {
    const std::unique_ptr<Execution> self(this);
    shard_.node().shard(origin_).post(
        shard_.number(), [done = std::move(done_), bytes = std::move(bytes)]() mutable { done(std::move(bytes)); });
  }

  Shard& shard_;
  int origin_;
  RemoteCall call_;
  std::function<void(std::string)> done_;
  std::vector<std::string_view> args_;
  Request request_;
  ReplyQueue replies_;
  Gate gate_;
};

}  // namespace

void run_remotely(Shard& from, int to, RemoteCall call, std::function<void(std::string)> done) {
  Shard& target = from.node().shard(to);
  target.post(from.number(),
              [&target, origin = from.number(), call = std::move(call), done = std::move(done)]() mutable {
                (new Execution(target, origin, std::move(call), std::move(done)))->run();
              });
}

void run_remotely(Shard& from, int to, std::shared_ptr<Transaction> transaction, std::uint16_t partition, bool stale,
                  std::function<void(bool known)> done) {
  RemoteCall call;
  call.partition = partition;
  call.stale = stale;
  call.transaction = std::move(transaction);
  run_remotely(from, to, std::move(call), [done = std::move(done)](const std::string& bytes) { done(!bytes.empty()); });
}

std::string_view refusal_of(const Transaction& transaction, std::span<const std::uint16_t> partitions, bool stale,
                            Shard& shard) {
  const ShardReplication* const replication = shard.replication();
  if (replication == nullptr) return {};
  for (const Transaction::Command& command : transaction.commands) {
    for (const std::uint16_t partition : partitions) {
      const std::string_view why = replication->refusal(command.spec->flags, command.db, partition, stale);
      if (!why.empty()) return why;
    }
  }
  return {};
}

bool pauses(const Transaction& transaction, std::span<const std::uint16_t> partitions, Shard& shard) {
  const ShardReplication* const replication = shard.replication();
  if (replication == nullptr) return false;
  return std::ranges::any_of(transaction.commands, [&](const Transaction::Command& command) {
    return std::ranges::any_of(partitions,
                               [&](std::uint16_t partition) { return replication->pauses(command.db, partition); });
  });
}

void find_newest_records(Store& store, std::vector<WatchedKey>& keys) {
  for (WatchedKey& watched : keys) {
    const std::uint16_t partition = partition_of(watched.key, store.options().partitions);
    watched.offset = store.newest_record(watched.db, partition, watched.key);
  }
}

void watch_remotely(Shard& from, int to, std::vector<WatchedKey> keys,
                    std::function<void(const std::vector<WatchedKey>&)> done) {
  Shard& target = from.node().shard(to);
  target.post(from.number(), [&target, origin = from.number(), keys = std::move(keys),
                              done = std::move(done)]() mutable {
    find_newest_records(target.store(), keys);
    target.node().shard(origin).post(target.number(), [done = std::move(done), keys = std::move(keys)] { done(keys); });
  });
}

}  // namespace minod
