// Store::run() of a transaction: run the commands into memory, then write what they did, one batch a log.
#include "store/transaction.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "log/together.h"
#include "store/call.h"
#include "store/reach.h"
#include "store/request.h"
#include "store/store.h"

namespace minod {

namespace {

std::string too_much(std::string_view what, std::size_t limit, std::string_view name) {
  return "ERR the transaction " + std::string(what) + " more than " + std::to_string(limit) + " bytes (transaction " +
         std::string(name) + " limit)";
}

}  // namespace

class TransactionRun {
 public:
  TransactionRun(Store& store, Transaction& transaction, Request& request, const Reach* reach)
      : store_(store), transaction_(transaction), request_(request), reach_(reach), now_(store.clock_.now()) {
    requests_ = reach != nullptr ? reach->requests() : std::vector<Request*>{&request};
  }

  Store::Outcome run() {
    for (Request* const request : requests_) {
      request->missing_.clear();
      request->waits_for_room_ = nullptr;
    }
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

  // What goes to one log.
  struct Piece {
    int db = 0;
    std::uint16_t number = 0;
    bool flush = false;
    bool adds = false;
    std::vector<const StagedWrites::Writes::value_type*> writes;
    std::size_t bytes = 0;  // of the records
    Offset end;             // behind them

    std::int64_t records() const { return static_cast<std::int64_t>(writes.size()) + (flush ? 1 : 0); }
  };
  void commit();
  std::vector<Piece> pieces();
  Piece& piece(std::vector<Piece>& pieces, int db, std::uint16_t number);
  bool has_room(Call& call, std::vector<Piece>& pieces);
  void write(Call& call, std::vector<Piece>& pieces);
  void write(Call& call, const Piece& piece);
  Call new_call(Reply& reply);
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
  Request& request_;  // of the store that runs it
  const Reach* reach_;
  std::vector<Request*> requests_;
  UnixMillis now_;
  ByteQueue ignored_;
  std::size_t reply_bytes_ = 0;
  bool parked_ = false;
  bool refused_ = false;
};

Store::Outcome Store::run(Transaction& transaction, Request& request) {
  return TransactionRun(*this, transaction, request, nullptr).run();
}

Store::Outcome Store::run(Transaction& transaction, const Reach& reach) {
  const auto own = std::ranges::find(reach.places(), this, &Reach::Place::store);
  check(own != reach.places().end(), "a transaction is run by a store that it touches");
  return TransactionRun(*this, transaction, *own->request, &reach).run();
}

Call TransactionRun::new_call(Reply& reply) {
  Call call(store_, request_, reply, now_);
  call.reach_ = reach_;
  return call;
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
  Reply reply(ignored_, transaction_.protocol);
  Call call = new_call(reply);
  for (const WatchedKey& watched : transaction_.watched) {
    const std::uint16_t number = call.number_of(watched.key);
    if (call.store_at(number).newest_record(watched.db, number, watched.key) == watched.offset) continue;
    // The reply tells of a change, which must be safe by then.
    if (Partition* const partition = call.home(watched.key, watched.db)) call.depend_on_all(*partition);
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
    Call call = new_call(reply);
    call.alone_ = transaction_.alone;
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
  for (const Request* const request : requests_) {
    for (const FetchedRecord& record : request->fetched_) bytes += record.key.size() + record.value.size();
  }
  return bytes;
}

Store::Outcome TransactionRun::park() {
  transaction_.replies.clear();
  transaction_.waits = 0;
  ++store_.counters_.parked;
  for (Request* const request : requests_) {
    request->dependencies.clear();
    auto& missing = request->missing_;
    const auto place = [](const ColdRecord& record) { return std::tuple(record.partition->id(), record.offset); };
    std::ranges::sort(missing, {},
                      [&](const ColdRecord& record) { return std::tuple(place(record), record.key_only); });
    const auto same_place = [&](const ColdRecord& a, const ColdRecord& b) { return place(a) == place(b); };
    missing.erase(std::unique(missing.begin(), missing.end(), same_place), missing.end());
    if (missing.empty() && request->waits_for_room_ == nullptr && !request->waits_for_database_) continue;
    ++transaction_.waits;
    (reach_ != nullptr ? reach_->store_of(*request) : store_).park(*request);
  }
  check(transaction_.waits != 0, "a parked transaction waits for something");
  return Store::Outcome::kParked;
}

// ---- writing

TransactionRun::Piece& TransactionRun::piece(std::vector<Piece>& pieces, int db, std::uint16_t number) {
  const auto found =
      std::ranges::find_if(pieces, [&](const Piece& piece) { return piece.db == db && piece.number == number; });
  if (found != pieces.end()) return *found;
  Piece& made = pieces.emplace_back();
  made.db = db;
  made.number = number;
  return made;
}

// What changes, by log. A key that was deleted and was not there, or goes with its database, is no record.
std::vector<TransactionRun::Piece> TransactionRun::pieces() {
  const StagedWrites& staged = transaction_.staged_;
  Reply reply(ignored_, transaction_.protocol);
  Call call = new_call(reply);
  std::vector<std::uint16_t> numbers;
  if (reach_ == nullptr) numbers.push_back(request_.partition);
  if (reach_ != nullptr) {
    for (const Reach::Place& place : reach_->places()) numbers.push_back(place.number);
  }
  std::vector<Piece> pieces;
  for (int db = 0; db < kDatabases; ++db) {
    for (const std::uint16_t number : numbers) {
      Partition* const partition = staged.flushed(db) ? call.partition_at(db, number) : nullptr;
      if (partition == nullptr) continue;
      call.observe_absence(*partition);
      if (partition->index().size() != 0) piece(pieces, db, number).flush = true;
    }
    for (const auto& write : staged.of(db)) {
      const std::uint16_t number = call.number_of(write.first);
      if (!write.second.present) {
        Partition* const partition = staged.flushed(db) ? nullptr : call.partition_at(db, number);
        if (partition == nullptr || !partition->index().find(store_.hash(write.first))) continue;
      }
      Piece& to = piece(pieces, db, number);
      to.writes.push_back(&write);
      to.bytes += Log::record_bytes(write.first.size() + write.second.value.size());
      to.adds = to.adds || write.second.present;
    }
  }
  return pieces;
}

void TransactionRun::commit() {
  std::vector<Piece> all = pieces();
  if (all.empty()) return;
  Reply reply(ignored_, transaction_.protocol);
  Call call = new_call(reply);
  if (has_room(call, all)) write(call, all);
  check(!call.parked() || !call.wrote_, "a transaction has all its room before it writes");
  if (call.failed_) {
    refuse(call.failure_);
  } else {
    parked_ = call.parked_;
  }
}

// False: the call is parked or has failed, and nothing was written.
bool TransactionRun::has_room(Call& call, std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    Store& store = call.store_at(piece.number);
    if (piece.adds && store.index_over_limit_) {
      ++store.counters_.refused_memory;
      call.fail("OOM command not allowed when used memory > 'maxmemory'.");
      return false;
    }
    if (!call.database_is_there(piece.db, piece.number) && call.failed_) return false;
  }
  if (call.parked()) return false;
  const std::size_t together = pieces.size() * kLogReachSize;
  for (const Piece& piece : pieces) {
    Partition& partition = *call.partition_at(piece.db, piece.number);
    const std::size_t bytes = piece.bytes + Log::joint_bytes(together, piece.flush);
    if (!call.make_room(partition, bytes, !piece.adds) && call.failed_) return false;
  }
  if (!call.parked() && !store_.options_.joints->has_room()) {
    // Some will have passed soon: tried again with the next tick.
    call.parked_ = true;
    request_.waits_for_room_ = &call.partition_at(pieces[0].db, pieces[0].number)->log();
  }
  return !call.parked();
}

// A log start is a batch of its own, so with writes behind it the transaction is a joint one even of one log.
void TransactionRun::write(Call& call, std::vector<Piece>& pieces) {
  for (Piece& piece : pieces) {
    const Offset appended = call.partition_at(piece.db, piece.number)->log().marks().appended();
    piece.end = appended + OffsetCount(piece.records());
  }
  const bool joint = pieces.size() > 1 || (pieces[0].flush && !pieces[0].writes.empty());
  std::string together;
  std::uint64_t number = 0;
  if (joint) {
    std::vector<LogReach> logs;
    for (const Piece& piece : pieces) {
      logs.push_back(LogReach{static_cast<std::int16_t>(piece.db), static_cast<std::int16_t>(piece.number), piece.end});
    }
    together = encode_together(logs);
    number = store_.options_.joints->begin(static_cast<std::uint32_t>(pieces.size()));
  }
  for (const Piece& piece : pieces) {
    Partition& partition = *call.partition_at(piece.db, piece.number);
    if (joint) {
      partition.log().begin_joint(piece.bytes, number, together);
    } else if (piece.writes.size() > 1) {
      partition.log().begin_group(piece.bytes);
    }
    write(call, piece);
    partition.log().end_group();
    check(partition.log().marks().appended() == piece.end, "a transaction writes what it announced");
  }
}

void TransactionRun::write(Call& call, const Piece& piece) {
  Store& store = call.store_at(piece.number);
  Partition& partition = *call.partition_at(piece.db, piece.number);
  if (piece.flush) {
    const Offset offset = partition.log().append_log_start(now_);
    partition.apply_log_start(offset);
    store.cache_.erase_log(partition.id());
    call.wrote_ = true;
    call.depend_on(partition, offset);
  }
  for (const auto* const write : piece.writes) {
    const auto& [key, value] = *write;
    NewRecord record{key, value.value};
    record.has_value = value.present;
    if (value.present) record.expires_at = value.expires_at;
    call.append(partition, store.hash(key), record);
  }
}

}  // namespace minod
