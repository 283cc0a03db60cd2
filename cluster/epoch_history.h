// Which epoch began at which offset of a log, and who led it. With the log's end this says all that two logs need to
// find where they part: a record is the same in both if its offset and its epoch (number and leader) are.
#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "cluster/member.h"

namespace minod {

struct EpochLine {
  Leadership leadership;
  Offset start;
  friend constexpr bool operator==(const EpochLine&, const EpochLine&) = default;
};

class EpochHistory {
 public:
  EpochHistory() = default;
  // As they were stored; ascending in epoch and start.
  explicit EpochHistory(std::vector<EpochLine> lines) : lines_(std::move(lines)) {}

  const std::vector<EpochLine>& lines() const { return lines_; }

  // Of the last record below `end`; epoch 0 of nobody when there is none.
  Leadership at_end(Offset end) const;

  // Records from `start` on are of this leadership; what was noted of `start` or beyond goes.
  void begin(Leadership leadership, Offset start);

  // The log ends at `end`: epochs that began there or later had no record.
  void truncate(Offset end);

  // The lines that records of [begin, end) belong to.
  std::vector<EpochLine> between(Offset begin, Offset end) const;

  // Of a leader whose log ends at `log_end`: whether a log that ends at `end` with a record of `last` is a beginning of
  // this one. If not: an epoch that both may have, and where it ended here.
  struct Divergence {
    Leadership leadership;
    Offset end;
    friend constexpr bool operator==(const Divergence&, const Divergence&) = default;
  };
  std::optional<Divergence> compare(Leadership last, Offset end, Offset log_end) const;

  // Of a follower whose log ends at `log_end`: where to cut after that answer, always below `log_end`.
  Offset cut_for(const Divergence& divergence, Offset log_end) const;

  friend bool operator==(const EpochHistory&, const EpochHistory&) = default;

 private:
  Offset end_of(std::size_t line, Offset log_end) const {
    return line + 1 < lines_.size() ? lines_[line + 1].start : log_end;
  }
  // The last line that is `wanted`, or of a lower epoch.
  std::optional<std::size_t> floor(Leadership wanted) const;

  std::vector<EpochLine> lines_;
};

}  // namespace minod
