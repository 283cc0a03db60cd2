// A reply as a client sees it: any RESP2 or RESP3 value. Used by minod's own client programs and by tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minod::resp {

struct Value {
  enum class Type : std::uint8_t {
    kNull, kSimple, kError, kInteger, kBulk, kArray, kMap, kSet, kPush, kDouble, kBoolean, kVerbatim, kBigNumber
  };
  Type type = Type::kNull;
  std::string text;              // of simple, error, bulk, double, big number, verbatim (without its "txt:")
  std::int64_t integer = 0;      // of integer and boolean
  std::vector<Value> elements;   // of array, set, push; of a map: key, value, key, value ...

  bool is_error() const { return type == Type::kError; }
};

// Reads the value at the front of `input`; `used` gets its size. kEnd: it is not complete yet; kInvalid: not RESP.
// Nesting deeper than 32 is refused.
Result<Value> parse_value(std::string_view input, std::size_t& used);

}  // namespace minod::resp
