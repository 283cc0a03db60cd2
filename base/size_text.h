// Sizes as people write them in redis.conf: 1024, 1k (1000), 1kb (1024), 1m, 1mb, 1g, 1gb, any case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace minod {

Result<std::uint64_t> parse_size(std::string_view text);  // kInvalid says what is accepted

std::string size_text(std::uint64_t bytes);  // "1.50 MiB", for people

}  // namespace minod
