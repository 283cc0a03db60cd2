// Lines of minod-dump for programs: one JSON object each. Bytes that are not UTF-8 are {"b64": "..."}.
#pragma once

#include <optional>
#include <string>

#include "replay/log_damage.h"
#include "tools/dump_row.h"

namespace minod::dump {

std::string segment_json(const SegmentRow& row);
std::string batch_json(const BatchRow& row);

// A value longer than `value_max` is cut; value_bytes then says more than is there.
std::string record_json(const RecordRow& row, std::optional<std::size_t> value_max);
std::string key_json(const RecordRow& row);
std::string damage_json(const LogDamage& damage);

}  // namespace minod::dump
