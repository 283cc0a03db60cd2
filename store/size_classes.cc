#include "store/size_classes.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "base/check.h"

namespace minod {

namespace {

// A class that starts to serve has this part of the requested bytes; it ends below a quarter of it. So at most 32 + 96
// fine classes ever serve, and a size that comes and goes does not flip.
constexpr std::uint64_t kShareToServe = 32;
constexpr std::uint64_t kShareToStay = 128;

// The largest size of which a slab still holds as many blocks: nothing is lost at the slab's end.
std::size_t widened(std::size_t size) {
  return align_down(SizeClasses::kSlabSize / (SizeClasses::kSlabSize / size), SizeClasses::kGrain);
}

}  // namespace

SizeClasses::SizeClasses() {
  std::size_t last_coarse = 0;
  for (std::size_t size = kBlockSizeMin; size <= kBlockSizeMax;) {
    const bool coarse = size * 7 >= last_coarse * 8 || size == kBlockSizeMax;
    if (coarse) last_coarse = size;
    sizes_.push_back(static_cast<std::uint32_t>(size));
    coarse_.push_back(coarse);
    const std::size_t next = widened(std::max(size + kGrain, align_up(size * 17 / 16, kGrain)));
    size = size < kBlockSizeMax ? std::min(next, kBlockSizeMax) : next;
  }
  check(sizes_.size() <= 256, "a class number fits a byte");
  serves_ = coarse_;
  requests_.resize(sizes_.size());
  std::size_t index = 0;
  for (std::size_t grains = 0; grains < kPerGrain; ++grains) {
    while (sizes_[index] < grains * kGrain) ++index;
    closest_[grains] = static_cast<std::uint8_t>(index);
  }
  map_sizes();
}

void SizeClasses::count_request(std::size_t size) {
  ++requests_[closest_[(size + kGrain - 1) / kGrain]];
  if (--requests_to_adapt_ == 0) adapt();
}

void SizeClasses::set_hints(std::vector<std::size_t> sizes) {
  hints_ = std::move(sizes);
  for (const std::size_t size : hints_) {
    if (size != 0 && size <= kBlockSizeMax) serves_[closest_[(size + kGrain - 1) / kGrain]] = true;
  }
  map_sizes();
}

void SizeClasses::adapt() {
  requests_to_adapt_ = kRequestsToAdapt;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < count(); ++i) all += requests_[i] * sizes_[i];
  for (std::size_t i = 0; i < count(); ++i) {
    const std::uint64_t bytes = requests_[i] * sizes_[i];
    serves_[i] = coarse_[i] || bytes >= all / (serves_[i] ? kShareToStay : kShareToServe);
    requests_[i] /= 2;
  }
  set_hints(std::move(hints_));
}

void SizeClasses::map_sizes() {
  std::size_t index = count() - 1;
  for (std::size_t grains = kPerGrain; grains-- > 0;) {
    for (std::size_t lower = index; lower > 0 && sizes_[lower - 1] >= grains * kGrain; --lower) {
      if (serves_[lower - 1]) index = lower - 1;
    }
    serving_[grains] = static_cast<std::uint8_t>(index);
  }
}

}  // namespace minod
