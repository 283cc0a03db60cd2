// Address space for sub-tables: regions of 64 KiB that are reserved whole and paid for by the page, as they are
// touched. A sub-table so grows where it stands and leaves no hole behind, which malloc can't offer: sub-tables grow
// nearly in step, and blocks of yesterday's size fit nobody. Belongs to one thread.
#pragma once

#include <cstddef>
#include <vector>

namespace minod {

class RegionPool {
 public:
  static constexpr std::size_t kPageSize = 4096;
  static constexpr std::size_t kRegionSize = 64 * 1024;

  RegionPool() = default;
  RegionPool(const RegionPool&) = delete;
  RegionPool& operator=(const RegionPool&) = delete;
  ~RegionPool();

  // A region of zeros; aborts the process when address space is exhausted.
  std::byte* take();

  // Returns a region, of which the first `used` bytes may have been touched.
  void give_back(std::byte* region, std::size_t used);

  // Drops the pages of [from, to) of a region; they read as zeros from then on. Both are multiples of kPageSize.
  static void drop_pages(std::byte* region, std::size_t from, std::size_t to);

  // What the pool itself costs: its lists, and the kernel's page tables. The touched pages are the user's to count.
  std::size_t overhead_bytes() const;

 private:
  void reserve_slab();

  std::vector<std::byte*> slabs_;
  std::vector<std::byte*> free_;
};

}  // namespace minod
