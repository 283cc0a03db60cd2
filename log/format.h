// Sizes and limits of what is on disk; docs/FORMAT.md describes every byte. The layout of batches and records is
// Apache Kafka's RecordBatch v2 (KIP-98), all big endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace minod {

// Where each field of the 61-byte batch header starts.
namespace batch_field {
inline constexpr std::size_t kBaseOffset = 0;        // int64
inline constexpr std::size_t kLength = 8;            // int32: bytes after this field
inline constexpr std::size_t kLeaderEpoch = 12;      // int32
inline constexpr std::size_t kMagic = 16;            // int8
inline constexpr std::size_t kCrc = 17;              // uint32: CRC-32C of all that follows
inline constexpr std::size_t kAttributes = 21;       // int16
inline constexpr std::size_t kLastOffsetDelta = 23;  // int32
inline constexpr std::size_t kBaseTimestamp = 27;    // int64
inline constexpr std::size_t kMaxTimestamp = 35;     // int64
inline constexpr std::size_t kProducerId = 43;       // int64
inline constexpr std::size_t kProducerEpoch = 51;    // int16
inline constexpr std::size_t kBaseSequence = 53;     // int32
inline constexpr std::size_t kRecordCount = 57;      // int32
}  // namespace batch_field

inline constexpr std::size_t kBatchHeaderSize = 61;
inline constexpr std::size_t kBatchLengthOverhead = 12;  // base offset and length are not counted by the length
inline constexpr std::int8_t kBatchMagic = 2;

inline constexpr std::int16_t kAttributeCodecMask = 0x07;
inline constexpr std::int16_t kAttributeControl = 0x20;
inline constexpr std::int16_t kCodecNone = 0;
inline constexpr std::int16_t kCodecZstd = 4;

// Record headers. Keys are one letter, since most records carry one.
inline constexpr std::string_view kExpiryHeader = "e";    // int64 unix milliseconds: the record is gone from then on
inline constexpr std::string_view kDurableHeader = "d";   // int64 offset: all below it was committed then, so durable
inline constexpr std::string_view kTogetherHeader = "t";  // of a joint transaction's batch: log/together.h

// A control batch whose record's key is {int16 version 0, int16 kLogStartControl} and whose value is {int16 version 0,
// int64 offset}: every record below that offset is gone (FLUSHDB, eviction). Kafka clients skip unknown control types.
inline constexpr std::int16_t kLogStartControl = 0x4d53;

// A batch stays about this small, before compression, because a point read reads a whole batch.
inline constexpr std::size_t kBatchSizeTarget = 8 * 1024;

// A batch of one atomic group may grow to this; so may one value with its key. Below Kafka's 2^31 by a wide margin.
inline constexpr std::size_t kBatchSizeMax = std::size_t{1} << 30;

// Segment sizes: default and greatest. Kafka's positions are int32.
inline constexpr std::int64_t kSegmentBytesDefault = std::int64_t{256} << 20;
inline constexpr std::int64_t kSegmentBytesMin = std::int64_t{1} << 20;
inline constexpr std::int64_t kSegmentBytesMax = std::int64_t{1} << 30;
static_assert(kSegmentBytesMax + static_cast<std::int64_t>(kBatchSizeMax) <= (std::int64_t{1} << 31));

// Kafka's index.interval.bytes.
inline constexpr std::int64_t kIndexIntervalBytes = 4096;

inline constexpr std::string_view kLogSuffix = ".log";
inline constexpr std::string_view kIndexSuffix = ".index";
inline constexpr std::string_view kTimeIndexSuffix = ".timeindex";
inline constexpr std::string_view kHintSuffix = ".hint";

}  // namespace minod
