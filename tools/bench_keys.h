// Which key a request is about: a number below the key count, drawn as real caches are used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace minod::bench {

// More would need a wider product in Scramble, and 12 decimal digits hold many more.
inline constexpr std::uint64_t kKeysMax = std::uint64_t{1} << 32;

struct KeyDistribution {
  enum class Kind : std::uint8_t { kUniform, kZipfian, kLatest, kHotspot, kSequential };
  Kind kind = Kind::kUniform;
  double theta = 0.99;        // of zipfian and latest: 0 is uniform, YCSB takes 0.99
  double hot_keys = 0.2;      // hotspot: this share of the keys ...
  double hot_requests = 0.8;  // ... gets this share of the requests
};

// "uniform", "zipfian", "zipfian:0.8", "latest", "hotspot:0.2:0.8", "sequential".
Result<KeyDistribution> parse_distribution(std::string_view text);
std::string distribution_text(const KeyDistribution& distribution);

// One of `count` equal parts of something: threads share a rate, connections share the keys.
struct Stripe {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
};

// Ranks from 0, the most frequent; rank r comes up in proportion to (r + 1)^-theta, exactly, in constant time and
// memory: rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
// distributions", 1996).
class Zipf {
 public:
  Zipf(std::uint64_t count, double theta);
  std::uint64_t next(Random& random) const;

 private:
  double density(double x) const;
  double integral(double x) const;
  double integral_inverse(double x) const;

  double count_;
  double theta_;
  double integral_first_;
  double integral_last_;
  double shortcut_;
};

// Spreads the ranks over all keys, one to one, so that popular keys are not neighbours. (YCSB hashes, which leaves a
// third of the keys out.)
class Scramble {
 public:
  explicit Scramble(std::uint64_t count);
  std::uint64_t operator()(std::uint64_t rank) const { return rank * factor_ % count_; }

 private:
  std::uint64_t count_;
  std::uint64_t factor_;
};

// Draws for one connection. A sequential chooser walks its own stripe: all connections together visit every key once
// in each round.
class KeyChooser {
 public:
  KeyChooser(const KeyDistribution& distribution, std::uint64_t keys, Stripe stripe);

  // `newest` is the number of keys there are now, at least `keys`; it matters to `latest` alone.
  std::uint64_t next(Random& random, std::uint64_t newest);

  // The key of this connection's stripe that is next to `key`. Keys at and above the key count belong to nobody.
  std::uint64_t own(std::uint64_t key) const;

 private:
  KeyDistribution distribution_;
  std::uint64_t keys_;
  Stripe stripe_;
  std::uint64_t cursor_;
  std::uint64_t hot_count_;
  Zipf zipf_;
  Scramble scramble_;
};

}  // namespace minod::bench
