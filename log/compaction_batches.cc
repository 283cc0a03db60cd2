#include "log/compaction_batches.h"

#include <algorithm>

#include "base/check.h"
#include "base/endian.h"
#include "base/varint.h"
#include "log/format.h"

namespace minod {

namespace {

constexpr int kZstdLevel = 3;  // compaction is paced by bytes, not by the processor; reading costs the same
constexpr std::int64_t kNullLength = -1;

void put_number(std::vector<std::byte>& out, std::int64_t value) {
  std::byte bytes[kVarintSizeMax];
  out.insert(out.end(), bytes, put_varint(bytes, value));
}

std::size_t field_size(std::string_view text, bool present) {
  return varint_size(present ? static_cast<std::int64_t>(text.size()) : kNullLength) + text.size();
}

void put_field(std::vector<std::byte>& out, std::string_view text, bool present) {
  put_number(out, present ? static_cast<std::int64_t>(text.size()) : kNullLength);
  const Bytes bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// The record's headers but those that say what was durable, which a batch says once, in its first record, and what was
// written together: all of it is committed. They were decoded before, so their fields are there.
std::int64_t kept_headers(const RecordView& record, std::vector<std::byte>& out) {
  std::int64_t count = 0;
  Bytes rest = record.headers;
  for (std::int64_t i = 0; i < record.header_count; ++i) {
    const std::byte* const begin = rest.data();
    const auto key_size = static_cast<std::size_t>(take_varint(rest).value_or(0));
    const std::string_view key = as_text(rest.first(key_size));
    rest = rest.subspan(key_size);
    const std::int64_t value_size = take_varint(rest).value_or(kNullLength);
    rest = rest.subspan(static_cast<std::size_t>(std::max<std::int64_t>(value_size, 0)));
    if (key == kDurableHeader || key == kTogetherHeader) continue;
    out.insert(out.end(), begin, rest.data());
    ++count;
  }
  return count;
}

}  // namespace

CompactedBatches::CompactedBatches(Offset begin, bool compress, Sink sink)
    : sink_(std::move(sink)), compress_(compress), next_(begin) {}

void CompactedBatches::begin_source(const BatchHeader& source) {
  if (epoch_ && *epoch_ != source.epoch) cover(source.base_offset);
  epoch_ = source.epoch;
  // What was compressed stays so whatever the setting is now: a rewritten segment must not outgrow its sources.
  if (source.codec() != kCodecNone) compress_ = true;
}

void CompactedBatches::open_batch(const RecordView& first) {
  open_ = true;
  header_ = BatchHeader();
  header_.base_offset = next_;
  header_.epoch = *epoch_;
  header_.base_timestamp = first.timestamp;
  header_.max_timestamp = first.timestamp;
  bytes_.assign(kBatchHeaderSize, std::byte{0});
}

void CompactedBatches::keep(const RecordView& record) {
  check(epoch_ && record.offset >= next_, "kept records ascend, each in its source batch");
  const std::size_t target = compress_ ? kCompactedBatchSizeZstd : kCompactedBatchSize;
  if (open_ && bytes_.size() + record.key.size() + record.value.size() > target) close_batch(last_ + OffsetCount(1));
  // Everything below was durable when this was written: a later damage is then known from a torn write, as with the
  // first record of a group.
  const Offset durable_upto = open_ ? kNoOffset : next_;
  if (!open_) open_batch(record);
  put_record(record, durable_upto);
  header_.max_timestamp = std::max(header_.max_timestamp, record.timestamp);
  ++header_.record_count;
  last_ = record.offset;
}

void CompactedBatches::put_record(const RecordView& record, Offset durable_upto) {
  std::vector<std::byte> headers;
  std::int64_t header_count = kept_headers(record, headers);
  if (durable_upto != kNoOffset) {
    put_field(headers, kDurableHeader, true);
    std::byte number[sizeof(std::int64_t)];
    store_big(number, durable_upto.value());
    put_field(headers, as_text(number), true);
    ++header_count;
  }
  const std::int64_t timestamp_delta = (record.timestamp - header_.base_timestamp).value();
  const std::int64_t offset_delta = (record.offset - header_.base_offset).value();
  const std::size_t size = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) +
                           field_size(record.key, record.has_key) + field_size(record.value, record.has_value) +
                           varint_size(header_count) + headers.size();
  put_number(bytes_, static_cast<std::int64_t>(size));
  bytes_.push_back(std::byte{0});
  put_number(bytes_, timestamp_delta);
  put_number(bytes_, offset_delta);
  put_field(bytes_, record.key, record.has_key);
  put_field(bytes_, record.value, record.has_value);
  put_number(bytes_, header_count);
  bytes_.insert(bytes_.end(), headers.begin(), headers.end());
}

// The open batch holds the offsets below `end`.
void CompactedBatches::close_batch(Offset end) {
  open_ = false;
  header_.last_offset_delta = static_cast<std::int32_t>((end - header_.base_offset).value() - 1);
  finish_batch(bytes_, header_);
  next_ = end;
  if (compress_ && header_.record_count > 0) {
    if (!compressor_) compressor_ = std::make_unique<Compressor>(kZstdLevel);
    compressed_.resize(bytes_.size());
    if (const auto size = compress_batch(*compressor_, bytes_, compressed_)) {
      const Bytes batch = Bytes(compressed_).first(*size);
      const auto header = read_batch_header(batch);
      check(header.has_value(), "a compressed batch has a header");
      sink_(*header, batch);
      return;
    }
  }
  sink_(header_, bytes_);
}

void CompactedBatches::cover(Offset end) {
  if (open_) return close_batch(end);
  if (next_ >= end) return;
  header_ = BatchHeader();
  header_.base_offset = next_;
  header_.epoch = *epoch_;
  header_.base_timestamp = header_.max_timestamp = kNoTimestamp;
  bytes_.assign(kBatchHeaderSize, std::byte{0});
  close_batch(end);
}

void CompactedBatches::keep_whole(const BatchView& source) {
  cover(source.header().base_offset);
  sink_(source.header(), source.bytes());
  next_ = source.header().next_offset();
}

void CompactedBatches::finish(Offset end) {
  check(epoch_.has_value(), "a segment that is compacted has a batch");
  cover(end);
}

}  // namespace minod
