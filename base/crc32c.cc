#include "base/crc32c.h"

#include <isa-l/crc.h>

namespace minod {

std::uint32_t crc32c(Bytes bytes, std::uint32_t crc) {
  // isa-l's crc32_iscsi takes and returns the register itself; the published value is its complement. Its length is an
  // int and its pointer not const, though it only reads.
  constexpr std::size_t kPieceMax = std::size_t{1} << 30;
  std::uint32_t state = ~crc;
  while (!bytes.empty()) {
    const Bytes piece = bytes.first(bytes.size() < kPieceMax ? bytes.size() : kPieceMax);
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(piece.data()));
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes = bytes.subspan(piece.size());
  }
  return ~state;
}

}  // namespace minod
