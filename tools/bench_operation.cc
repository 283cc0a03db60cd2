#include "tools/bench_operation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace minod::bench {

namespace {

constexpr std::array<std::string_view, kOperationCount> kNames{"get",  "set",    "setex", "del", "mget",
                                                               "incr", "insert", "rmw",   "ping"};

}  // namespace

std::string_view name_of(Operation operation) { return kNames[static_cast<std::size_t>(operation)]; }

Mix Mix::of(Operation operation) {
  Mix mix;
  mix.set(Operation::kGet, 0);
  mix.set(operation, 1);
  return mix;
}

void Mix::set(Operation operation, double weight) {
  weights_[static_cast<std::size_t>(operation)] = weight;
  used_ = 0;
  total_ = 0;
  for (std::size_t i = 0; i < kOperationCount; ++i) {
    if (weights_[i] <= 0) continue;
    total_ += weights_[i];
    limits_[used_] = total_;
    operations_[used_++] = static_cast<Operation>(i);
  }
}

double Mix::share(Operation operation) const {
  return total_ > 0 ? weights_[static_cast<std::size_t>(operation)] / total_ : 0;
}

Result<Mix> parse_mix(std::string_view text) {
  const auto refuse = [text] {
    return Error{Errc::kInvalid, 0,
                 "'" + std::string(text) +
                     "' is not a mix; write get=80,set=20 with operations out of get, set, setex, del, mget, incr, "
                     "insert, rmw, ping"};
  };
  Mix mix = Mix::of(Operation::kGet);
  mix.set(Operation::kGet, 0);
  bool any = false;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::string_view name = part.substr(0, part.find('='));
    double weight = 1;
    if (name.size() != part.size()) {
      const auto [end, failure] = std::from_chars(part.data() + name.size() + 1, part.data() + part.size(), weight);
      if (failure != std::errc() || end != part.data() + part.size()) return refuse();
    }
    const auto* found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end() || !std::isfinite(weight) || weight < 0) return refuse();
    mix.set(static_cast<Operation>(found - kNames.begin()), weight);
    any = any || weight > 0;
  }
  if (!any) return refuse();
  return mix;
}

std::string mix_text(const Mix& mix) {
  std::string text;
  for (std::size_t i = 0; i < kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    if (!mix.has(operation)) continue;
    char part[48];
    std::snprintf(part, sizeof part, "%s%s=%.4g", text.empty() ? "" : ",", name_of(operation).data(),
                  mix.share(operation) * 100);
    text += part;
  }
  return text;
}

}  // namespace minod::bench
