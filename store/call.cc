#include "store/call.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/partition.h"
#include "store/reach.h"
#include "store/request.h"
#include "store/staged_writes.h"
#include "store/store.h"

namespace minod {

Call::Call(Store& store, Request& request, Reply& reply, UnixMillis now)
    : store_(store), request_(request), reply_(reply), args_(request.args), now_(now), db_(request.db) {}

void Call::finish() {
  if (group_ != nullptr) std::exchange(group_, nullptr)->log().end_group();
}

std::shared_ptr<void>& Call::state_slot() { return staged_state_ != nullptr ? *staged_state_ : request_.state_; }

std::string& Call::scratch() {
  request_.scratch_.clear();
  return request_.scratch_;
}

std::size_t Call::value_size_max() const { return store_.options().value_size_max; }

// ---- which partition

std::uint16_t Call::number_of(std::string_view key) const {
  return reach_ != nullptr ? reach_->number_of(key) : request_.partition;
}

std::uint16_t Call::number_in(const Partition& partition) { return static_cast<std::uint16_t>(partition.number()); }

Store& Call::store_at(std::uint16_t number) { return reach_ != nullptr ? *reach_->at(number).store : store_; }

Request& Call::request_at(std::uint16_t number) { return reach_ != nullptr ? *reach_->at(number).request : request_; }

Partition* Call::partition_at(int db, std::uint16_t number) {
  Partition* const partition = store_at(number).partition(db, number);
  return partition != nullptr && partition->has_log() ? partition : nullptr;
}

std::optional<CachedRecord> Call::resident(Partition& partition, Offset offset) {
  const std::uint16_t number = number_in(partition);
  return store_at(number).resident(partition, offset, request_at(number));
}

Partition* Call::home(std::string_view key, int db) { return partition_at(db, number_of(key)); }

Partition* Call::partition(std::uint16_t number) { return partition_at(db_, number); }

int Call::reach() const { return reach_ != nullptr ? reach_->partitions() : 1; }

std::vector<Partition*> Call::partitions() {
  std::vector<Partition*> all;
  if (reach_ == nullptr) {
    all.push_back(partition_at(db_, request_.partition));
  } else {
    for (const Reach::Place& place : reach_->places()) all.push_back(partition_at(db_, place.number));
  }
  std::erase(all, nullptr);
  return all;
}

// ---- what the reply depends on

void Call::depend_on(Partition& partition, Offset offset) {
  Log& log = partition.log();
  if (offset < log.released()) return;
  const Offset end = offset + OffsetCount(1);
  auto& dependencies = request_at(number_in(partition)).dependencies;
  for (Dependency& dependency : dependencies) {
    if (dependency.log != &log) continue;
    dependency.end = std::max(dependency.end, end);
    return;
  }
  dependencies.push_back(Dependency{&log, end});
}

// Which erasure made a key absent is not known, so absence depends on the newest one of the partition.
void Call::observe_absence(Partition& partition) {
  if (partition.newest_erasure() >= kFirstOffset) depend_on(partition, partition.newest_erasure());
}

// ---- reading

std::optional<IndexEntry> Call::live_entry(Partition& partition, KeyHash hash, std::string_view key) {
  const auto entry = partition.index().touch(hash);
  if (entry && entry->expires) {
    const auto expires_at = partition.expiries().find(entry->offset);
    if (expires_at && *expires_at <= now_) {
      // Logged, so that it stays gone when the clock goes back or a replica's clock differs.
      store_at(number_in(partition)).expire_record(partition, key, entry->offset);
      observe_absence(partition);
      return std::nullopt;
    }
  }
  if (!entry) observe_absence(partition);
  return entry;
}

const Value* Call::find(std::string_view key, int db) {
  if (staged_ != nullptr) {
    const StagedWrites::Write* const write = staged_->find(key, db);
    if (write != nullptr && write->present) {
      ++store_.counters_.hits;
      Value& value = values_[next_value_++ % std::size(values_)];
      value = Value{write->value, write->expires_at};
      return &value;
    }
    if (write != nullptr || staged_->flushed(db)) {
      ++store_.counters_.misses;
      return nullptr;
    }
  }
  Partition* const partition = home(key, db);
  if (partition == nullptr) {
    ++store_.counters_.misses;
    return nullptr;
  }
  const auto entry = live_entry(*partition, store_.hash(key), key);
  if (!entry) {
    ++store_.counters_.misses;
    return nullptr;
  }
  const auto record = resident(*partition, entry->offset);
  if (!record) {
    park_for(*partition, entry->offset, false);
    return nullptr;
  }
  if (record->key != key) {
    fail(
        "ERR the index names another key's record for this key; the data directory is damaged, restore it from a "
        "replica or a backup");
    return nullptr;
  }
  ++store_.counters_.hits;
  depend_on(*partition, entry->offset);
  Value& value = values_[next_value_++ % std::size(values_)];
  value = Value{record->value, record->expires_at};
  return &value;
}

std::optional<UnixMillis> Call::expiry_of(std::string_view key, int db) {
  if (staged_ != nullptr) {
    const StagedWrites::Write* const write = staged_->find(key, db);
    const bool present = write != nullptr && write->present;
    if (present) {
      ++store_.counters_.hits;
      return write->expires_at;
    }
    if (write != nullptr || staged_->flushed(db)) {
      ++store_.counters_.misses;
      return std::nullopt;
    }
  }
  Partition* const partition = home(key, db);
  if (partition == nullptr) {
    ++store_.counters_.misses;
    return std::nullopt;
  }
  const auto entry = live_entry(*partition, store_.hash(key), key);
  if (!entry) {
    ++store_.counters_.misses;
    return std::nullopt;
  }
  const auto indexed = entry->expires ? partition->expiries().find(entry->offset) : std::nullopt;
  if (indexed == ExpiryIndex::kLatest) {
    const Value* const value = find(key, db);
    return value == nullptr ? std::nullopt : std::optional(value->expires_at);
  }
  ++store_.counters_.hits;
  depend_on(*partition, entry->offset);
  return indexed ? *indexed : kNeverExpires;
}

void Call::park_for(Partition& partition, Offset offset, bool key_only) {
  Request& request = request_at(number_in(partition));
  const FetchedRecord* const fetched = request.fetched(RecordId{partition.id(), offset});
  if (fetched != nullptr && fetched->failure != Errc::kEnd) {
    fail("IOERR the value is on disk and can't be read: " + fetched->failure_detail);
    return;
  }
  parked_ = true;
  request.missing_.push_back(ColdRecord{&partition, offset, key_only});
}

// The one reply of a run that can't do its work; the function that runs returns as if it were parked.
void Call::fail(std::string text) {
  if (!std::exchange(failed_, true)) failure_ = std::move(text);
}

// ---- writing

bool Call::make_room(Partition& partition, std::size_t bytes, bool last_reserve) {
  Log& log = partition.log();
  if (bytes > kBatchSizeMax) {
    fail("ERR the command writes " + std::to_string(bytes) + " bytes, more than the limit of " +
         std::to_string(kBatchSizeMax) + " for one atomic write (batch size limit)");
    return false;
  }
  if (!last_reserve && !within_disk_budget(partition, bytes)) return false;
  switch (log.make_room(bytes, last_reserve)) {
    case Log::Room::kYes:
      return true;
    case Log::Room::kWait:
      parked_ = true;
      request_at(number_in(partition)).waits_for_room_ = &log;
      return false;
    case Log::Room::kReadOnly:
      fail("READONLY You can't write against a read only replica.");
      return false;
    case Log::Room::kFull:
      break;
  }
  ++store_.counters_.refused_full;
  if (log.failure() != nullptr) {
    fail("IOERR writing to the log has failed and the node is stopping: " + log.failure()->message());
  } else {
    const Error& error = log.space_error();
    fail((error.code == Errc::kNoSpace ? "NOSPACE the disk is full: " : "IOERR no further space can be prepared: ") +
         error.message() + ". Reads and deletes go on; writes are taken again when there is space");
  }
  return false;
}

bool Call::within_disk_budget(Partition& partition, std::size_t bytes) {
  Evictor& evictor = store_at(number_in(partition)).evictor_;
  Log& log = partition.log();
  switch (evictor.room(log, bytes)) {
    case Log::Room::kYes:
      return true;
    case Log::Room::kWait:
      parked_ = true;
      request_at(number_in(partition)).waits_for_room_ = &log;
      return false;
    case Log::Room::kFull:
    case Log::Room::kReadOnly:
      break;
  }
  fail(evictor.refusal());
  return false;
}

bool Call::database_is_there(int db, std::uint16_t number) {
  if (partition_at(db, number) != nullptr) return true;
  Request& request = request_at(number);
  if (request.database_failed_) {
    request.database_failed_ = false;
    fail("NOSPACE this database can't be created; the node's log says why");
    return false;
  }
  parked_ = true;
  request.waits_for_database_ = true;
  store_at(number).make_database(db, number);
  return false;
}

bool Call::begin_group(Partition& partition, std::size_t bytes, bool last_reserve) {
  if (!make_room(partition, bytes, last_reserve)) return false;
  check(group_ == nullptr, "a command reserves once");
  group_ = &partition;
  partition.log().begin_group(bytes);
  return true;
}

bool Call::reserve(std::size_t record_count, std::size_t key_and_value_bytes, int db) {
  if (failed_ || parked_) return false;
  if (staged_ != nullptr) return true;  // there is room for the whole transaction, or none of it is written
  if (!database_is_there(db, request_.partition)) return false;
  Partition* const partition = partition_at(db, request_.partition);
  if (store_.index_over_limit_) {
    ++store_.counters_.refused_memory;
    fail("OOM command not allowed when used memory > 'maxmemory'.");
    return false;
  }
  const std::size_t bytes = key_and_value_bytes + record_count * Log::kRecordOverheadMax;
  return record_count > 1 ? begin_group(*partition, bytes, false) : make_room(*partition, bytes, false);
}

void Call::append(Partition& partition, KeyHash hash, const NewRecord& record) {
  const Offset offset = partition.log().append(record, now_);
  partition.apply(hash, offset, record.has_value, record.expires_at);
  wrote_ = true;
  depend_on(partition, offset);
}

bool Call::put(std::string_view key, std::string_view value, UnixMillis expires_at, int db) {
  if (value.size() > value_size_max()) {
    fail("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    return false;
  }
  if (expires_at <= now_) {
    erase(key, db);
    return !parked_ && !failed_;
  }
  if (staged_ != nullptr) return put_staged(key, value, expires_at, db);
  if (group_ == nullptr && !reserve(1, key.size() + value.size(), db)) return false;
  NewRecord record{key, value};
  record.expires_at = expires_at;
  append(*partition_at(db, request_.partition), store_.hash(key), record);
  return true;
}

bool Call::erase(std::string_view key, int db) {
  if (failed_ || parked_) return false;
  if (staged_ != nullptr) return erase_staged(key, db);
  Partition* const partition = partition_at(db, request_.partition);
  if (partition == nullptr) return false;
  const KeyHash hash = store_.hash(key);
  if (!live_entry(*partition, hash, key)) return false;
  if (group_ == nullptr && !begin_erasures(*partition)) return false;
  NewRecord tombstone{key, {}};
  tombstone.has_value = false;
  append(*partition, hash, tombstone);
  return true;
}

// A command may erase as many keys as it has arguments, in one batch.
bool Call::begin_erasures(Partition& partition) {
  std::size_t bytes = Log::kRecordOverheadMax;
  for (const std::string_view arg : args_) bytes += Log::record_bytes(std::min(arg.size(), kKeySizeMax));
  return args_.size() > 2 ? begin_group(partition, bytes, true) : make_room(partition, bytes, true);
}

// ---- in a transaction

bool Call::put_staged(std::string_view key, std::string_view value, UnixMillis expires_at, int db) {
  if (failed_ || parked_) return false;
  staged_->put(key, db, value, expires_at);
  wrote_ = true;
  return true;
}

// Asks for no expiry, which may park: DEL has erased keys before this one by now.
bool Call::erase_staged(std::string_view key, int db) {
  const StagedWrites::Write* const write = staged_->find(key, db);
  if (write != nullptr || staged_->flushed(db)) {
    if (write == nullptr || !write->present) return false;
  } else {
    Partition* const partition = home(key, db);
    if (partition == nullptr) return false;
    if (!live_entry(*partition, store_.hash(key), key)) return false;
  }
  staged_->erase(key, db);
  wrote_ = true;
  return true;
}

// ---- the whole keyspace

std::optional<std::string_view> Call::key_at(Partition& partition, Offset offset) {
  if (const auto record = resident(partition, offset)) return record->key;
  const FetchedRecord* const fetched = request_at(number_in(partition)).fetched(RecordId{partition.id(), offset});
  if (fetched != nullptr && fetched->failure == Errc::kEnd) return fetched->key;
  if (fetched != nullptr && fetched->failure == Errc::kNotFound) return std::nullopt;  // flushed since the walk began
  park_for(partition, offset, true);
  return std::nullopt;
}

bool Call::erase_all(const std::vector<int>& dbs) {
  std::vector<Partition*> full;
  for (const int db : dbs) {
    if (staged_ != nullptr) {
      staged_->flush(db);
      continue;
    }
    Partition* const partition = partition_at(db, request_.partition);
    if (partition == nullptr) continue;
    observe_absence(*partition);
    if (partition->index().size() == 0) continue;
    if (!make_room(*partition, Log::kRecordOverheadMax, true)) return false;
    full.push_back(partition);
  }
  for (Partition* const partition : full) {
    const Offset offset = partition->log().append_log_start(now_);
    partition->apply_log_start(offset);
    store_.cache_.erase_log(partition->id());
    wrote_ = true;
    depend_on(*partition, offset);
  }
  return true;
}

void Call::depend_on_all(Partition& partition) {
  const Offset end = partition.log().marks().appended();
  if (end > kFirstOffset) depend_on(partition, end - OffsetCount(1));
}

void Call::forget_fetched() {
  if (reach_ == nullptr) return request_.fetched_.clear();
  for (Request* const request : reach_->requests()) request->fetched_.clear();
}

}  // namespace minod
