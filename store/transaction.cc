// Store::run() of a transaction: run the commands into memory, then write what they did as one batch.
#include "store/transaction.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "store/call.h"
#include "store/request.h"
#include "store/store.h"

namespace minod {

namespace {

constexpr std::size_t kWalkWindow = 2048;  // keys that are read from the disk at a time

std::string too_much(std::string_view what, std::size_t limit, std::string_view name) {
  return "ERR the transaction " + std::string(what) + " more than " + std::to_string(limit) + " bytes (transaction " +
         std::string(name) + " limit)";
}

}  // namespace

class TransactionRun {
 public:
  TransactionRun(Store& store, Transaction& transaction, Request& request)
      : store_(store), transaction_(transaction), request_(request), now_(store.clock_.now()) {}

  Store::Outcome run() {
    request_.missing_.clear();
    transaction_.staged_.clear();
    transaction_.replies.clear();
    transaction_.states_.resize(transaction_.commands.size());
    transaction_.result = Transaction::Result::kExecuted;
    if (watched_changed()) {
      transaction_.result = Transaction::Result::kChanged;
    } else {
      run_commands();
      if (fetched_bytes() > kTransactionReadBytesMax) {
        refuse(too_much("reads", kTransactionReadBytesMax, "read"));
      }
      if (!parked_ && !refused_) commit();
    }
    if (parked_ && !refused_) return park();
    transaction_.staged_.clear();
    transaction_.states_.clear();
    return Store::Outcome::kDone;
  }

 private:
  bool watched_changed();
  void run_commands();
  void run_command(std::size_t number);
  void commit();
  void write(Call& call, int db);
  bool changes(int db);
  bool deletes_of_flush(Call& call, Partition& partition, std::vector<std::string>& keys);
  std::size_t fetched_bytes() const;
  Store::Outcome park();

  void refuse(std::string why) {
    if (refused_) return;
    refused_ = true;
    transaction_.result = Transaction::Result::kRefused;
    transaction_.error = std::move(why);
    transaction_.replies.clear();
  }

  Store& store_;
  Transaction& transaction_;
  Request& request_;
  UnixMillis now_;
  ByteQueue ignored_;
  std::size_t reply_bytes_ = 0;
  bool parked_ = false;
  bool refused_ = false;
};

Store::Outcome Store::run(Transaction& transaction, Request& request) {
  return TransactionRun(*this, transaction, request).run();
}

Offset Store::newest_record(int db, std::uint16_t number, std::string_view key) {
  const Partition* const found = partition(db, number);
  if (found == nullptr || !found->has_log()) return kNoOffset;
  const auto entry = found->index().find(hasher_(key));
  if (!entry) return kNoOffset;
  if (!entry->expires) return entry->offset;
  const auto expires_at = found->expiries().find(entry->offset);
  return expires_at && *expires_at <= clock_.now() ? kNoOffset : entry->offset;
}

bool TransactionRun::watched_changed() {
  for (const WatchedKey& watched : transaction_.watched) {
    if (store_.newest_record(watched.db, request_.partition, watched.key) == watched.offset) continue;
    // The reply tells of a change, which must be safe by then.
    Partition* const partition = store_.partition(watched.db, request_.partition);
    Reply reply(ignored_, transaction_.protocol);
    if (partition != nullptr && partition->has_log()) Call(store_, request_, reply, now_).depend_on_all(*partition);
    return true;
  }
  return false;
}

// Those behind one that is parked run too, only to note what else is missing: it is all read at once.
void TransactionRun::run_commands() {
  for (std::size_t i = 0; i < transaction_.commands.size() && !refused_; ++i) {
    run_command(i);
    if (transaction_.staged_.bytes() > kTransactionWriteBytesMax) {
      refuse(too_much("writes", kTransactionWriteBytesMax, "write"));
    } else if (reply_bytes_ > kTransactionReplyBytesMax) {
      refuse(too_much("replies", kTransactionReplyBytesMax, "reply"));
    }
  }
}

void TransactionRun::run_command(std::size_t number) {
  const Transaction::Command& command = transaction_.commands[number];
  const std::vector<std::string_view> args(command.args.begin(), command.args.end());
  request_.args = args;
  request_.db = command.db;
  ByteQueue out;
  Reply reply(out, transaction_.protocol);
  if (!keys_too_large(*command.spec, args, reply)) {
    Call call(store_, request_, reply, now_);
    call.staged_ = &transaction_.staged_;
    call.staged_state_ = &transaction_.states_[number];
    command.spec->run(call);
    check(!call.parked() || !call.wrote_, "a command reads everything before it writes");
    parked_ = parked_ || call.parked_;
    if (call.failed_) {
      out.clear();
      reply.error(call.failure_);
    }
  }
  reply_bytes_ += out.size();
  transaction_.replies.emplace_back(out.view());
  request_.args = {};
}

std::size_t TransactionRun::fetched_bytes() const {
  std::size_t bytes = 0;
  for (const FetchedRecord& record : request_.fetched_) bytes += record.key.size() + record.value.size();
  return bytes;
}

Store::Outcome TransactionRun::park() {
  transaction_.replies.clear();
  request_.dependencies.clear();
  auto& missing = request_.missing_;
  const auto place = [](const ColdRecord& record) { return std::tuple(record.partition->id(), record.offset); };
  std::ranges::sort(missing, {}, [&](const ColdRecord& record) { return std::tuple(place(record), record.key_only); });
  const auto same_place = [&](const ColdRecord& a, const ColdRecord& b) { return place(a) == place(b); };
  missing.erase(std::unique(missing.begin(), missing.end(), same_place), missing.end());
  ++store_.counters_.parked;
  store_.park(request_);
  return Store::Outcome::kParked;
}

// ---- writing

bool TransactionRun::changes(int db) {
  Partition* const partition = store_.partition(db, request_.partition);
  const bool there = partition != nullptr && partition->has_log();
  const StagedWrites& staged = transaction_.staged_;
  if (staged.flushed(db) && there && partition->index().size() != 0) return true;
  return std::ranges::any_of(staged.of(db), [&](const auto& write) {
    return write.second.present || (there && partition->index().find(store_.hash(write.first)));
  });
}

void TransactionRun::commit() {
  std::optional<int> target;
  for (int db = 0; db < kDatabases; ++db) {
    if (!changes(db)) continue;
    if (target) {
      return refuse("CROSSSLOT the transaction writes to the databases " + std::to_string(*target) + " and " +
                    std::to_string(db) + ", which have logs of their own: it could not be written all or nothing");
    }
    target = db;
  }
  if (!target) return;
  request_.db = *target;
  Reply reply(ignored_, transaction_.protocol);
  Call call(store_, request_, reply, now_);
  write(call, *target);
  call.finish();
  check(!call.parked() || !call.wrote_, "a transaction has all its room before it writes");
  if (call.failed_) {
    refuse(call.failure_);
  } else {
    parked_ = call.parked_;
  }
}

void TransactionRun::write(Call& call, int db) {
  const StagedWrites& staged = transaction_.staged_;
  const bool adds = std::ranges::any_of(staged.of(db), [](const auto& write) { return write.second.present; });
  if (staged.flushed(db) && !adds) {
    call.erase_all({db});
    return;
  }
  if (!call.database_is_there(db)) return;
  if (adds && store_.index_over_limit_) {
    ++store_.counters_.refused_memory;
    return call.fail("OOM command not allowed when used memory > 'maxmemory'.");
  }
  Partition& partition = *store_.partition(db, request_.partition);
  std::vector<std::string> flushed;
  if (staged.flushed(db) && !deletes_of_flush(call, partition, flushed)) return;
  std::size_t bytes = 0;
  for (const std::string& key : flushed) bytes += Log::record_bytes(key.size());
  for (const auto& [key, write] : staged.of(db)) bytes += Log::record_bytes(key.size() + write.value.size());
  if (!call.begin_group(partition, bytes, !adds)) return;
  for (const std::string& key : flushed) call.erase(key, db);
  for (const auto& [key, write] : staged.of(db)) {
    if (write.present) {
      check(call.put(key, write.value, write.expires_at, db), "a group has room for every record of it");
    } else {
      call.erase(key, db);
    }
  }
}

// A log start is a batch of its own. Where the database was emptied and then written to, each key is deleted in the
// batch of the writes instead.
bool TransactionRun::deletes_of_flush(Call& call, Partition& partition, std::vector<std::string>& keys) {
  if (partition.index().size() > kTransactionWalkMax) {
    call.fail("ERR FLUSHDB with writes behind it in one transaction can delete at most " +
              std::to_string(kTransactionWalkMax) + " keys (transaction walk limit)");
    return false;
  }
  std::vector<Offset> offsets;
  std::uint64_t cursor = 0;
  do {
    cursor = partition.index().scan(cursor, [&](const IndexEntry& entry) { offsets.push_back(entry.offset); });
  } while (cursor != 0);
  for (const Offset offset : offsets) {
    const auto key = call.key_at(partition, offset);
    if (key && transaction_.staged_.find(*key, partition.db()) == nullptr) keys.emplace_back(*key);
    if (request_.missing_.size() >= kWalkWindow) break;
  }
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return !call.parked();
}

}  // namespace minod
