// Zigzag LEB128 integers, as Kafka's record format writes lengths and deltas (KIP-98; protobuf's sint64).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace minod {

inline constexpr std::size_t kVarintSizeMax = 10;

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

constexpr std::size_t varint_size(std::int64_t value) {
  std::uint64_t rest = zigzag(value);
  std::size_t size = 1;
  while (rest >= 0x80) {
    rest >>= 7;
    ++size;
  }
  return size;
}

// Writes at `at`, which must have room for kVarintSizeMax bytes or varint_size(value); returns the byte after.
inline std::byte* put_varint(std::byte* at, std::int64_t value) {
  std::uint64_t rest = zigzag(value);
  while (rest >= 0x80) {
    *at++ = static_cast<std::byte>(rest | 0x80);
    rest >>= 7;
  }
  *at++ = static_cast<std::byte>(rest);
  return at;
}

// Reads from the front of `from` and drops what it read. Nothing when the bytes end first or encode over 64 bits;
// `from` is then unspecified.
inline std::optional<std::int64_t> take_varint(Bytes& from) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (from.empty()) return std::nullopt;
    const auto byte = static_cast<std::uint64_t>(from.front());
    from = from.subspan(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return unzigzag(value);
  }
  return std::nullopt;
}

}  // namespace minod
