#include "tests/history/every_order.h"

#include <cstddef>
#include <set>
#include <utility>

#include "base/check.h"

namespace minod::history {

namespace {

using Kind = Operation::Kind;

class Search {
 public:
  explicit Search(const Operations& operations) : operations_(operations) {
    check(operations.size() <= 20, "every order of so many can be tried");
  }

  // Whether those that are not in `done` can follow when the key holds `state`.
  bool follow(std::uint32_t done, std::optional<Value> state) {
    if (!seen_.emplace(done, state).second) return false;
    Ticket first_end = kNever;  // nothing that starts later can be the next
    bool finished = true;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      if ((done >> i & 1) != 0 || !operation.certain) continue;
      finished = false;
      first_end = std::min(first_end, operation.end);
    }
    if (finished) return true;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      if ((done >> i & 1) != 0 || operation.start > first_end) continue;
      const std::uint32_t then = done | std::uint32_t{1} << i | too_late(operation.start);
      if (operation.kind == Kind::kWrite) {
        if (follow(then, operation.value)) return true;
      } else if (operation.kind == Kind::kErase) {
        if (follow(then, std::nullopt)) return true;
      } else if (!operation.certain || operation.value == state) {
        const bool takes = operation.kind == Kind::kTake;
        if (follow(then, takes ? std::nullopt : state)) return true;
      }
    }
    return false;
  }

 private:
  // Those of unknown outcome that can't take effect once a moment has come: they are out, as if done.
  std::uint32_t too_late(Ticket moment) const {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (!operations_[i].certain && operations_[i].end < moment) out |= std::uint32_t{1} << i;
    }
    return out;
  }

  const Operations& operations_;
  std::set<std::pair<std::uint32_t, std::optional<Value>>> seen_;
};

}  // namespace

bool has_an_order(const Operations& operations) { return Search(operations).follow(0, std::nullopt); }

}  // namespace minod::history
