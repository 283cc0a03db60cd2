#include "replay/batch_cut.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/varint.h"

namespace minod {

namespace {

void append_varint(std::vector<std::byte>& out, std::int64_t value) {
  std::byte bytes[kVarintSizeMax];
  out.insert(out.end(), bytes, put_varint(bytes, value));
}

// Copies an encoded record, its offset delta now counted from another base. BatchBuilder would drop foreign headers.
// The record was decoded before, so its fields are there.
void append_record(std::vector<std::byte>& out, Bytes record, std::int64_t offset_delta) {
  take_varint(record);
  const std::byte attributes = record.front();
  record = record.subspan(1);
  const std::int64_t timestamp_delta = take_varint(record).value_or(0);
  take_varint(record);
  const std::size_t size = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) + record.size();
  append_varint(out, static_cast<std::int64_t>(size));
  out.push_back(attributes);
  append_varint(out, timestamp_delta);
  append_varint(out, offset_delta);
  out.insert(out.end(), record.begin(), record.end());
}

// The header of the old batch stays, but for what the cut changes.
void finish(std::vector<std::byte>& out, const BatchHeader& header, Offset base, Offset last, std::int32_t count,
            UnixMillis max_timestamp) {
  std::byte* const at = out.data();
  store_big(at + batch_field::kBaseOffset, base.value());
  store_big(at + batch_field::kLength, static_cast<std::int32_t>(out.size() - kBatchLengthOverhead));
  store_big(at + batch_field::kAttributes, static_cast<std::int16_t>(header.attributes & ~kAttributeCodecMask));
  store_big(at + batch_field::kLastOffsetDelta, static_cast<std::int32_t>((last - base).value()));
  store_big(at + batch_field::kMaxTimestamp, max_timestamp.value());
  store_big(at + batch_field::kRecordCount, count);
  store_big(at + batch_field::kCrc, crc32c(Bytes(out).subspan(batch_field::kAttributes)));
}

}  // namespace

Result<std::vector<std::byte>> cut_batch(const BatchView& batch, Decompressor& decompressor, const LogRange& range) {
  const BatchHeader& header = batch.header();
  const auto records = batch.records(decompressor);
  if (!records) return records.error();
  std::vector<std::byte> out(batch.bytes().begin(), batch.bytes().begin() + kBatchHeaderSize);
  const Offset base = std::max(header.base_offset, range.from);
  UnixMillis max_timestamp{std::numeric_limits<std::int64_t>::min()};
  std::int32_t count = 0;
  Bytes rest = *records;
  for (std::int32_t i = 0; i < header.record_count; ++i) {
    const Bytes from_here = rest;
    const auto record = take_record(rest, header.base_offset, header.base_timestamp);
    if (!record) return record.error();
    if (!range.holds(record->offset)) continue;
    append_record(out, from_here.first(from_here.size() - rest.size()), (record->offset - base).value());
    max_timestamp = std::max(max_timestamp, record->timestamp);
    ++count;
  }
  if (count == 0) return std::vector<std::byte>();
  if (out.size() > kBatchSizeMax) return Error{Errc::kTooLarge, 0, "a batch that is cut must fit without compression"};
  const Offset last = std::min(header.last_offset(), range.until - OffsetCount(1));
  finish(out, header, base, last, count, max_timestamp);
  return out;
}

}  // namespace minod
