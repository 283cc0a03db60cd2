// One change, as Kafka's record v2 lays it out inside a batch. docs/FORMAT.md, "Record".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace minod {

// A change to be written. The views are read during the call they are passed to.
struct NewRecord {
  std::string_view key = {};
  std::string_view value = {};
  bool has_key = true;    // false: a null key; only plain topics and control batches have those
  bool has_value = true;  // false: a tombstone
  UnixMillis expires_at = kNeverExpires;
  Offset durable_upto = kNoOffset;  // written as a header when it is not kNoOffset
  std::string_view together = {};   // likewise, when it is not empty; log/together.h
};

// A record as it lies in a batch; points into that batch's memory.
struct RecordView {
  Offset offset;
  UnixMillis timestamp;
  std::string_view key;
  std::string_view value;
  bool has_key = false;
  bool has_value = false;
  UnixMillis expires_at = kNeverExpires;
  Offset durable_upto = kNoOffset;
  std::string_view together = {};
  Bytes headers;  // encoded, after their count; for tools that print them all
  std::int64_t header_count = 0;
};

// Bytes that encode_record() will write for these arguments.
std::size_t record_size(const NewRecord& record, std::int64_t timestamp_delta, std::int64_t offset_delta);

// Encodes at `at`, which has room for record_size() bytes; returns the byte after.
std::byte* encode_record(std::byte* at, const NewRecord& record, std::int64_t timestamp_delta,
                         std::int64_t offset_delta);

// Decodes the record at the front of `from` and drops it from there. Offset and timestamp are the batch's base plus the
// record's delta. kCorrupt says which field does not fit its bounds.
Result<RecordView> take_record(Bytes& from, Offset base_offset, UnixMillis base_timestamp);

}  // namespace minod
