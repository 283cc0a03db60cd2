// A key's identity in the index: 128 bits of a keyed hash. The seed is drawn once per data directory and kept secret,
// so nobody can choose keys that collide; at 10^10 keys the chance that any two do is below 10^-18.
#pragma once

#include <cstdint>
#include <string_view>

namespace minod {

struct KeyHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(KeyHash, KeyHash) = default;
};

// XXH3-128 with a secret derived from the seed.
class KeyHasher {
 public:
  explicit KeyHasher(std::uint64_t seed_high, std::uint64_t seed_low);
  KeyHash operator()(std::string_view key) const;

 private:
  static constexpr int kSecretSize = 192;
  alignas(64) unsigned char secret_[kSecretSize];
};

}  // namespace minod
