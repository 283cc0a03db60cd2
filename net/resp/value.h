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
    kNull,
    kSimple,
    kError,
    kInteger,
    kBulk,
    kArray,
    kMap,
    kSet,
    kPush,
    kDouble,
    kBoolean,
    kVerbatim,
    kBigNumber
  };
  Type type = Type::kNull;
  std::string text;             // of simple, error, bulk, double, big number, verbatim (without its "txt:")
  std::int64_t integer = 0;     // of integer and boolean
  std::vector<Value> elements;  // of array, set, push; of a map: key, value, key, value ...

  bool is_error() const { return type == Type::kError; }
};

// Reads the value at the front of `input`; `used` gets its size. kEnd: it is not complete yet; kInvalid: not RESP.
// Nesting deeper than 32 is refused. Attributes (RESP3's |) are read and dropped.
Result<Value> parse_value(std::string_view input, std::size_t& used);

// Finds where a value ends without building it, so that a large reply which comes in many pieces is not parsed again
// from its start with each of them.
class ValueScanner {
 public:
  // The size of the value at the front of `input`; the scanner is then ready for another. kEnd: it is not complete;
  // call again with the same bytes and more. kInvalid: not RESP.
  Result<std::size_t> scan(std::string_view input);

 private:
  std::size_t position_ = 0;
  std::vector<std::int64_t> open_;  // for each aggregate around position_: how many values are still to come
};

}  // namespace minod::resp
