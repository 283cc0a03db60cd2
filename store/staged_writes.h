// What the commands of a transaction have written so far, in RAM: they read through it, and it goes to the log as one
// batch when the last of them has run. Until then nothing has happened, so a transaction that lacks a value or room
// starts again from an empty one. Only the newest write of each key is kept. Belongs to one shard.
#pragma once

#include <bitset>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/ids.h"
#include "store/limits.h"

namespace minod {

class StagedWrites {
 public:
  struct Write {
    std::string value;
    UnixMillis expires_at = kNeverExpires;
    bool present = false;  // false: the key is deleted
  };

  // What was written to the key; nullptr: nothing, and the partition answers, unless flushed(db). Stays where it is
  // until the key's next write, or the database's flush().
  const Write* find(std::string_view key, int db) const {
    const auto& writes = writes_[static_cast<std::size_t>(db)];
    const auto at = writes.find(key);
    return at == writes.end() ? nullptr : &at->second;
  }

  // `value` may be a view of a staged value, of this key too.
  void put(std::string_view key, int db, std::string_view value, UnixMillis expires_at) {
    set(key, db, Write{std::string(value), expires_at, true});
  }
  void erase(std::string_view key, int db) { set(key, db, Write{}); }

  // The database's keys are deleted: those of the partition, and what was staged.
  void flush(int db) {
    for (const auto& [key, write] : writes_[static_cast<std::size_t>(db)]) bytes_ -= key.size() + write.value.size();
    writes_[static_cast<std::size_t>(db)].clear();
    flushed_.set(static_cast<std::size_t>(db));
  }
  bool flushed(int db) const { return flushed_.test(static_cast<std::size_t>(db)); }

  using Writes = std::map<std::string, Write, std::less<>>;  // ordered: so is what the log gets
  const Writes& of(int db) const { return writes_[static_cast<std::size_t>(db)]; }

  std::size_t bytes() const { return bytes_; }  // keys and values
  void clear() { *this = StagedWrites(); }

 private:
  void set(std::string_view key, int db, Write write) {
    auto& writes = writes_[static_cast<std::size_t>(db)];
    auto at = writes.find(key);
    if (at == writes.end()) {
      at = writes.emplace(key, Write{}).first;
      bytes_ += key.size();
    }
    bytes_ += write.value.size();
    bytes_ -= at->second.value.size();
    at->second = std::move(write);
  }

  Writes writes_[kDatabases];
  std::bitset<kDatabases> flushed_;
  std::size_t bytes_ = 0;
};

}  // namespace minod
