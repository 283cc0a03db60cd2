#include "index/change_window.h"

#include <array>
#include <utility>

namespace minod {

namespace {

constexpr unsigned kDigitBits = 8;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
// Below this the index fits the cache, or nearly, and any order will do.
constexpr std::size_t kSortMin = 4096;

std::size_t digit_of(const IndexChange& change, unsigned shift) {
  return static_cast<std::size_t>(change.hash().high >> shift) & (kDigits - 1);
}

// Stable: of one key, the order of the log stays.
void sort_by_digit(const std::vector<IndexChange>& from, std::vector<IndexChange>& to, unsigned shift) {
  std::array<std::size_t, kDigits> next{};
  for (const IndexChange& change : from) ++next[digit_of(change, shift)];
  std::size_t sum = 0;
  for (std::size_t& place : next) sum += std::exchange(place, sum);
  for (const IndexChange& change : from) to[next[digit_of(change, shift)]++] = change;
}

}  // namespace

// The first 16 bits of the hash: in an index of any size that fits memory, neighbours are then near.
void ChangeWindow::sort(std::vector<IndexChange>& scratch) {
  if (changes.size() < kSortMin) return;
  scratch.resize(changes.size());
  sort_by_digit(changes, scratch, 64 - 2 * kDigitBits);
  sort_by_digit(scratch, changes, 64 - kDigitBits);
}

}  // namespace minod
