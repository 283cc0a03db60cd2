#include "store/value_pool.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/buffer.h"
#include "base/check.h"

namespace minod {

namespace {

constexpr std::size_t kPageSize = 4096;

}  // namespace

ValuePool::ValuePool(std::size_t maximum)
    : reserved_(align_up(std::max(maximum, kSlabSize), kSlabSize)),
      base_(reserved_.data()),
      uses_(classes_.count()),
      limit_(reserved_.size()) {
  check(reserved_.size() / SizeClasses::kGrain <= std::size_t{kNone} + 1, "32 bits number every block");
}

void ValuePool::set_limit(std::size_t bytes) {
  limit_ = bytes;
  discard_free_slabs(limit_);
}

void* ValuePool::allocate(std::size_t size, std::size_t leave) {
  if (size > kBlockSizeMax) return allocate_fallback(size, leave);
  const std::size_t index = classes_.index_of(size);
  void* block = take_released(index);
  if (block == nullptr) block = carve(index, leave);
  if (block == nullptr) return nullptr;
  classes_.count_request(size);
  block_bytes_ += classes_.block_size(index);
  used_bytes_ += size;
  return block;
}

void* ValuePool::allocate_fallback(std::size_t size, std::size_t leave) {
  if (!fits(size, leave)) return nullptr;
  void* block = std::malloc(size);
  if (block == nullptr) return nullptr;
  ++fallback_count_;
  ++fallbacks_ever_;
  fallback_bytes_ += size;
  return block;
}

void* ValuePool::take_released(std::size_t class_index) {
  Class& use = uses_[class_index];
  if (use.first == kNone) return nullptr;
  Slab& slab = slabs_[use.first];
  std::byte* block = at(slab.released);
  std::memcpy(&slab.released, block, sizeof slab.released);
  ++slab.live;
  count_released(class_index, -1);
  released_bytes_ -= classes_.block_size(class_index);
  if (slab.released == kNone) unlist(use.first);
  return block;
}

void* ValuePool::carve(std::size_t class_index, std::size_t leave) {
  Class& use = uses_[class_index];
  if (use.carving == kNone && !open_slab(class_index, leave)) return nullptr;
  const std::size_t size = classes_.block_size(class_index);
  Slab& slab = slabs_[use.carving];
  if (!make_resident(use.carving, (slab.carved + 1) * size, leave)) {
    if (slab.live == 0) free_slab(use.carving);
    return nullptr;
  }
  std::byte* block = base_ + use.carving * kSlabSize + slab.carved * size;
  ++slab.carved;
  ++slab.live;
  if ((slab.carved + 1) * size > kSlabSize) use.carving = kNone;
  return block;
}

bool ValuePool::open_slab(std::size_t class_index, std::size_t leave) {
  if (held_bytes() + leave + kPageSize > limit_) return false;
  const std::size_t room = align_down(limit_ - leave - held_bytes(), kPageSize);
  auto chosen = static_cast<std::uint32_t>(slabs_.size());
  if (free_slabs_.empty()) {
    if (!reserved_.commit(chosen * kSlabSize, kSlabSize)) return false;
    slabs_.emplace_back();
  } else {
    chosen = free_slabs_.back();
    free_slabs_.pop_back();
    if (slabs_[chosen].resident > room) keep_resident(chosen, room);
    free_slab_bytes_ -= slabs_[chosen].resident;
  }
  slabs_[chosen].class_index = static_cast<std::uint32_t>(class_index);
  uses_[class_index].carving = chosen;
  return true;
}

bool ValuePool::make_resident(std::uint32_t slab, std::size_t bytes, std::size_t leave) {
  const std::size_t wanted = align_up(bytes, kPageSize);
  const std::size_t resident = slabs_[slab].resident;
  if (wanted <= resident) return true;
  if (!fits(wanted - resident, leave)) return false;
  committed_bytes_ += wanted - resident;
  slabs_[slab].resident = static_cast<std::uint32_t>(wanted);
  return true;
}

bool ValuePool::fits(std::size_t growth, std::size_t leave) {
  if (held_bytes() + growth + leave > limit_) return false;
  if (memory_bytes() + growth > limit_) discard_free_slabs(limit_ - growth);
  return true;
}

void ValuePool::discard_free_slabs(std::size_t target) {
  for (std::size_t i = 0; i < free_slabs_.size() && memory_bytes() > target; ++i) keep_resident(free_slabs_[i], 0);
}

void ValuePool::keep_resident(std::uint32_t number, std::size_t bytes) {
  Slab& slab = slabs_[number];
  const std::size_t excess = slab.resident - bytes;
  reserved_.discard(number * kSlabSize + bytes, excess);
  committed_bytes_ -= excess;
  free_slab_bytes_ -= excess;
  slab.resident = static_cast<std::uint32_t>(bytes);
}

void ValuePool::release(void* block, std::size_t size) {
  if (!owns(block)) {
    --fallback_count_;
    fallback_bytes_ -= size;
    std::free(block);
    return;
  }
  const auto number = static_cast<std::uint32_t>(offset_of(block) / kSlabSize);
  Slab& slab = slabs_[number];
  check(slab.live > 0 && size <= block_size(slab), "a released block was allocated with this size");
  block_bytes_ -= block_size(slab);
  used_bytes_ -= size;
  if (--slab.live == 0) return free_slab(number);
  std::memcpy(block, &slab.released, sizeof slab.released);
  slab.released = ref_of(block);
  released_bytes_ += block_size(slab);
  if (number == closing_) return;
  count_released(slab.class_index, 1);
  if (!slab.listed) list(number);
}

void ValuePool::list(std::uint32_t number) {
  Slab& slab = slabs_[number];
  Class& use = uses_[slab.class_index];
  slab.listed = true;
  slab.older = use.last;
  slab.newer = kNone;
  (use.last == kNone ? use.first : slabs_[use.last].newer) = number;
  use.last = number;
}

void ValuePool::unlist(std::uint32_t number) {
  Slab& slab = slabs_[number];
  if (!slab.listed) return;
  Class& use = uses_[slab.class_index];
  (slab.older == kNone ? use.first : slabs_[slab.older].newer) = slab.newer;
  (slab.newer == kNone ? use.last : slabs_[slab.newer].older) = slab.older;
  slab.listed = false;
}

void ValuePool::free_slab(std::uint32_t number) {
  Slab& slab = slabs_[number];
  Class& use = uses_[slab.class_index];
  if (slab.listed) count_released(slab.class_index, 1 - std::int64_t{slab.carved});
  if (slab.carved > 0) released_bytes_ -= (slab.carved - 1) * block_size(slab);
  unlist(number);
  if (use.carving == number) use.carving = kNone;
  if (closing_ == number) closing_ = kNone;
  const std::uint32_t resident = slab.resident;
  slab = Slab{};
  slab.resident = resident;
  free_slab_bytes_ += resident;
  free_slabs_.push_back(number);
  if (memory_bytes() > limit_) discard_free_slabs(limit_);
}

void ValuePool::count_released(std::size_t class_index, std::int64_t change) {
  Class& use = uses_[class_index];
  const std::uint64_t slab_full = kSlabSize / classes_.block_size(class_index);
  if (use.released >= slab_full) --classes_with_slab_to_spare_;
  use.released += static_cast<std::uint64_t>(change);
  if (use.released >= slab_full) ++classes_with_slab_to_spare_;
}

// Blocks to copy, or, twice as dear, to lose, for each block's room that becomes free. The uncut back of a slab does
// not count as won: a slab that was just opened for a new size would be the first to go.
double ValuePool::cost_of_closing(const Slab& slab) const {
  const Class& use = uses_[slab.class_index];
  const std::uint64_t beside = use.released - (slab.listed ? slab.carved - slab.live : 0);
  const std::uint64_t lost = slab.live > beside ? slab.live - beside : 0;
  return static_cast<double>(slab.live + lost) / static_cast<double>(slab.carved);
}

bool ValuePool::close_sparsest() {
  check(closing_ == kNone, "one slab is closed at a time");
  double lowest = 0;
  for (std::uint32_t i = 0; i < slabs_.size(); ++i) {
    if (slabs_[i].class_index == kNone) continue;
    const double cost = cost_of_closing(slabs_[i]);
    if (closing_ != kNone && cost >= lowest) continue;
    lowest = cost;
    closing_ = i;
  }
  if (closing_ == kNone) return false;
  Slab& slab = slabs_[closing_];
  Class& use = uses_[slab.class_index];
  if (slab.listed) count_released(slab.class_index, std::int64_t{slab.live} - slab.carved);
  unlist(closing_);
  if (use.carving == closing_) use.carving = kNone;
  closing_next_ = 0;
  ++slabs_closed_;
  return true;
}

std::byte* ValuePool::next_in_closed() {
  if (closing_ == kNone) return nullptr;
  const Slab& slab = slabs_[closing_];
  check(closing_next_ < slab.carved, "the owner leaves no block of a closed slab in use");
  return base_ + closing_ * kSlabSize + closing_next_++ * block_size(slab);
}

void* ValuePool::allocate_beside(const void* block, std::size_t size) {
  const std::size_t index = slabs_[offset_of(block) / kSlabSize].class_index;
  void* beside = take_released(index);
  if (beside == nullptr) return nullptr;
  block_bytes_ += classes_.block_size(index);
  used_bytes_ += size;
  return beside;
}

ValuePool::Stats ValuePool::stats() const {
  Stats stats{.committed_bytes = committed_bytes_,
              .used_bytes = used_bytes_,
              .block_bytes = block_bytes_,
              .fallback_count = fallback_count_,
              .fallback_bytes = fallback_bytes_,
              .fallbacks_ever = fallbacks_ever_,
              .slabs_closed = slabs_closed_,
              .classes = {}};
  std::vector<ClassUse> all(classes_.count());
  for (const Slab& slab : slabs_) {
    if (slab.class_index == kNone) continue;
    ++all[slab.class_index].slabs;
    all[slab.class_index].blocks += slab.live;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].slabs == 0) continue;
    all[i].block_size = classes_.block_size(i);
    all[i].serves = classes_.serves(i);
    stats.classes.push_back(all[i]);
  }
  return stats;
}

}  // namespace minod
