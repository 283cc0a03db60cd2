#include "log/batch.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "log/compression.h"

namespace minod {

namespace {

constexpr std::int64_t kRecordSizeMin = 7;

Error corrupt(std::string detail) { return Error{Errc::kCorrupt, 0, std::move(detail)}; }

std::uint32_t crc_of(Bytes batch) { return crc32c(batch.subspan(batch_field::kAttributes)); }

void store_length(std::byte* at, std::size_t size) {
  store_big(at + batch_field::kLength, static_cast<std::int32_t>(size - kBatchLengthOverhead));
}

// All fields but the CRC.
void store_header(std::byte* at, const BatchHeader& header) {
  store_big(at + batch_field::kBaseOffset, header.base_offset.value());
  store_length(at, static_cast<std::size_t>(header.length));
  store_big(at + batch_field::kLeaderEpoch, header.epoch.value);
  store_big(at + batch_field::kMagic, kBatchMagic);
  store_big(at + batch_field::kAttributes, header.attributes);
  store_big(at + batch_field::kLastOffsetDelta, header.last_offset_delta);
  store_big(at + batch_field::kBaseTimestamp, header.base_timestamp.value());
  store_big(at + batch_field::kMaxTimestamp, header.max_timestamp.value());
  store_big(at + batch_field::kProducerId, header.producer_id);
  store_big(at + batch_field::kProducerEpoch, header.producer_epoch);
  store_big(at + batch_field::kBaseSequence, header.base_sequence);
  store_big(at + batch_field::kRecordCount, header.record_count);
}

// All fields but the length.
BatchHeader load_header(const std::byte* at) {
  BatchHeader header;
  header.base_offset = Offset(load_big<std::int64_t>(at + batch_field::kBaseOffset));
  header.epoch = Epoch{load_big<std::int32_t>(at + batch_field::kLeaderEpoch)};
  header.crc = load_big<std::uint32_t>(at + batch_field::kCrc);
  header.attributes = load_big<std::int16_t>(at + batch_field::kAttributes);
  header.last_offset_delta = load_big<std::int32_t>(at + batch_field::kLastOffsetDelta);
  header.base_timestamp = UnixMillis(load_big<std::int64_t>(at + batch_field::kBaseTimestamp));
  header.max_timestamp = UnixMillis(load_big<std::int64_t>(at + batch_field::kMaxTimestamp));
  header.producer_id = load_big<std::int64_t>(at + batch_field::kProducerId);
  header.producer_epoch = load_big<std::int16_t>(at + batch_field::kProducerEpoch);
  header.base_sequence = load_big<std::int32_t>(at + batch_field::kBaseSequence);
  header.record_count = load_big<std::int32_t>(at + batch_field::kRecordCount);
  return header;
}

// Records that the batch may hold at most, by its size and its offsets. Compressed bytes say nothing of their contents.
std::int64_t record_count_max(const BatchHeader& header) {
  const bool plain = header.codec() == kCodecNone;
  const std::int64_t size =
      plain ? header.length - std::int64_t{kBatchHeaderSize} : static_cast<std::int64_t>(kBatchSizeMax);
  return std::min(size / kRecordSizeMin, std::int64_t{header.last_offset_delta} + 1);
}

}  // namespace

void BatchBuilder::open(std::byte* at, Offset base_offset, Epoch epoch, UnixMillis timestamp, bool control) {
  check(!is_open(), "a batch is closed before the next is opened");
  check(at != nullptr, "a batch has a place");
  at_ = at;
  size_ = kBatchHeaderSize;
  base_offset_ = base_offset;
  base_timestamp_ = timestamp;
  max_timestamp_ = UnixMillis(std::numeric_limits<std::int64_t>::min());
  epoch_ = epoch;
  count_ = 0;
  control_ = control;
}

std::size_t BatchBuilder::size_of(const NewRecord& record, UnixMillis timestamp) const {
  return record_size(record, (timestamp - base_timestamp_).value(), count_);
}

const std::byte* BatchBuilder::append(const NewRecord& record, UnixMillis timestamp) {
  check(is_open(), "records go into an open batch");
  std::byte* const begin = at_ + size_;
  const std::byte* const end = encode_record(begin, record, (timestamp - base_timestamp_).value(), count_);
  size_ += static_cast<std::size_t>(end - begin);
  max_timestamp_ = std::max(max_timestamp_, timestamp);
  ++count_;
  return begin;
}

BatchHeader BatchBuilder::close() {
  check(count_ > 0, "a batch holds a record");
  BatchHeader header;
  header.base_offset = base_offset_;
  header.epoch = epoch_;
  header.attributes = control_ ? kAttributeControl : std::int16_t{0};
  header.last_offset_delta = count_ - 1;
  header.base_timestamp = base_timestamp_;
  header.max_timestamp = max_timestamp_;
  header.record_count = count_;
  finish_batch({at_, size_}, header);
  at_ = nullptr;
  size_ = 0;
  return header;
}

void finish_batch(MutableBytes batch, BatchHeader& header) {
  check(batch.size() >= kBatchHeaderSize && batch.size() <= kBatchSizeMax, "a batch stays within kBatchSizeMax");
  header.length = static_cast<std::int32_t>(batch.size());
  store_header(batch.data(), header);
  header.crc = crc_of(batch);
  store_big(batch.data() + batch_field::kCrc, header.crc);
}

std::optional<std::size_t> compress_batch(Compressor& compressor, Bytes plain, MutableBytes into) {
  check(plain.size() > kBatchHeaderSize && into.size() >= plain.size(), "room for the batch that is compressed");
  const auto attributes = load_big<std::int16_t>(plain.data() + batch_field::kAttributes);
  check((attributes & kAttributeCodecMask) == kCodecNone, "only a plain batch is compressed");
  const Bytes records = plain.subspan(kBatchHeaderSize);
  const auto packed = compressor.compress(records, into.subspan(kBatchHeaderSize, records.size() - 1));
  if (!packed) return std::nullopt;

  const std::size_t size = kBatchHeaderSize + *packed;
  std::memcpy(into.data(), plain.data(), kBatchHeaderSize);
  store_length(into.data(), size);
  store_big(into.data() + batch_field::kAttributes, static_cast<std::int16_t>(attributes | kCodecZstd));
  store_big(into.data() + batch_field::kCrc, crc_of(into.first(size)));
  return size;
}

Result<BatchHeader> read_batch_header(Bytes from) {
  if (from.size() < kBatchHeaderSize) return Error{Errc::kTorn, 0, "batch header cut short"};
  const auto magic = load_big<std::int8_t>(from.data() + batch_field::kMagic);
  if (magic != kBatchMagic) return corrupt("batch magic " + std::to_string(magic));
  const std::int64_t length =
      std::int64_t{load_big<std::int32_t>(from.data() + batch_field::kLength)} + std::int64_t{kBatchLengthOverhead};
  if (length < std::int64_t{kBatchHeaderSize} || length > static_cast<std::int64_t>(kBatchSizeMax)) {
    return corrupt("batch length " + std::to_string(length));
  }
  BatchHeader header = load_header(from.data());
  header.length = static_cast<std::int32_t>(length);
  if (header.last_offset_delta < 0) {
    return corrupt("batch last offset delta " + std::to_string(header.last_offset_delta));
  }
  // So that next_offset() does not overflow either.
  const std::int64_t base_max = std::numeric_limits<std::int64_t>::max() - header.last_offset_delta - 1;
  if (header.base_offset < kFirstOffset || header.base_offset.value() > base_max) {
    return corrupt("batch base offset " + std::to_string(header.base_offset.value()));
  }
  if (header.record_count < 0 || header.record_count > record_count_max(header)) {
    return corrupt("batch record count " + std::to_string(header.record_count));
  }
  return header;
}

Result<BatchView> BatchView::open(Bytes from) {
  const auto header = read_batch_header(from);
  if (!header) return header.error();
  const auto size = static_cast<std::size_t>(header->length);
  if (from.size() < size) return Error{Errc::kTorn, 0, "batch cut short"};
  BatchView view;
  view.header_ = *header;
  view.bytes_ = from.first(size);
  if (crc_of(view.bytes_) != header->crc) return corrupt("batch CRC does not match");
  return view;
}

Result<Bytes> BatchView::records(Decompressor& decompressor) const {
  const Bytes encoded = bytes_.subspan(kBatchHeaderSize);
  // Kafka's compaction leaves batches without records, and their codec as it was.
  if (encoded.empty() || header_.codec() == kCodecNone) return encoded;
  if (header_.codec() == kCodecZstd) return decompressor.decompress(encoded, kBatchSizeMax);
  return Error{Errc::kUnsupported, 0, "batch codec " + std::to_string(header_.codec())};
}

}  // namespace minod
