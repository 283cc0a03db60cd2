// Records under one CRC-32C: Kafka's RecordBatch v2. docs/FORMAT.md, "Batch".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/format.h"
#include "log/record.h"

namespace minod {

class Compressor;  // log/compression.h
class Decompressor;

// The fields of a batch header that vary in minod's batches.
struct BatchHeader {
  Offset base_offset;
  std::int32_t length = 0;  // of the whole batch, header included: Kafka's field plus 12
  Epoch epoch;
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  UnixMillis base_timestamp;
  UnixMillis max_timestamp;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t record_count = 0;

  Offset last_offset() const { return base_offset + OffsetCount(last_offset_delta); }
  Offset next_offset() const { return base_offset + OffsetCount(std::int64_t{last_offset_delta} + 1); }
  std::int16_t codec() const { return attributes & kAttributeCodecMask; }
  bool is_control() const { return (attributes & kAttributeControl) != 0; }
};

// Builds one batch in place, in memory that the caller owns and may move between calls (see moved()).
// open(), then append() as often as wanted, then close(); close() leaves a whole, valid batch.
class BatchBuilder {
 public:
  // Starts a batch at `at`, which has room for kBatchHeaderSize bytes.
  void open(std::byte* at, Offset base_offset, Epoch epoch, UnixMillis timestamp, bool control = false);

  bool is_open() const { return at_ != nullptr; }
  std::size_t size() const { return size_; }  // so far, header included; 0 when no batch is open
  Offset base_offset() const { return base_offset_; }
  Offset next_offset() const { return base_offset_ + OffsetCount(count_); }
  std::int32_t record_count() const { return count_; }

  // Bytes that append() needs at the end of the batch.
  std::size_t size_of(const NewRecord& record, UnixMillis timestamp) const;

  // Writes the record behind the others; returns where it starts. The record gets the offset next_offset().
  const std::byte* append(const NewRecord& record, UnixMillis timestamp);

  // The batch's bytes now stand at `at`.
  void moved(std::byte* at) { at_ = at; }

  // Fills in the header. The batch is at [at, at + header.length) and the builder is ready for open().
  BatchHeader close();

 private:
  std::byte* at_ = nullptr;
  std::size_t size_ = 0;
  Offset base_offset_;
  UnixMillis base_timestamp_;
  UnixMillis max_timestamp_;
  Epoch epoch_;
  std::int32_t count_ = 0;
  bool control_ = false;
};

// Fills in the header of `batch`, whose records stand behind it: every field of `header`, and in it the length and the
// CRC that result.
void finish_batch(MutableBytes batch, BatchHeader& header);

// Compresses the closed, uncompressed batch `plain` into `into` (room for at least plain.size() bytes), CRC and length
// set anew. Returns the size, or nothing when it would not be smaller; `into` is then undefined.
std::optional<std::size_t> compress_batch(Compressor& compressor, Bytes plain, MutableBytes into);

// Reads the header of the batch at the front of `from`, checking what can be checked without the records: magic, length
// within [kBatchHeaderSize, kBatchSizeMax], counts and deltas not negative, count within the length. Never reads past
// `from`. kTorn: `from` ends before the header does; kCorrupt: the detail names the field.
Result<BatchHeader> read_batch_header(Bytes from);

// A whole batch whose CRC has been checked. Points into the memory given to open().
class BatchView {
 public:
  // The batch at the front of `from`, which may go on after it. kTorn: `from` ends before the batch does; kCorrupt: a
  // header field or the CRC is wrong.
  static Result<BatchView> open(Bytes from);

  const BatchHeader& header() const { return header_; }
  Bytes bytes() const { return bytes_; }

  // The encoded records: the batch's own bytes, or decompressed into the decompressor's memory, valid until it is next
  // used. A decompressed size above kBatchSizeMax is refused, whatever the frame declares.
  Result<Bytes> records(Decompressor& decompressor) const;

 private:
  BatchHeader header_;
  Bytes bytes_;
};

// Calls visit(const RecordView&) for each record of `view` in order; visit returns false to stop early. An error when a
// record does not decode, offsets do not ascend within the batch's bounds, or the count is not the header's.
template <class Visit>
Result<void> for_each_record(const BatchView& view, Decompressor& decompressor, Visit&& visit) {
  const auto records = view.records(decompressor);
  if (!records) return records.error();
  Bytes rest = *records;
  const BatchHeader& header = view.header();
  Offset next = header.base_offset;
  for (std::int32_t i = 0; i < header.record_count; ++i) {
    const auto record = take_record(rest, header.base_offset, header.base_timestamp);
    if (!record) return record.error();
    if (record->offset < next || record->offset > header.last_offset()) {
      return Error{Errc::kCorrupt, 0, "offset delta outside its batch"};
    }
    next = record->offset + OffsetCount(1);
    if (!visit(*record)) return {};
  }
  if (!rest.empty()) return Error{Errc::kCorrupt, 0, "bytes after the last record of a batch"};
  return {};
}

}  // namespace minod
