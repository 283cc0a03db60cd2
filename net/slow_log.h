// The commands that took long to execute, newest first: what SLOWLOG shows. One per node; any thread may use it. Time
// that a command waited for the disk, for another shard or for its client is not counted, as in Redis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace minod {

class SlowLog {
 public:
  struct Entry {
    std::uint64_t id = 0;  // in the order of recording, never reused
    std::int64_t unix_seconds = 0;
    std::int64_t micros = 0;
    std::vector<std::string> args;  // long ones and many of them are cut
    std::string peer;
    std::string client_name;
  };

  // `entry` without its id; keeps at most `entries_max`.
  void add(Entry entry, std::size_t entries_max);
  std::vector<Entry> newest(std::size_t count) const;
  std::size_t size() const;
  void clear();

  // The arguments as an entry keeps them: at most 32 of them, at most 128 bytes of each, and how much is left out.
  static std::vector<std::string> cut(std::span<const std::string_view> args);

 private:
  mutable std::mutex lock_;
  std::deque<Entry> entries_;  // newest first
  std::uint64_t next_id_ = 0;
};

}  // namespace minod
