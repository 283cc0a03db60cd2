#include "store/partition.h"

#include <algorithm>
#include <utility>

namespace minod {

void Partition::apply_kept(KeyHash hash, Offset offset, UnixMillis expires_at, std::uint8_t hits) {
  counts_.applied();
  const bool expires = expires_at != kNeverExpires;
  const auto replaced = index_.put(hash, IndexEntry{offset, expires, hits});
  if (replaced) counts_.died(replaced->offset);
  if (replaced && replaced->expires) expiries_.erase(replaced->offset);
  if (expires) expiries_.put(offset, expires_at);
}

void Partition::apply_tombstone(KeyHash hash, Offset offset) {
  counts_.applied();
  const auto erased = index_.erase(hash);
  if (erased) counts_.died(erased->offset);
  if (erased && erased->expires) expiries_.erase(erased->offset);
  counts_.erased_by(offset);
  newest_erasure_ = std::max(newest_erasure_, offset);  // a restart applies in the order of hashes
}

void Partition::load(std::span<const IndexChange> changes) {
  while (!changes.empty()) {
    const std::size_t loaded = index_.load(changes);
    for (const IndexChange& change : changes.first(loaded)) {
      counts_.applied();
      if (change.expires_at() != kNeverExpires) expiries_.put(change.offset(), change.expires_at());
    }
    changes = changes.subspan(loaded);
    if (changes.empty()) return;
    const IndexChange& change = changes.front();
    apply(change.hash(), change.offset(), change.has_value(), change.expires_at());
    changes = changes.subspan(1);
  }
}

void Partition::clear() {
  index_.clear();
  expiries_.clear();
  places_ = LogIndex();
  counts_ = SegmentCounts();
  newest_erasure_ = kNoOffset;
}

void Partition::take_over(Partition&& fresh) {
  id_ = fresh.id_;
  index_ = std::move(fresh.index_);
  expiries_ = std::move(fresh.expiries_);
  places_ = std::move(fresh.places_);
  counts_ = std::move(fresh.counts_);
  counts_.apply_later(follows_);
  replay_begin_ = fresh.replay_begin_;
  newest_checkpoint_ = fresh.newest_checkpoint_;
  newest_checkpoint_segment_ = fresh.newest_checkpoint_segment_;
  newest_erasure_ = fresh.newest_erasure_;
  replayed_bytes_ = fresh.replayed_bytes_;
}

void Partition::apply_eviction(KeyHash hash, Offset offset, Offset by) {
  const auto entry = index_.find(hash);
  if (!entry || entry->offset != offset) return;
  index_.erase(hash);
  counts_.died(offset);
  if (entry->expires) expiries_.erase(offset);
  newest_erasure_ = std::max(newest_erasure_, by);
}

void Partition::apply_eviction_below(Offset below, Offset by) {
  index_.erase_below(below, [this](Offset offset) { counts_.died(offset); });
  expiries_.erase_below(below);
  counts_.segments_died_below(below);
  newest_erasure_ = std::max(newest_erasure_, by);
}

void Partition::begin_eviction_below(Offset below, Offset by) {
  index_.hide_below(below);
  counts_.segments_died_below(below);
  newest_erasure_ = std::max(newest_erasure_, by);
  evicting_below_ = below;
}

bool Partition::go_on_evicting() { return index_.erase_hidden() || expiries_.erase_some_below(evicting_below_); }

void Partition::apply_log_start(Offset offset) {
  index_.clear();
  expiries_.clear();
  counts_.all_died_below(offset);
  counts_.erased_by(offset);
  newest_erasure_ = offset;
}

}  // namespace minod
