#include "base/buffer.h"

#include <cstdlib>

#include "base/check.h"

namespace minod {

AlignedBuffer::AlignedBuffer(std::size_t size) : size_(align_up(size)) {
  if (size_ == 0) return;
  data_ = static_cast<std::byte*>(std::aligned_alloc(kIoAlignment, size_));
  check(data_ != nullptr, "memory for an I/O buffer");
}

AlignedBuffer::~AlignedBuffer() { std::free(data_); }

}  // namespace minod
