// Fixed-width integers at unaligned addresses. Kafka's formats are big endian; minod's own files are little endian.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace minod {

static_assert(std::endian::native == std::endian::little, "minod is written for little-endian machines");

template <std::integral T>
constexpr T byte_swapped(T value) {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<unsigned short>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<unsigned>(value)));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<unsigned long>(value)));
}

template <std::integral T>
T load_little(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <std::integral T>
void store_little(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

template <std::integral T>
T load_big(const std::byte* at) {
  return byte_swapped(load_little<T>(at));
}

template <std::integral T>
void store_big(std::byte* at, T value) {
  store_little(at, byte_swapped(value));
}

}  // namespace minod
