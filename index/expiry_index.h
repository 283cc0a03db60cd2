// Offsets of records that carry an expiry, and when. Answers TTL and EXISTS without a disk read, and names expired
// records in bounded slices. At most 16 bytes a key with an expiry. Belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"

namespace minod {

class ExpiryIndex {
 public:
  ExpiryIndex();
  ~ExpiryIndex();
  ExpiryIndex(ExpiryIndex&&) noexcept;
  ExpiryIndex& operator=(ExpiryIndex&&) noexcept;

  // 48 bits of each are kept: offsets below HashIndex::kOffsetLimit, times below kLatest, in the year 10889. find()
  // gives that for all later ones; when exactly is on the record.
  static constexpr UnixMillis kLatest{(std::int64_t{1} << 48) - 2};
  void put(Offset offset, UnixMillis expires_at);
  std::optional<UnixMillis> find(Offset offset) const;
  void erase(Offset offset);
  void erase_below(Offset offset);  // one pass over the index, for a restart
  // The same in parts, some tens of microseconds' worth a call; false: none is left. Begins anew with another offset.
  bool erase_some_below(Offset offset);
  void clear();

  std::size_t size() const;
  std::size_t memory_bytes() const;

  // Looks at the next `slots_max` slots of a walk that goes round for ever, and adds to `expired` the offsets whose
  // time is not after `now`. They stay in the index until erased.
  void sweep(UnixMillis now, std::size_t slots_max, std::vector<Offset>& expired);

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace minod
