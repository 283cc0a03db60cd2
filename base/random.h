// Chance, always passed by reference and seeded by whoever owns the process: tools/ from the operating system, a test
// from its seed. SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#pragma once

#include <cstdint>

namespace minod {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  // In [0, limit); limit must not be 0. The bias is below limit / 2^64.
  std::uint64_t below(std::uint64_t limit) {
    __extension__ typedef unsigned __int128 Wide;  // not in ISO C++
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * limit) >> 64);
  }

  bool one_in(std::uint64_t n) { return below(n) == 0; }

  // In [0, 1).
  double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace minod
