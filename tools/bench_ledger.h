// What --verify knows: for each key, the last write that the server has acknowledged.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minod::bench {

// Four bytes a key; this is 1 GiB.
inline constexpr std::uint64_t kVerifiedKeysMax = std::uint64_t{1} << 28;

enum class Verdict : std::uint8_t {
  kRight,
  kMiss,     // not there, and nothing says that it must be
  kLost,     // not there, although a write was acknowledged and nothing may have removed it
  kCorrupt,  // the checksum is wrong
  kForeign,  // another key's value
  kStale,    // whole, but not the last acknowledged write: an older one, or one that a DEL had removed
};
std::string_view name_of(Verdict verdict);

// Under --verify each key is read and written by one connection only. Replies come in the order of requests, so what is
// noted when a reply comes is exactly what the next read on that connection must see; and an entry is never touched by
// two threads. Keys at or above the key count (inserted ones) are checked by checksum and key alone.
class Ledger {
 public:
  // `run` tells this process's values from those an earlier one left; `vanishing`: keys expire, so a miss proves
  // nothing.
  Ledger(std::uint64_t keys, std::uint32_t run, bool vanishing);

  std::uint32_t next_version();
  std::uint64_t stamped(std::uint32_t version) const { return std::uint64_t{run_} << 32 | version; }

  void written(std::uint64_t key, std::uint32_t version) { note(key, version); }
  void removed(std::uint64_t key) { note(key, kAbsent); }
  void unclear(std::uint64_t key) { note(key, kUnknown); }  // a write was answered with an error

  Verdict check(std::uint64_t key, std::optional<std::string_view> value) const;

 private:
  static constexpr std::uint32_t kUnknown = 0;
  static constexpr std::uint32_t kAbsent = 1;
  static constexpr std::uint32_t kFirstVersion = 2;

  void note(std::uint64_t key, std::uint32_t what) {
    if (key < last_.size()) last_[key] = what;
  }

  std::vector<std::uint32_t> last_;
  std::atomic<std::uint32_t> version_{kFirstVersion};
  std::uint32_t run_;
  bool vanishing_;
};

}  // namespace minod::bench
