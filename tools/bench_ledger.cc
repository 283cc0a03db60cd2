#include "tools/bench_ledger.h"

#include "tools/bench_values.h"

namespace minod::bench {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRight:
      return "right";
    case Verdict::kMiss:
      return "miss";
    case Verdict::kLost:
      return "lost";
    case Verdict::kCorrupt:
      return "corrupt";
    case Verdict::kForeign:
      return "foreign";
    case Verdict::kStale:
      return "stale";
  }
  return "?";
}

Ledger::Ledger(std::uint64_t keys, std::uint32_t run, bool vanishing)
    : last_(keys, kUnknown), run_(run), vanishing_(vanishing) {}

std::uint32_t Ledger::next_version() {
  for (;;) {  // passes over the reserved numbers when 2^32 versions are used up
    const std::uint32_t version = version_.fetch_add(1, std::memory_order_relaxed);
    if (version >= kFirstVersion) return version;
  }
}

Verdict Ledger::check(std::uint64_t key, std::optional<std::string_view> value) const {
  const std::uint32_t last = key < last_.size() ? last_[key] : kUnknown;
  if (!value) return last >= kFirstVersion && !vanishing_ ? Verdict::kLost : Verdict::kMiss;

  const auto stamp = read_stamp(*value);
  if (!stamp) return Verdict::kCorrupt;
  if (stamp->key != key) return Verdict::kForeign;
  if (last != kUnknown && (last == kAbsent || stamp->version != stamped(last))) return Verdict::kStale;
  return Verdict::kRight;
}

}  // namespace minod::bench
