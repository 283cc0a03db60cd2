#include "cluster/epoch_history.h"

#include <algorithm>

namespace minod {

Leadership EpochHistory::at_end(Offset end) const {
  for (std::size_t i = lines_.size(); i != 0; --i) {
    if (lines_[i - 1].start < end) return lines_[i - 1].leadership;
  }
  return {};
}

void EpochHistory::begin(Leadership leadership, Offset start) {
  truncate(start);
  lines_.push_back(EpochLine{leadership, start});
}

void EpochHistory::truncate(Offset end) {
  while (!lines_.empty() && lines_.back().start >= end) lines_.pop_back();
}

std::vector<EpochLine> EpochHistory::between(Offset begin, Offset end) const {
  std::vector<EpochLine> found;
  if (begin >= end) return found;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].start < end && end_of(i, end) > begin) found.push_back(lines_[i]);
  }
  return found;
}

std::optional<std::size_t> EpochHistory::floor(Leadership wanted) const {
  for (std::size_t i = lines_.size(); i != 0; --i) {
    const Leadership& line = lines_[i - 1].leadership;
    if (line == wanted || line.epoch < wanted.epoch) return i - 1;
  }
  return std::nullopt;
}

std::optional<EpochHistory::Divergence> EpochHistory::compare(Leadership last, Offset end, Offset log_end) const {
  if (end == kFirstOffset) return std::nullopt;
  const auto line = floor(last);
  if (!line) return Divergence{{}, kFirstOffset};
  const Offset line_end = end_of(*line, log_end);
  if (lines_[*line].leadership == last && end <= line_end) return std::nullopt;
  return Divergence{lines_[*line].leadership, line_end};
}

Offset EpochHistory::cut_for(const Divergence& divergence, Offset log_end) const {
  const auto line = floor(divergence.leadership);
  if (!line) return kFirstOffset;
  const Offset line_end = std::min(end_of(*line, log_end), log_end);
  return lines_[*line].leadership == divergence.leadership ? std::min(line_end, divergence.end) : line_end;
}

}  // namespace minod
