// The input of a fuzzer, taken piece by piece; once it is used up, everything is zero or empty.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace minod {

class Pieces {
 public:
  explicit Pieces(Bytes from) : from_(from) {}
  bool empty() const { return from_.empty(); }
  std::uint8_t byte() {
    if (from_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(from_.front());
    from_ = from_.subspan(1);
    return value;
  }
  Bytes bytes(std::size_t size) {
    const Bytes taken = from_.first(std::min(size, from_.size()));
    from_ = from_.subspan(taken.size());
    return taken;
  }

 private:
  Bytes from_;
};

}  // namespace minod
