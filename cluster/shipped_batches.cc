#include "cluster/shipped_batches.h"

#include <string>

#include "log/batch.h"

namespace minod {

namespace {

Error refused(Offset at, const std::string& what) {
  return Error{
      Errc::kCorrupt, 0,
      "the batch for offset " + std::to_string(at.value()) + " that the leader sent " + what + "; it is not appended"};
}

}  // namespace

Result<Offset> check_shipped(const Answer& answer, Bytes batches) {
  Offset expected = answer.begin;
  const EpochHistory epochs(answer.epochs);
  while (!batches.empty()) {
    const auto batch = BatchView::open(batches);
    if (!batch) return refused(expected, "is not whole (" + batch.error().message() + ")");
    const BatchHeader& header = batch->header();
    if (header.base_offset != expected) {
      return refused(expected, "begins at offset " + std::to_string(header.base_offset.value()));
    }
    const Offset end = header.next_offset();
    const Leadership first = epochs.at_end(header.base_offset + OffsetCount(1));
    if (first.leader == kNobody || first.epoch != header.epoch || epochs.at_end(end) != first) {
      return refused(expected,
                     "is of epoch " + std::to_string(header.epoch.value) + ", which the leader does not name");
    }
    expected = end;
    batches = batches.subspan(batch->bytes().size());
  }
  if (expected > answer.next) return refused(expected, "goes beyond what was announced");
  return expected;
}

}  // namespace minod
