// One run of one command against the store: what a command function sees. Command functions are plain functions: they
// run at once, in memory, against the newest state, and never wait.
//
// When a value is only on disk, or the log has no prepared room for a record, the call is parked: the function returns,
// what it replied so far is dropped, and the same function is run again from its start once the value or the room is
// there. So a function reads everything it needs before its first put() or erase(), and returns as soon as parked().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "index/hash_index.h"
#include "log/record.h"
#include "store/cache_entry.h"
#include "store/reply.h"

namespace minod {

class Log;
class Partition;
class Reach;
class Request;
class StagedWrites;
class Store;

// The newest value of a key. The views point into the store's memory: valid until this function's next put(), erase()
// or return, whichever comes first.
struct Value {
  std::string_view bytes;
  UnixMillis expires_at = kNeverExpires;
};

class Call {
 public:
  Call(Store& store, Request& request, Reply& reply, UnixMillis now);

  std::span<const std::string_view> args() const { return args_; }  // args()[0] is the name as it was sent
  std::size_t count() const { return args_.size(); }
  std::string_view operator[](std::size_t i) const { return args_[i]; }

  Reply& reply() { return reply_; }
  UnixMillis now() const { return now_; }
  int db() const { return db_; }
  Store& store() { return store_; }
  std::size_t value_size_max() const;  // the largest value that a command may make (proto-max-bulk-len)

  // True when this run is over: return at once. It will be repeated, or its reply is an error that has been set.
  bool parked() const { return parked_ || failed_; }

  // The value, or nullptr when the key is absent (or expired), or when the call is now parked. The results of the last
  // three find() calls are good at a time.
  const Value* find(std::string_view key) { return find(key, db_); }
  const Value* find(std::string_view key, int db);

  // Whether the key is there and when it expires, without its value: never parks.
  std::optional<UnixMillis> expiry_of(std::string_view key) { return expiry_of(key, db_); }
  std::optional<UnixMillis> expiry_of(std::string_view key, int db);
  bool exists(std::string_view key) { return expiry_of(key).has_value(); }

  // Makes sure that the log takes records of these bytes (keys and values) before the first is written; false:
  // parked(), return. put() does it by itself for a single record.
  bool reserve(std::size_t record_count, std::size_t key_and_value_bytes) {
    return reserve(record_count, key_and_value_bytes, db_);
  }
  bool reserve(std::size_t record_count, std::size_t key_and_value_bytes, int db);

  // Writes the key's new value. False: nothing was written and parked() is true: return at once. A time
  // that is not after now() erases the key instead, as Redis does.
  bool put(std::string_view key, std::string_view value, UnixMillis expires_at = kNeverExpires) {
    return put(key, value, expires_at, db_);
  }
  bool put(std::string_view key, std::string_view value, UnixMillis expires_at, int db);

  // Deletes the key. True when it was there; parked() tells whether false means something else. Needs no prepared room
  // beyond the reserve that is kept for deletes.
  bool erase(std::string_view key) { return erase(key, db_); }
  bool erase(std::string_view key, int db);

  // The key of a record that the partition's index names or named, for walks over the keyspace. Nothing: parked(), or
  // the record is gone.
  std::optional<std::string_view> key_at(Partition& partition, Offset offset);

  // Deletes every key of these databases, as far as they lie in the request's partition. False: parked() tells why.
  bool erase_all(const std::vector<int>& dbs);

  // The partitions of the call's database that it may touch, as far as something was ever written to them: usually the
  // request's one.
  std::vector<Partition*> partitions();
  // One of them; nullptr when nothing was ever written to it.
  Partition* partition(std::uint16_t number);
  // How many partitions a database has, of which the call may touch all; 1 when it keeps to the request's.
  int reach() const;

  // Where the key is, or will be; nullptr when nothing was ever written there.
  Partition* home(std::string_view key, int db);
  Partition* home(std::string_view key) { return home(key, db_); }

  // The reply speaks of the whole partition as it is now.
  void depend_on_all(Partition& partition);

  // Lets records go that were fetched for earlier runs.
  void forget_fetched();

  // What the commands before this one in its transaction have written, which the partition's index does not tell;
  // nullptr outside a transaction. find(), expiry_of() and exists() know of it by themselves.
  const StagedWrites* staged() const { return staged_; }
  // It is the first and last command of its transaction, or in none.
  bool alone() const { return staged_ == nullptr || alone_; }

  // Keeps state from a run to its repetition, for commands that walk the whole keyspace.
  template <class State>
  State& state() {
    if (!state_slot()) state_slot() = std::make_shared<State>();
    return *static_cast<State*>(state_slot().get());
  }

  // Memory for a value composed by the function (APPEND, SETRANGE); empty at each use.
  std::string& scratch();

 private:
  friend class Store;
  friend class TransactionRun;
  std::shared_ptr<void>& state_slot();
  std::uint16_t number_of(std::string_view key) const;
  Store& store_at(std::uint16_t number);
  Request& request_at(std::uint16_t number);
  Partition* partition_at(int db, std::uint16_t number);
  static std::uint16_t number_in(const Partition& partition);
  std::optional<CachedRecord> resident(Partition& partition, Offset offset);
  void park_for(Partition& partition, Offset offset, bool key_only);
  bool make_room(Partition& partition, std::size_t bytes, bool last_reserve);
  bool within_disk_budget(Partition& partition, std::size_t bytes);
  void observe_absence(Partition& partition);
  void fail(std::string text);
  bool begin_erasures(Partition& partition);
  void finish();
  void depend_on(Partition& partition, Offset offset);
  std::optional<IndexEntry> live_entry(Partition& partition, KeyHash hash, std::string_view key);
  void append(Partition& partition, KeyHash hash, const NewRecord& record);
  bool database_is_there(int db, std::uint16_t number);
  bool begin_group(Partition& partition, std::size_t bytes, bool last_reserve);
  bool put_staged(std::string_view key, std::string_view value, UnixMillis expires_at, int db);
  bool erase_staged(std::string_view key, int db);

  Store& store_;
  Request& request_;
  Reply& reply_;
  std::span<const std::string_view> args_;
  UnixMillis now_;
  int db_;
  bool parked_ = false;
  bool failed_ = false;
  std::string failure_;
  bool wrote_ = false;
  const Reach* reach_ = nullptr;
  bool alone_ = false;
  StagedWrites* staged_ = nullptr;                 // of the transaction that this is a command of
  std::shared_ptr<void>* staged_state_ = nullptr;  // its state()
  Partition* group_ = nullptr;                     // whose log has an open group for this call
  std::uint8_t next_value_ = 0;
  Value values_[3];
};

}  // namespace minod
