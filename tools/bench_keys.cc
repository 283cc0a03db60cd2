#include "tools/bench_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

namespace minod::bench {

namespace {

using Kind = KeyDistribution::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> kKinds{{{"uniform", Kind::kUniform},
                                                                   {"zipfian", Kind::kZipfian},
                                                                   {"latest", Kind::kLatest},
                                                                   {"hotspot", Kind::kHotspot},
                                                                   {"sequential", Kind::kSequential}}};

// A prime greater than kKeysMax, so coprime with every key count; its fraction is near the golden ratio's (xxHash's
// first 64-bit prime).
constexpr std::uint64_t kScramblePrime = 11400714785074694791ULL;

// log1p(x) / x and expm1(x) / x, with their limits at 0.
double log1p_ratio(double x) { return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2; }
double expm1_ratio(double x) { return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2; }

bool parse_fraction(std::string_view& rest, double& value) {
  if (rest.empty() || rest.front() != ':') return false;
  const auto [end, failure] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), value);
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return failure == std::errc();
}

Error not_a_distribution(std::string_view text) {
  return Error{Errc::kInvalid, 0,
               "'" + std::string(text) +
                   "' is not a key distribution; write uniform, zipfian[:theta], latest[:theta], "
                   "hotspot[:share of keys:share of requests] or sequential, theta from 0 to 5, shares from 0 to 1"};
}

}  // namespace

Result<KeyDistribution> parse_distribution(std::string_view text) {
  std::string_view rest = text;
  const std::string_view name = rest.substr(0, rest.find(':'));
  rest.remove_prefix(name.size());
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& kind) { return kind.first == name; });
  if (found == kKinds.end()) return not_a_distribution(text);

  KeyDistribution distribution{.kind = found->second};
  const bool has_theta = distribution.kind == Kind::kZipfian || distribution.kind == Kind::kLatest;
  if (!rest.empty() && has_theta && !parse_fraction(rest, distribution.theta)) return not_a_distribution(text);
  if (!rest.empty() && distribution.kind == Kind::kHotspot &&
      !(parse_fraction(rest, distribution.hot_keys) && parse_fraction(rest, distribution.hot_requests))) {
    return not_a_distribution(text);
  }
  const auto is_share = [](double share) { return share >= 0 && share <= 1; };
  if (!rest.empty() || !(distribution.theta >= 0 && distribution.theta <= 5) || !is_share(distribution.hot_keys) ||
      !is_share(distribution.hot_requests)) {
    return not_a_distribution(text);
  }
  return distribution;
}

std::string distribution_text(const KeyDistribution& distribution) {
  const auto name = kKinds[static_cast<std::size_t>(distribution.kind)].first;
  char text[64];
  switch (distribution.kind) {
    case Kind::kZipfian:
    case Kind::kLatest:
      std::snprintf(text, sizeof text, "%s:%g", name.data(), distribution.theta);
      return text;
    case Kind::kHotspot:
      std::snprintf(text, sizeof text, "%s:%g:%g", name.data(), distribution.hot_keys, distribution.hot_requests);
      return text;
    case Kind::kUniform:
    case Kind::kSequential:
      break;
  }
  return std::string(name);
}

Zipf::Zipf(std::uint64_t count, double theta) : count_(static_cast<double>(count)), theta_(theta) {
  integral_first_ = integral(1.5) - 1;
  integral_last_ = integral(count_ + 0.5);
  shortcut_ = 2 - integral_inverse(integral(2.5) - density(2));
}

double Zipf::density(double x) const { return std::exp(-theta_ * std::log(x)); }

double Zipf::integral(double x) const {
  const double log = std::log(x);
  return expm1_ratio((1 - theta_) * log) * log;
}

double Zipf::integral_inverse(double x) const { return std::exp(log1p_ratio(std::max(x * (1 - theta_), -1.0)) * x); }

std::uint64_t Zipf::next(Random& random) const {
  for (;;) {
    const double u = integral_last_ + random.fraction() * (integral_first_ - integral_last_);
    const double x = integral_inverse(u);
    const double k = std::clamp(std::floor(x + 0.5), 1.0, count_);
    if (k - x <= shortcut_ || u >= integral(k + 0.5) - density(k)) return static_cast<std::uint64_t>(k) - 1;
  }
}

Scramble::Scramble(std::uint64_t count) : count_(count), factor_(kScramblePrime % count) {}

KeyChooser::KeyChooser(const KeyDistribution& distribution, std::uint64_t keys, Stripe stripe)
    : distribution_(distribution),
      keys_(keys),
      stripe_(stripe),
      cursor_(stripe.index),
      hot_count_(static_cast<std::uint64_t>(static_cast<double>(keys) * distribution.hot_keys)),
      zipf_(keys, distribution.theta),
      scramble_(keys) {
  hot_count_ = std::clamp<std::uint64_t>(hot_count_, 1, keys);
}

std::uint64_t KeyChooser::next(Random& random, std::uint64_t newest) {
  switch (distribution_.kind) {
    case Kind::kUniform:
      break;
    case Kind::kZipfian:
      return scramble_(zipf_.next(random));
    case Kind::kLatest:
      return newest - 1 - zipf_.next(random);
    case Kind::kHotspot: {
      const bool hot = random.fraction() < distribution_.hot_requests || hot_count_ == keys_;
      return scramble_(hot ? random.below(hot_count_) : hot_count_ + random.below(keys_ - hot_count_));
    }
    case Kind::kSequential: {
      if (cursor_ >= keys_) cursor_ = stripe_.index % keys_;
      return std::exchange(cursor_, cursor_ + stripe_.count);
    }
  }
  return random.below(keys_);
}

std::uint64_t KeyChooser::own(std::uint64_t key) const {
  if (key >= keys_) return key;
  const std::uint64_t mine = key - key % stripe_.count + stripe_.index;
  return mine < keys_ ? mine : mine - stripe_.count;
}

}  // namespace minod::bench
