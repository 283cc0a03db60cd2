// Memory for values, out of one reserved range: slabs of 1 MiB, each cut into blocks of one size class at a time. An
// empty slab may serve another class. What is larger than the largest class comes from malloc, and is counted.
//
// Blocks of one slab rarely become free together. When the sizes change, the owner empties the most sparse slab:
// close_sparsest(), then next_in_closed() until it is nullptr, moving (allocate_beside) or releasing what each block
// holds; any number of other calls may come between. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "store/reserved_memory.h"
#include "store/size_classes.h"

namespace minod {

class ValuePool {
 public:
  static constexpr std::size_t kSlabSize = SizeClasses::kSlabSize;
  static constexpr std::size_t kBlockSizeMax = SizeClasses::kBlockSizeMax;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct ClassUse {
    std::size_t block_size = 0;
    std::size_t slabs = 0;
    std::size_t blocks = 0;  // in use
    bool serves = false;     // takes requests; otherwise its blocks only age out
  };
  struct Stats {
    std::size_t committed_bytes = 0;  // pages of the slabs that were touched, free slabs included
    std::size_t used_bytes = 0;       // as requested, without the fallback
    std::size_t block_bytes = 0;      // of blocks in use: used_bytes and what rounding costs
    std::size_t fallback_count = 0;   // alive
    std::size_t fallback_bytes = 0;
    std::uint64_t fallbacks_ever = 0;
    std::uint64_t slabs_closed = 0;
    std::vector<ClassUse> classes;  // those with slabs
  };

  // Reserves addresses for `maximum` bytes (less where the system grants less); takes no memory.
  explicit ValuePool(std::size_t maximum);
  ValuePool(const ValuePool&) = delete;
  ValuePool& operator=(const ValuePool&) = delete;

  // allocate() keeps memory_bytes() within the limit. A smaller limit takes memory back from free slabs at once.
  void set_limit(std::size_t bytes);
  std::size_t limit() const { return limit_; }
  void set_size_hint(std::size_t usual_size) { classes_.set_hint(usual_size); }
  void set_size_hints(std::vector<std::size_t> usual_sizes) { classes_.set_hints(std::move(usual_sizes)); }

  // A block, aligned to 16; its contents are not initialised. nullptr when it would need new memory that does not
  // leave `leave` bytes below the limit, or when the system has no more.
  void* allocate(std::size_t size, std::size_t leave = 0);

  // `size` as requested. Of a block that is not from malloc, only the first 4 bytes are overwritten.
  void release(void* block, std::size_t size);

  // Blocks that are not from malloc, as numbers.
  std::uint32_t ref_of(const void* block) const {
    return static_cast<std::uint32_t>(offset_of(block) / SizeClasses::kGrain);
  }
  std::byte* at(std::uint32_t ref) const { return base_ + std::size_t{ref} * SizeClasses::kGrain; }

  // Chooses the slab that gives most blocks' room for the least copying, and takes no more blocks from it. It becomes
  // free with its last block. False when there is no slab to choose. Looks at every slab.
  bool close_sparsest();
  bool closing() const { return closing_ != kNone; }

  // The next block of the closed slab, in use or not (the owner can tell from what release() leaves); nullptr after
  // the last, and when no slab is closed.
  std::byte* next_in_closed();

  // A block of the same class, without new memory; nullptr when there is none.
  void* allocate_beside(const void* block, std::size_t size);

  // What the process pays: slabs' pages and fallback.
  std::size_t memory_bytes() const { return committed_bytes_ + fallback_bytes_; }
  // The same without free slabs' pages, which can be had back any time.
  std::size_t held_bytes() const { return memory_bytes() - free_slab_bytes_; }
  // Memory of released blocks in slabs that are not free.
  std::size_t scattered_bytes() const { return released_bytes_; }
  // Some class has so many released blocks that one of its slabs can be emptied into the others.
  bool has_slab_to_spare() const { return classes_with_slab_to_spare_ > 0; }
  Stats stats() const;

 private:
  struct Slab {
    std::uint32_t released = kNone;  // first released block, as a number; each names the next
    std::uint32_t live = 0;
    std::uint32_t carved = 0;    // blocks that were handed out since the slab was opened
    std::uint32_t resident = 0;  // bytes at the front that cost memory
    std::uint32_t newer = kNone;
    std::uint32_t older = kNone;
    std::uint32_t class_index = kNone;  // kNone: free
    bool listed = false;                // among its class's slabs with released blocks
  };
  // Slabs with released blocks wait in a row: the first is filled up before the next is touched, so that those behind
  // it can become empty.
  struct Class {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    std::uint32_t carving = kNone;  // the slab whose back is still uncut
    std::uint64_t released = 0;     // released blocks in listed slabs
  };

  std::size_t offset_of(const void* block) const {
    return static_cast<std::size_t>(static_cast<const std::byte*>(block) - base_);
  }
  std::size_t block_size(const Slab& slab) const { return classes_.block_size(slab.class_index); }
  bool owns(const void* block) const { return offset_of(block) < reserved_.size(); }

  void* allocate_fallback(std::size_t size, std::size_t leave);
  void* take_released(std::size_t class_index);
  void* carve(std::size_t class_index, std::size_t leave);
  bool open_slab(std::size_t class_index, std::size_t leave);
  bool make_resident(std::uint32_t slab, std::size_t bytes, std::size_t leave);
  bool fits(std::size_t growth, std::size_t leave);
  void discard_free_slabs(std::size_t target);
  void keep_resident(std::uint32_t free_slab, std::size_t bytes);
  void list(std::uint32_t slab);
  void unlist(std::uint32_t slab);
  void free_slab(std::uint32_t slab);
  void count_released(std::size_t class_index, std::int64_t change);
  double cost_of_closing(const Slab& slab) const;

  ReservedMemory reserved_;
  std::byte* base_;
  SizeClasses classes_;
  std::vector<Class> uses_;
  std::vector<Slab> slabs_;                // those ever opened
  std::vector<std::uint32_t> free_slabs_;  // those without memory are at the front
  std::uint32_t closing_ = kNone;
  std::uint32_t closing_next_ = 0;
  std::size_t limit_;
  std::size_t committed_bytes_ = 0;
  std::size_t free_slab_bytes_ = 0;
  std::size_t block_bytes_ = 0;
  std::size_t released_bytes_ = 0;
  std::size_t classes_with_slab_to_spare_ = 0;
  std::size_t used_bytes_ = 0;
  std::size_t fallback_count_ = 0;
  std::size_t fallback_bytes_ = 0;
  std::uint64_t fallbacks_ever_ = 0;
  std::uint64_t slabs_closed_ = 0;
};

}  // namespace minod
