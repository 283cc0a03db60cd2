// Memory that O_DIRECT accepts: starts on a page border, size a multiple of the alignment.
#pragma once

#include <cstddef>
#include <utility>

#include "base/bytes.h"

namespace minod {

inline constexpr std::size_t kIoAlignment = 4096;

constexpr std::size_t align_up(std::size_t value, std::size_t alignment = kIoAlignment) {
  return (value + alignment - 1) / alignment * alignment;
}

constexpr std::size_t align_down(std::size_t value, std::size_t alignment = kIoAlignment) {
  return value / alignment * alignment;
}

// Owns `size` bytes (rounded up to the alignment); empty after a move. Contents are not initialised.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size);  // throws bad_alloc; the server ends then (base/exhausted_memory.h)
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AlignedBuffer();

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  MutableBytes span() { return {data_, size_}; }
  Bytes span() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace minod
