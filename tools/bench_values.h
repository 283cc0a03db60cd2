// The values that are written: how long, how compressible, and under --verify with a stamp that a read can be checked
// by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"

namespace minod::bench {

inline constexpr std::size_t kValueBytesMax = std::size_t{16} << 20;

// "100", "4kb", "uniform:16-1024" or "lognormal:200-0.8" (median, sigma).
class ValueSizes {
 public:
  static Result<ValueSizes> parse(std::string_view text);
  static ValueSizes fixed(std::size_t size) { return {std::to_string(size), {size}}; }

  std::size_t pick(Random& random) const {
    return sizes_.size() == 1 ? sizes_.front() : sizes_[static_cast<std::size_t>(random.below(sizes_.size()))];
  }
  void raise_to(std::size_t size_min);  // none is shorter after this
  std::size_t largest() const;
  double mean() const;
  const std::string& text() const { return text_; }

 private:
  ValueSizes(std::string text, std::vector<std::size_t> sizes) : text_(std::move(text)), sizes_(std::move(sizes)) {}

  std::string text_;
  std::vector<std::size_t> sizes_;  // equally likely: the quantiles of the distribution, so that a draw is one load
};

// Fresh bytes for each value: random, and the last `compressible` part of it one letter. Bytes from a pool would look
// incompressible alone and compress well in the server's batches.
void fill_value(char* out, std::size_t size, double compressible, Random& random);

// Which write a value comes from. On the wire: CRC-32C of the rest, key, version, then payload.
struct Stamp {
  std::uint64_t key = 0;
  std::uint64_t version = 0;
};
inline constexpr std::size_t kStampBytes = 20;

void stamp_value(char* value, std::size_t size, Stamp stamp);  // over the first kStampBytes; size is at least that
std::optional<Stamp> read_stamp(std::string_view value);       // nothing when it is too short or its checksum is wrong

}  // namespace minod::bench
