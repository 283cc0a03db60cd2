// The value of the record header `t`: which logs a transaction wrote to, and how far each must go for it to have
// happened. docs/FORMAT.md, "Record headers"; docs/TRANSACTIONS.md, "Across partitions and databases".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace minod {

// The log of database `db`, partition `number`, goes at least up to `end`, without it.
struct LogReach {
  std::int16_t db = 0;
  std::int16_t number = 0;
  Offset end;

  bool operator==(const LogReach&) const = default;
};

inline constexpr std::size_t kLogReachSize = 12;

std::string encode_together(const std::vector<LogReach>& logs);

// `value` of a header `t`, as RecordView::together has it: its size fits.
std::vector<LogReach> decode_together(std::string_view value);

// A batch that happened only if `logs` go that far.
struct JointBatch {
  Offset begin;
  std::vector<LogReach> logs;
};

}  // namespace minod
