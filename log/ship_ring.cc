#include "log/ship_ring.h"

#include <algorithm>

namespace minod {

void ShipRing::add(Offset base, Offset next, Bytes batch) {
  joined_from_.reset();
  joined_ = Run();
  if (!entries_.empty() && entries_.back().next != base) {
    entries_.clear();
    bytes_ = 0;
  }
  entries_.push_back({base, next, std::make_shared<const std::vector<std::byte>>(batch.begin(), batch.end())});
  bytes_ += batch.size();
  while (bytes_ > bytes_max_ && entries_.size() > 1) {
    bytes_ -= entries_.front().bytes->size();
    entries_.pop_front();
  }
}

std::optional<ShipRing::Run> ShipRing::from(Offset from, std::size_t bytes_max) {
  if (joined_from_ == from && joined_max_ == bytes_max) return joined_;
  const auto first = std::ranges::lower_bound(entries_, from, {}, &Entry::base);
  if (first == entries_.end() || first->base != from) return std::nullopt;
  auto last = std::next(first);
  std::size_t size = first->bytes->size();
  while (last != entries_.end() && size + last->bytes->size() <= bytes_max) size += (last++)->bytes->size();
  Run run{first->bytes, std::prev(last)->next};
  if (std::next(first) != last) {
    auto joined = std::make_shared<std::vector<std::byte>>();
    joined->reserve(size);
    for (auto at = first; at != last; ++at) joined->insert(joined->end(), at->bytes->begin(), at->bytes->end());
    run.bytes = std::move(joined);
  }
  joined_from_ = from;
  joined_max_ = bytes_max;
  joined_ = run;
  return run;
}

}  // namespace minod
