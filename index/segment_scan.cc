#include "index/segment_scan.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/endian.h"
#include "log/format.h"

namespace minod {

Result<void> SegmentScan::next(ChangeWindow& window, std::size_t changes_max) {
  auto filled = fill(window, changes_max);
  window.sort(scratch_);
  return filled;
}

Result<void> SegmentScan::fill(ChangeWindow& window, std::size_t changes_max) {
  while (window.changes.size() < changes_max && window.batches.size() < ChangeWindow::kBatchesMax) {
    const auto batch = reader_.next();
    if (!batch) return batch.error();
    if (!fits(batch->header())) {
      return Error{Errc::kTorn, 0,
                   "a batch up to offset " + std::to_string(batch->header().last_offset().value()) +
                       " does not fit a segment that begins at " + std::to_string(base_.value())};
    }
    if (until_ != kNoOffset && batch->header().last_offset() >= until_) {
      return Error{Errc::kTorn, 0, "the log ends at offset " + std::to_string(until_.value())};
    }
    const std::size_t before = window.changes.size();
    if (auto added = add(*batch, window); !added) {
      window.changes.resize(std::min(before, window.changes.size()));
      return added;
    }
    window.batches.push_back(PlacedBatch{batch->header(), end_});
    end_ = reader_.position();
    expected_ = reader_.expected();
    epoch_ = std::max(epoch_, reader_.epoch());
    bytes_ += batch->header().length;
  }
  return {};
}

// The next batch. Index files, as Kafka's, have 32 bits for an offset in a segment and for a position.
bool SegmentScan::fits(const BatchHeader& batch) const {
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  return (batch.last_offset() - base_).value() <= kMax && end_.value() <= kMax;
}

void SegmentScan::note_joint(const BatchHeader& batch, const RecordView& record, ChangeWindow& window) {
  if (!record.together.empty()) {
    window.joints.push_back(JointBatch{batch.base_offset, decode_together(record.together)});
  }
  if (record.durable_upto <= window.committed) return;
  window.committed = record.durable_upto;
  std::erase_if(window.joints, [&](const JointBatch& joint) { return joint.begin < window.committed; });
}

Result<void> SegmentScan::add(const BatchView& batch, ChangeWindow& window) {
  if (batch.header().is_control()) {
    // The one control batch minod writes; others (of Kafka's transactions) concern no key.
    return for_each_record(batch, decompressor_, [&](const RecordView& record) {
      const bool log_start = record.key.size() == 4 && record.value.size() >= 10 &&
                             load_big<std::int16_t>(as_bytes(record.key).data() + 2) == kLogStartControl;
      if (!log_start) return true;
      const Offset below(load_big<std::int64_t>(as_bytes(record.value).data() + 2));
      if (below == batch.header().base_offset) {
        window.changes.clear();
        window.log_start = below;
        note_joint(batch.header(), record, window);
      } else if (below < batch.header().base_offset) {
        window.evicted_below = std::max(window.evicted_below.value_or(kFirstOffset), below);
      }
      return true;
    });
  }
  const std::size_t before = window.changes.size();
  auto visited = for_each_record(batch, decompressor_, [&](const RecordView& record) {
    if (record.header_count != 0) note_joint(batch.header(), record, window);
    if (!record.has_key) return true;
    window.changes.emplace_back(hasher_(record.key), record.offset, record.has_value, record.expires_at);
    return true;
  });
  if (visited) window.records += static_cast<std::int64_t>(window.changes.size() - before);
  return visited;
}

}  // namespace minod
