#include "base/buffer.h"

#include <new>

namespace minod {

AlignedBuffer::AlignedBuffer(std::size_t size) : size_(align_up(size)) {
  if (size_ == 0) return;
  data_ = static_cast<std::byte*>(::operator new (size_, std::align_val_t{kIoAlignment}));
}

AlignedBuffer::~AlignedBuffer() { ::operator delete (data_, std::align_val_t{kIoAlignment}); }

}  // namespace minod
