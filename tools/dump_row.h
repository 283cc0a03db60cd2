// What a line of minod-dump says, before it is text or JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "index/segment_index_files.h"
#include "log/batch.h"
#include "replay/segment_list.h"

namespace minod::dump {

// All that was found in one segment.
struct SegmentRow {
  LogSegment segment;
  Offset last = kNoOffset;
  UnixMillis first_time;
  UnixMillis last_time;
  std::int64_t batch_bytes = 0;  // the rest of the file is prepared space
  std::int64_t batches = 0;
  std::int64_t records = 0;
  std::int64_t plain_batches = 0;
  std::int64_t damages = 0;
  bool torn = false;

  const char* codec() const {
    if (batches == 0) return "-";
    if (plain_batches == 0) return "zstd";
    return plain_batches == batches ? "none" : "mixed";
  }
  const char* crc_state() const { return damages != 0 ? "DAMAGED" : torn ? "torn" : "ok"; }
};

struct BatchRow {
  const LogSegment& segment;
  FilePosition position;
  const BatchHeader& header;
};

enum class Operation : std::uint8_t { kSet, kDelete, kFlush, kControl };

struct RecordRow {
  const LogSegment& segment;
  FilePosition position;  // of its batch
  Operation operation;
  const RecordView& record;
};

inline const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::kSet:
      return "SET";
    case Operation::kDelete:
      return "DEL";
    case Operation::kFlush:
      return "FLUSH";
    case Operation::kControl:
      return "CONTROL";
  }
  return "";
}

inline const char* codec_name(std::int16_t codec) {
  return codec == kCodecNone ? "none" : codec == kCodecZstd ? "zstd" : "unsupported";
}

}  // namespace minod::dump
