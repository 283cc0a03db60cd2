// Lines of minod-dump for people. Nothing that a key or value holds reaches the terminal unescaped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "replay/log_damage.h"
#include "tools/dump_row.h"

namespace minod::dump {

// "user:1\x00", as redis-cli prints it. Longer than `size_max`, it is cut and its size told.
std::string quoted(std::string_view bytes, std::size_t size_max = std::string_view::npos);

std::string segment_heading();
std::string segment_line(const SegmentRow& row);
std::string batch_line(const BatchRow& row);
std::string record_heading();
std::string record_line(const RecordRow& row, std::size_t value_max);
std::string damage_line(const LogDamage& damage);

}  // namespace minod::dump
