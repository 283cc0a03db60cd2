// Replies as minod-cli prints them: the same bytes as redis-cli for people and for pipes; proper JSON.
#pragma once

#include <string>
#include <string_view>

#include "net/resp/value.h"

namespace minod {

std::string readable_text(const resp::Value& value);  // (integer) 1, "quoted", 1) ...; ends with a newline
std::string raw_text(const resp::Value& value);       // the bytes; without a newline, except behind errors
std::string json_text(const resp::Value& value);      // one line, without a newline

std::string quoted_text(std::string_view bytes);  // "a\n\x00", which split_words() reads back

}  // namespace minod
