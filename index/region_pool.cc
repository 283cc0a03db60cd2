#include "index/region_pool.h"

#include <sys/mman.h>

#include "base/check.h"

namespace minod {
namespace {

constexpr std::size_t kSlabSize = 16 * RegionPool::kRegionSize;
constexpr std::size_t kPageTableEntrySize = 8;

}  // namespace

RegionPool::~RegionPool() {
  for (std::byte* slab : slabs_) munmap(slab, kSlabSize);
}

std::byte* RegionPool::take() {
  if (free_.empty()) reserve_slab();
  std::byte* region = free_.back();
  free_.pop_back();
  return region;
}

void RegionPool::give_back(std::byte* region, std::size_t used) {
  drop_pages(region, 0, used);
  free_.push_back(region);
}

void RegionPool::drop_pages(std::byte* region, std::size_t from, std::size_t to) {
  if (from < to) check(madvise(region + from, to - from, MADV_DONTNEED) == 0, "pages of a region can be dropped");
}

std::size_t RegionPool::overhead_bytes() const {
  return (slabs_.capacity() + free_.capacity()) * sizeof(std::byte*) +
         slabs_.size() * (kSlabSize / kPageSize) * kPageTableEntrySize;
}

void RegionPool::reserve_slab() {
  void* slab = mmap(nullptr, kSlabSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(slab != MAP_FAILED, "address space for the index");
  // A huge page would commit all the reserved tails, and its zeroing is a pause of its own. A kernel without huge pages
  // refuses the advice, which is as good.
  madvise(slab, kSlabSize, MADV_NOHUGEPAGE);
  slabs_.push_back(static_cast<std::byte*>(slab));
  for (std::size_t at = kSlabSize; at != 0; at -= RegionPool::kRegionSize) {
    free_.push_back(slabs_.back() + at - RegionPool::kRegionSize);
  }
}

}  // namespace minod
