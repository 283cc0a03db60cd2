#include "store/reserved_memory.h"

#include <sys/mman.h>

#include "base/check.h"

namespace minod {

ReservedMemory::ReservedMemory(std::size_t maximum) : size_(maximum) {
  constexpr std::size_t kUseless = std::size_t{64} << 10;
  void* at = MAP_FAILED;
  while (at == MAP_FAILED && size_ >= kUseless) {
    at = ::mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) size_ /= 2;
  }
  check(at != MAP_FAILED, "there are addresses to reserve");
  data_ = static_cast<std::byte*>(at);
}

ReservedMemory::~ReservedMemory() { ::munmap(data_, size_); }

bool ReservedMemory::commit(std::size_t begin, std::size_t size) {
  if (begin + size > size_) return false;
  return ::mprotect(data_ + begin, size, PROT_READ | PROT_WRITE) == 0;
}

void ReservedMemory::discard(std::size_t begin, std::size_t size) {
  if (size == 0) return;
  // Not back to PROT_NONE: that would cut the mapping into pieces, of which a process may have only so many.
  check(::madvise(data_ + begin, size, MADV_DONTNEED) == 0, "committed pages can be discarded");
}

}  // namespace minod
