#include "store/partition.h"

#include <algorithm>

namespace minod {

void Partition::apply_value(KeyHash hash, Offset offset, UnixMillis expires_at) {
  const bool expires = expires_at != kNeverExpires;
  const auto replaced = index_.put(hash, IndexEntry{offset, expires, 0});
  if (replaced && replaced->expires) expiries_.erase(replaced->offset);
  if (expires) expiries_.put(offset, expires_at);
}

void Partition::apply_tombstone(KeyHash hash, Offset offset) {
  const auto erased = index_.erase(hash);
  if (erased && erased->expires) expiries_.erase(erased->offset);
  newest_erasure_ = std::max(newest_erasure_, offset);  // a restart applies in the order of hashes
}

void Partition::clear() {
  index_.clear();
  expiries_.clear();
  places_ = LogIndex();
  newest_erasure_ = kNoOffset;
}

void Partition::apply_log_start(Offset offset) {
  index_.clear();
  expiries_.clear();
  newest_erasure_ = offset;
}

}  // namespace minod
