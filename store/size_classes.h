// The block sizes that a ValuePool cuts its slabs into, and how they follow what is asked for: a coarse set (steps of
// about a sixth) always serves; in between, a fine one (steps of about a sixteenth) serves the sizes that make up a
// noticeable part of the requested bytes, so that common values fit closely and rare ones share slabs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace minod {

class SizeClasses {
 public:
  static constexpr std::size_t kGrain = 16;  // every block size is a multiple
  static constexpr std::size_t kSlabSize = std::size_t{1} << 20;
  static constexpr std::size_t kBlockSizeMin = 32;
  static constexpr std::size_t kBlockSizeMax = std::size_t{256} << 10;

  SizeClasses();

  std::size_t count() const { return sizes_.size(); }
  std::size_t block_size(std::size_t index) const { return sizes_[index]; }
  bool serves(std::size_t index) const { return serves_[index]; }

  // The class that serves requests of `size` <= kBlockSizeMax.
  std::size_t index_of(std::size_t size) const { return serving_[(size + kGrain - 1) / kGrain]; }

  // Counts a request; once in a while this changes which classes serve.
  void count_request(std::size_t size);

  // Requests of these sizes will be usual: the closest classes serve them from now on, and whatever comes.
  void set_hints(std::vector<std::size_t> sizes);
  void set_hint(std::size_t size) { set_hints({size}); }

 private:
  static constexpr std::size_t kPerGrain = kBlockSizeMax / kGrain + 1;
  static constexpr std::uint32_t kRequestsToAdapt = 1 << 15;

  void adapt();
  void map_sizes();

  std::vector<std::uint32_t> sizes_;  // all of them, ascending
  std::vector<char> coarse_;
  std::vector<char> serves_;
  std::vector<std::uint64_t> requests_;          // lately, by the closest class
  std::array<std::uint8_t, kPerGrain> closest_;  // by size in grains
  std::array<std::uint8_t, kPerGrain> serving_;  // by size in grains
  std::uint32_t requests_to_adapt_ = kRequestsToAdapt;
  std::vector<std::size_t> hints_;
};

}  // namespace minod
