#include "tests/sim/sim_inode.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace minod {

SimInode::Sector SimInode::sector_of(const std::vector<std::byte>& bytes, std::int64_t sector) {
  Sector contents{};
  const auto begin = static_cast<std::size_t>(sector * kSectorSize);
  if (begin < bytes.size()) {
    std::memcpy(contents.data(), bytes.data() + begin, std::min(contents.size(), bytes.size() - begin));
  }
  return contents;
}

void SimInode::put_sector(std::vector<std::byte>& bytes, std::int64_t sector, const Sector& contents) {
  const auto begin = static_cast<std::size_t>(sector * kSectorSize);
  if (begin < bytes.size()) {
    std::memcpy(bytes.data() + begin, contents.data(), std::min(contents.size(), bytes.size() - begin));
  }
}

bool SimInode::shrink_is_pending() const {
  std::int64_t size = static_cast<std::int64_t>(durable_.size());
  for (const SizeChange& change : sizes_) {
    if (change.size < size) return true;
    size = change.size;
  }
  return false;
}

// Notes the current bytes of a sector as its newest version, unless no outcome of a power loss could tell.
void SimInode::remember(std::int64_t sector, bool even_if_same) {
  const Sector bytes = sector_of(current_, sector);
  const auto found = dirty_.find(sector);
  const Sector newest = found != dirty_.end() ? found->second.back().bytes : sector_of(durable_, sector);
  if (even_if_same || newest != bytes) dirty_[sector].push_back({sequence_, bytes});
}

void SimInode::write(std::int64_t position, Bytes bytes) {
  if (bytes.empty()) return;
  const auto begin = static_cast<std::size_t>(position);
  if (begin + bytes.size() > current_.size()) {
    current_.resize(begin + bytes.size());
    sizes_.push_back({++sequence_, size()});
  }
  std::memcpy(current_.data() + begin, bytes.data(), bytes.size());
  ++sequence_;
  // The bytes that a shrinking cut off may be the same; the version that stands behind it is another.
  const bool even_if_same = shrink_is_pending();
  const std::int64_t end = position + static_cast<std::int64_t>(bytes.size());
  for (std::int64_t sector = position / kSectorSize; sector * kSectorSize < end; ++sector) {
    remember(sector, even_if_same);
  }
}

void SimInode::truncate(std::int64_t size) {
  if (size == this->size()) return;
  current_.resize(static_cast<std::size_t>(size));
  sizes_.push_back({++sequence_, size});
}

// Versions of sectors that a shrinking cut off are gone with it; in the sector of the border the rest is zero.
void SimInode::apply_size(const SizeChange& change) {
  const bool shrinks = change.size < static_cast<std::int64_t>(durable_.size());
  durable_.resize(static_cast<std::size_t>(change.size));
  if (!shrinks) return;
  for (auto at = dirty_.lower_bound(change.size / kSectorSize); at != dirty_.end();) {
    const auto kept = std::max<std::int64_t>(0, change.size - at->first * kSectorSize);
    std::vector<Version>& versions = at->second;
    if (kept == 0) std::erase_if(versions, [&](const Version& v) { return v.sequence < change.sequence; });
    for (Version& version : versions) {
      if (version.sequence < change.sequence)
        std::fill(version.bytes.begin() + kept, version.bytes.end(), std::byte{0});
    }
    at = versions.empty() ? dirty_.erase(at) : std::next(at);
  }
}

void SimInode::apply_sizes(std::uint64_t up_to) {
  auto at = sizes_.begin();
  for (; at != sizes_.end() && at->sequence <= up_to; ++at) apply_size(*at);
  sizes_.erase(sizes_.begin(), at);
}

void SimInode::make_durable(std::uint64_t up_to) {
  apply_sizes(up_to);
  for (auto at = dirty_.begin(); at != dirty_.end();) {
    std::vector<Version>& versions = at->second;
    const auto later =
        std::find_if(versions.begin(), versions.end(), [&](const Version& v) { return v.sequence > up_to; });
    if (later != versions.begin()) put_sector(durable_, at->first, std::prev(later)->bytes);
    versions.erase(versions.begin(), later);
    at = versions.empty() ? dirty_.erase(at) : std::next(at);
  }
}

void SimInode::make_span_durable(std::int64_t position, std::int64_t size) {
  apply_sizes(sequence_);
  const std::int64_t end = position + size;
  for (std::int64_t sector = position / kSectorSize; sector * kSectorSize < end; ++sector) {
    put_sector(durable_, sector, sector_of(current_, sector));
    dirty_.erase(sector);
  }
}

void SimInode::drop_some_dirty(std::uint64_t up_to, Random& random) {
  for (auto at = dirty_.begin(); at != dirty_.end();) {
    const bool dropped = random.one_in(2);
    if (dropped) std::erase_if(at->second, [&](const Version& v) { return v.sequence <= up_to; });
    at = at->second.empty() ? dirty_.erase(at) : std::next(at);
  }
}

// A shrinking that survived removes what was there before it; one that was lost removes what came after it.
std::vector<SimInode::Version> SimInode::outcomes_of(std::int64_t sector, const std::vector<Version>& versions,
                                                     std::size_t sizes_kept) const {
  std::vector<Version> outcomes{{0, sector_of(durable_, sector)}};
  outcomes.insert(outcomes.end(), versions.begin(), versions.end());
  std::int64_t size = static_cast<std::int64_t>(durable_.size());
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    const SizeChange& change = sizes_[i];
    const std::int64_t kept = std::max<std::int64_t>(0, change.size - sector * kSectorSize);
    const bool cuts = change.size < size && kept < kSectorSize;
    size = change.size;
    if (!cuts) continue;
    if (i < sizes_kept) {
      for (Version& outcome : outcomes) {
        if (outcome.sequence < change.sequence)
          std::fill(outcome.bytes.begin() + kept, outcome.bytes.end(), std::byte{0});
      }
    } else if (kept == 0) {
      std::erase_if(outcomes, [&](const Version& v) { return v.sequence > change.sequence; });
    }
  }
  return outcomes;
}

SimInode::Sector SimInode::chosen_of(const std::vector<Version>& outcomes, Survival survival, bool tear,
                                     Random& random) {
  if (survival == Survival::kNothing) return outcomes.front().bytes;
  if (survival == Survival::kAll) return outcomes.back().bytes;
  Sector chosen = outcomes[random.below(outcomes.size())].bytes;
  if (tear && random.one_in(4)) {
    const Sector& other = outcomes[random.below(outcomes.size())].bytes;
    const auto border = static_cast<std::ptrdiff_t>(random.below(kSectorSize));
    std::copy(other.begin() + border, other.end(), chosen.begin() + border);
  }
  return chosen;
}

void SimInode::lose_power(Survival survival, bool tear, Random& random) {
  std::size_t sizes_kept = 0;
  if (survival == Survival::kAll) sizes_kept = sizes_.size();
  if (survival == Survival::kSome) sizes_kept = static_cast<std::size_t>(random.below(sizes_.size() + 1));

  std::vector<std::pair<std::int64_t, Sector>> survivors;
  for (const auto& [sector, versions] : dirty_) {
    survivors.emplace_back(sector, chosen_of(outcomes_of(sector, versions, sizes_kept), survival, tear, random));
  }
  for (std::size_t i = 0; i < sizes_kept; ++i) durable_.resize(static_cast<std::size_t>(sizes_[i].size));
  for (const auto& [sector, bytes] : survivors) put_sector(durable_, sector, bytes);
  current_ = durable_;
  dirty_.clear();
  sizes_.clear();
}

std::uint64_t SimInode::hash(std::uint64_t seed) const {
  seed = XXH3_64bits_withSeed(current_.data(), current_.size(), seed);
  seed = XXH3_64bits_withSeed(durable_.data(), durable_.size(), seed);
  for (const auto& [sector, versions] : dirty_) {
    for (const Version& version : versions) {
      seed =
          XXH3_64bits_withSeed(version.bytes.data(), version.bytes.size(), seed + static_cast<std::uint64_t>(sector));
    }
  }
  for (const SizeChange& change : sizes_) seed = XXH3_64bits_withSeed(&change.size, sizeof change.size, seed);
  return seed;
}

}  // namespace minod
