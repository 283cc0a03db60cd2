// What a request does, and in which proportions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace minod::bench {

enum class Operation : std::uint8_t {
  kGet,
  kSet,
  kSetex,
  kDel,
  kMget,
  kIncr,    // on keys of its own: values are not numbers
  kInsert,  // a SET of the next key that nobody has written
  kRmw,     // read-modify-write: a GET, and when it has been answered, a SET of the same key; timed as one
  kPing,
};
inline constexpr std::size_t kOperationCount = 9;

std::string_view name_of(Operation operation);

constexpr bool reads_values(Operation operation) {
  return operation == Operation::kGet || operation == Operation::kMget;
}

class Mix {
 public:
  Mix() { set(Operation::kGet, 1); }
  static Mix of(Operation operation);

  void set(Operation operation, double weight);
  double share(Operation operation) const;  // of 1
  bool has(Operation operation) const { return share(operation) > 0; }

  Operation pick(Random& random) const {
    if (used_ == 1) return operations_[0];
    const double at = random.fraction() * total_;
    std::size_t i = 0;
    while (i + 1 < used_ && at >= limits_[i]) ++i;
    return operations_[i];
  }

 private:
  std::array<double, kOperationCount> weights_{};
  // What pick() looks at: the operations in use, each with the sum of the weights up to its own.
  std::array<double, kOperationCount> limits_{};
  std::array<Operation, kOperationCount> operations_{};
  std::size_t used_ = 0;
  double total_ = 0;
};

// "get=80,set=20"; a name alone has the weight 1.
Result<Mix> parse_mix(std::string_view text);
std::string mix_text(const Mix& mix);

}  // namespace minod::bench
