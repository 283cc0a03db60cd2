#include "index/key_hash.h"

#include <array>

#include "base/check.h"
#include "base/endian.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace minod {

KeyHasher::KeyHasher(std::uint64_t seed_high, std::uint64_t seed_low) {
  static_assert(kSecretSize >= XXH3_SECRET_SIZE_MIN);
  std::array<std::byte, 16> seed;
  store_little(seed.data(), seed_high);
  store_little(seed.data() + 8, seed_low);
  check(XXH3_generateSecret(secret_, kSecretSize, seed.data(), seed.size()) == XXH_OK, "the secret's size is right");
}

KeyHash KeyHasher::operator()(std::string_view key) const {
  const XXH128_hash_t hash = XXH3_128bits_withSecret(key.data(), key.size(), secret_, kSecretSize);
  return {hash.high64, hash.low64};
}

}  // namespace minod
