#include "log/compaction_rewrite.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/buffer.h"
#include "base/check.h"
#include "base/endian.h"
#include "log/compaction_swap.h"

namespace minod {

namespace {

constexpr std::size_t kWriteSize = std::size_t{256} << 10;
constexpr std::int64_t kFileSizeMax = std::numeric_limits<std::int32_t>::max();  // as Kafka's positions
constexpr std::int16_t kOwnAttributes = kAttributeCodecMask | kAttributeControl;

RewriteRecord classified(const BatchHeader& header, const RecordView& view) {
  RewriteRecord record{view};
  if (!header.is_control()) {
    if (view.has_key) record.kind = view.has_value ? RewriteRecord::Kind::kValue : RewriteRecord::Kind::kTombstone;
    return record;
  }
  if (view.key.size() != 4 || view.value.size() < 10) return record;
  if (load_big<std::int16_t>(as_bytes(view.key).data() + 2) != kLogStartControl) return record;
  record.kind = RewriteRecord::Kind::kLogStart;
  record.log_start = Offset(load_big<std::int64_t>(as_bytes(view.value).data() + 2));
  return record;
}

bool is_erasure(const RewriteRecord& record) {
  return record.kind == RewriteRecord::Kind::kTombstone || record.kind == RewriteRecord::Kind::kLogStart;
}

// Control batches, and batches with fields that minod leaves at their defaults, are copied or dropped as a whole.
bool is_whole(const BatchHeader& header) {
  return header.is_control() || header.producer_id != -1 || (header.attributes & ~kOwnAttributes) != 0;
}

}  // namespace

SegmentRewrite::SegmentRewrite(Disk& disk, std::string directory, std::vector<RewriteSource> sources, Offset end,
                               bool compress, Placed placed)
    : disk_(disk),
      directory_(std::move(directory)),
      sources_(std::move(sources)),
      end_(end),
      placed_(std::move(placed)),
      batches_(sources_.front().base, compress,
               [this](const BatchHeader& header, Bytes batch) { append(header, batch); }) {}

// ---- reading

Result<bool> SegmentRewrite::read_slice(std::int64_t size) {
  slice_.clear();
  records_.clear();
  if (!reader_) {
    reader_ = std::make_unique<SegmentReader>(*sources_[0].file, FilePosition(0), sources_[0].base, Epoch{0}, true);
  }
  for (std::int64_t bytes = 0; bytes < size;) {
    const auto batch = reader_->next();
    if (batch) {
      bytes += batch->header().length;
      counts_.source_bytes += batch->header().length;
      if (auto taken = take(*batch); !taken) return taken.error();
      continue;
    }
    if (batch.error().code == Errc::kIo) return batch.error();
    if (batch.error().code != Errc::kEnd) return Error{Errc::kCorrupt, 0, batch.error().detail};
    const bool last = source_ + 1 == sources_.size();
    const Offset wanted = last ? end_ : sources_[source_ + 1].base;
    if (reader_->expected() != wanted) {
      return Error{Errc::kCorrupt, 0,
                   "it ends at offset " + std::to_string(reader_->expected().value()) + " instead of " +
                       std::to_string(wanted.value())};
    }
    if (last) break;
    ++source_;
    reader_ = std::make_unique<SegmentReader>(*sources_[source_].file, FilePosition(0), wanted, reader_->epoch(), true);
  }
  return !slice_.empty();
}

// The reader's memory is good for one batch only.
Result<void> SegmentRewrite::take(const BatchView& batch) {
  SliceBatch& kept = slice_.emplace_back();
  kept.bytes.assign(batch.bytes().begin(), batch.bytes().end());
  const auto whole = BatchView::open(kept.bytes);
  if (!whole) return whole.error();
  if (batch.header().codec() != kCodecNone) {
    const auto records = whole->records(decompressor_);
    if (!records) return records.error();
    kept.records.assign(records->begin(), records->end());
  }
  const BatchHeader& header = batch.header();
  Bytes rest = kept.records.empty() ? Bytes(kept.bytes).subspan(kBatchHeaderSize) : Bytes(kept.records);
  for (std::int32_t i = 0; i < header.record_count; ++i) {
    const auto record = take_record(rest, header.base_offset, header.base_timestamp);
    if (!record) return record.error();
    if (record->offset > header.last_offset()) return Error{Errc::kCorrupt, 0, "offset delta outside its batch"};
    records_.push_back(classified(header, *record));
  }
  kept.record_count = static_cast<std::size_t>(header.record_count);
  return {};
}

// ---- writing

Result<void> SegmentRewrite::write_slice() {
  if (!file_) {
    auto file = disk_.open(directory_ + "/" + cleaned_name(base()), OpenMode::kCreate);
    if (!file) return file.error();
    file_ = std::move(*file);
  }
  std::size_t first = 0;
  for (const SliceBatch& batch : slice_) {
    const auto view = BatchView::open(batch.bytes);
    if (!view) return view.error();
    write_batch(*view, first, batch.record_count);
    first += batch.record_count;
    if (too_large_) {
      return Error{Errc::kTooLarge, 0,
                   "a compacted segment would pass " + std::to_string(kFileSizeMax) + " bytes (segment size limit)"};
    }
    if (pending_.size() >= kWriteSize) {
      if (auto written = write_out(align_down(pending_.size())); !written) return written;
    }
  }
  slice_.clear();
  records_.clear();
  return {};
}

void SegmentRewrite::write_batch(const BatchView& batch, std::size_t first, std::size_t record_count) {
  const auto begin = records_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = begin + static_cast<std::ptrdiff_t>(record_count);
  batches_.begin_source(batch.header());
  if (is_whole(batch.header())) {
    const bool keep = std::any_of(begin, end, [](const RewriteRecord& record) { return record.keep; });
    for (auto record = begin; record != end; ++record) {
      if (keep && !record->keep) ++counts_.dead_records;
      record->keep = keep;
    }
    if (keep) batches_.keep_whole(batch);
  }
  for (auto record = begin; record != end; ++record) {
    count(*record);
    if (record->keep && !is_whole(batch.header())) batches_.keep(record->view);
  }
}

void SegmentRewrite::count(const RewriteRecord& record) {
  if (!record.keep) {
    ++counts_.records_dropped;
    if (is_erasure(record)) ++counts_.erasures_dropped;
    return;
  }
  ++counts_.records;
  if (is_erasure(record)) ++counts_.erasures;
  if (counts_.records == 1) counts_.first_time = record.view.timestamp;
  counts_.last_time = std::max(counts_.last_time, record.view.timestamp);
}

void SegmentRewrite::append(const BatchHeader& header, Bytes batch) {
  if (counts_.bytes + header.length > kFileSizeMax) {
    too_large_ = true;
    return;
  }
  BatchHeader placed = header;
  placed.crc = load_big<std::uint32_t>(batch.data() + batch_field::kCrc);
  placed_(placed, FilePosition(counts_.bytes));
  counts_.bytes += header.length;
  pending_.insert(pending_.end(), batch.begin(), batch.end());
}

Result<void> SegmentRewrite::write_out(std::size_t size) {
  if (size == 0) return {};
  AlignedBuffer block(size);
  std::copy_n(pending_.begin(), size, block.data());
  const Bytes bytes = std::as_const(block).span().first(size);
  if (auto written = file_->write_now(FilePosition(written_), bytes); !written) return written;
  written_ += static_cast<std::int64_t>(size);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(size));
  return {};
}

Result<void> SegmentRewrite::finish() {
  check(file_ != nullptr, "a rewrite has written its slices");
  batches_.finish(end_);
  if (too_large_) return Error{Errc::kTooLarge, 0, "a compacted segment is too large (segment size limit)"};
  if (auto written = write_out(pending_.size()); !written) return written;
  if (auto synced = file_->sync_now(); !synced) return synced;
  file_.reset();
  return {};
}

Result<void> SegmentRewrite::discard() {
  file_.reset();
  auto removed = disk_.remove(directory_ + "/" + cleaned_name(base()));
  if (!removed && removed.error().code == Errc::kNotFound) return {};
  return removed;
}

}  // namespace minod
