// Segment files are named as Kafka's: the base offset in 20 decimal digits, then a suffix.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace minod {

std::string segment_name(Offset base, std::string_view suffix);  // "00000000000000000042.log"

// The base offset when `name` is one of this form with this suffix.
std::optional<Offset> parse_segment_name(std::string_view name, std::string_view suffix);

}  // namespace minod
