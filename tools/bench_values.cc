#include "tools/bench_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/size_text.h"

namespace minod::bench {

namespace {

constexpr std::size_t kQuantiles = 4096;

// The x that a normal variable stays below with this probability.
double normal_quantile(double probability) {
  double low = -8;
  double high = 8;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < probability ? low : high) = middle;
  }
  return low;
}

double quantile_step(std::size_t i) { return (static_cast<double>(i) + 0.5) / static_cast<double>(kQuantiles); }

std::vector<std::size_t> uniform_sizes(std::size_t low, std::size_t high) {
  const std::size_t count = high - low + 1;
  std::vector<std::size_t> sizes(std::min(count, kQuantiles));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    sizes[i] =
        count <= kQuantiles ? low + i : low + static_cast<std::size_t>(quantile_step(i) * static_cast<double>(count));
  }
  return sizes;
}

std::vector<std::size_t> lognormal_sizes(std::size_t median, double sigma) {
  std::vector<std::size_t> sizes(kQuantiles);
  for (std::size_t i = 0; i < kQuantiles; ++i) {
    const double size = static_cast<double>(median) * std::exp(sigma * normal_quantile(quantile_step(i)));
    sizes[i] = static_cast<std::size_t>(std::clamp(size, 1.0, static_cast<double>(kValueBytesMax)));
  }
  return sizes;
}

std::optional<std::size_t> size_of(std::string_view text) {
  const auto size = parse_size(text);
  if (!size || *size > kValueBytesMax) return std::nullopt;
  return static_cast<std::size_t>(*size);
}

}  // namespace

Result<ValueSizes> ValueSizes::parse(std::string_view text) {
  const std::string whole(text);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    if (const auto size = size_of(text)) return ValueSizes(whole, {*size});
  } else {
    const std::string_view kind = text.substr(0, colon);
    const std::string_view rest = text.substr(colon + 1);
    const auto dash = rest.find('-');
    const auto first = size_of(rest.substr(0, dash));
    const std::string_view last = dash == std::string_view::npos ? "" : rest.substr(dash + 1);
    if (kind == "uniform" && first) {
      const auto high = size_of(last);
      if (high && *first <= *high) return ValueSizes(whole, uniform_sizes(*first, *high));
    }
    double sigma = 0;
    const auto [end, failure] = std::from_chars(last.data(), last.data() + last.size(), sigma);
    if (kind == "lognormal" && first && failure == std::errc() && end == last.data() + last.size() && sigma >= 0 &&
        sigma <= 5) {
      return ValueSizes(whole, lognormal_sizes(*first, sigma));
    }
  }
  return Error{Errc::kInvalid, 0,
               "'" + whole + "' is not a value size; write 100, 4kb, uniform:16-1024 or lognormal:200-0.8 " +
                   "(median, sigma up to 5), sizes up to 16mb"};
}

void ValueSizes::raise_to(std::size_t size_min) {
  for (std::size_t& size : sizes_) size = std::max(size, size_min);
}

std::size_t ValueSizes::largest() const { return *std::max_element(sizes_.begin(), sizes_.end()); }

double ValueSizes::mean() const {
  return std::accumulate(sizes_.begin(), sizes_.end(), 0.0) / static_cast<double>(sizes_.size());
}

void fill_value(char* out, std::size_t size, double compressible, Random& random) {
  const auto constant = static_cast<std::size_t>(static_cast<double>(size) * compressible);
  const std::size_t varied = size - constant;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= varied; at += sizeof(std::uint64_t)) {
    const std::uint64_t bits = random.next();
    std::memcpy(out + at, &bits, sizeof bits);
  }
  if (at < varied) {
    const std::uint64_t bits = random.next();
    std::memcpy(out + at, &bits, varied - at);
  }
  std::memset(out + varied, 'x', constant);
}

void stamp_value(char* value, std::size_t size, Stamp stamp) {
  auto* bytes = reinterpret_cast<std::byte*>(value);
  store_little(bytes + 4, stamp.key);
  store_little(bytes + 12, stamp.version);
  store_little(bytes, crc32c({bytes + 4, size - 4}));
}

std::optional<Stamp> read_stamp(std::string_view value) {
  if (value.size() < kStampBytes) return std::nullopt;
  const Bytes bytes = as_bytes(value);
  if (load_little<std::uint32_t>(bytes.data()) != crc32c(bytes.subspan(4))) return std::nullopt;
  return Stamp{load_little<std::uint64_t>(bytes.data() + 4), load_little<std::uint64_t>(bytes.data() + 12)};
}

}  // namespace minod::bench
