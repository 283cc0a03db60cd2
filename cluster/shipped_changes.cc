#include "cluster/shipped_changes.h"

#include <algorithm>
#include <span>

#include "replay/log_walk.h"

namespace minod {

Result<void> ShippedChanges::apply(const BatchView& batch) {
  const BatchHeader& header = batch.header();
  auto visited = for_each_record(batch, decompressor_, [&](const RecordView& record) {
    if (header.is_control()) {
      apply_control(header, record);
    } else if (record.has_key) {
      const KeyHash hash = store_.hash(record.key);
      store_.prefetch_entry(partition_, hash);
      near_[near_count_++] = Change{hash, record.offset, record.expires_at, record.has_value};
      if (near_count_ == near_.size()) apply_near();
    }
    return true;
  });
  apply_near();
  return visited;
}

void ShippedChanges::apply_near() {
  for (const Change& change : std::span(near_).first(near_count_)) {
    partition_.apply(change.hash, change.offset, change.has_value, change.expires_at);
  }
  near_count_ = 0;
}

void ShippedChanges::apply_control(const BatchHeader& header, const RecordView& record) {
  const auto below = log_start_of(record);
  if (!below) return;
  if (*below == header.base_offset) {
    partition_.apply_log_start(*below);
    store_.forget_values(partition_);
    partition_.log().start_shipped(*below);
  } else if (*below < header.base_offset) {
    evicted_below_ = std::max(evicted_below_, *below);
    evicted_by_ = header.base_offset;
  }
}

void ShippedChanges::end_evicted() {
  if (evicted_below_ <= partition_.log().log_start()) return;
  partition_.apply_eviction_below(evicted_below_, evicted_by_);
  partition_.log().start_shipped(evicted_below_);
}

std::vector<LogReach> together_of(const BatchView& batch, Decompressor& decompressor) {
  std::vector<LogReach> together;
  const auto visited = for_each_record(batch, decompressor, [&](const RecordView& record) {
    if (!record.together.empty()) together = decode_together(record.together);
    return false;  // only the first says it
  });
  if (!visited) together.clear();
  return together;
}

}  // namespace minod
