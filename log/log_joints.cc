// A log's part in transactions that write to several logs: what it tells of them, and what it keeps back for them.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log/log.h"

namespace minod {

void Log::begin_joint(std::size_t bytes, std::uint64_t joint, std::string together) {
  check(group_bytes_ == 0, "groups do not nest");
  if (builder_.is_open()) close_batch();
  group_bytes_ = bytes + joint_bytes(together.size(), false);
  together_ = std::move(together);
  holds_.push_back(Hold{marks_.appended(), kNothingHeld, joint});
  unwritten_joint_ = std::min(unwritten_joint_, marks_.appended());
}

void Log::end_joint() {
  if (builder_.is_open()) close_batch();
  holds_.back().end = marks_.appended();
  together_.clear();
}

// Tells which parts are safe here, and lets go of those that are safe everywhere.
void Log::settle_joints() {
  for (Hold& hold : holds_) {
    if (hold.end > marks_.written()) break;
    if (!std::exchange(hold.written, true)) options_.joints->arrived(JointOrder::Level::kWritten, hold.joint);
    if (hold.end > marks_.durable()) continue;
    if (!std::exchange(hold.durable, true)) options_.joints->arrived(JointOrder::Level::kDurable, hold.joint);
  }
  if (!holds_.empty()) {
    const std::uint64_t durable = options_.joints->passed(JointOrder::Level::kDurable);
    while (!holds_.empty() && holds_.front().joint <= durable) holds_.pop_front();
    const std::uint64_t written = options_.joints->passed(JointOrder::Level::kWritten);
    const auto first = std::ranges::find_if(holds_, [&](const Hold& hold) { return hold.joint > written; });
    unwritten_joint_ = first == holds_.end() ? kNothingHeld : first->begin;
  }
  Offset safe = holds_.empty() ? marks_.durable() : std::min(marks_.durable(), holds_.front().begin);
  if (replicated_) safe = std::min(safe, settle_shipped());
  marks_.make_safe_to(std::max(safe, marks_.safe()));
  if (!replicated_) commit_safe(safe);
}

// All below `end` is committed.
void Log::commit_safe(Offset end) {
  marks_.commit_to(end);
  while (!pending_log_starts_.empty() && pending_log_starts_.front().at < marks_.committed()) {
    committed_log_start_ = pending_log_starts_.front().below;
    pending_log_starts_.pop_front();
  }
}

void Log::look_at_joints() {
  if (holds_.empty()) return;
  const Offset released_before = released();
  const Offset committed_before = marks_.committed();
  settle_joints();
  if (marks_.committed() != committed_before) drop_dead_segments();
  if (released() != released_before) events_.released();
}

}  // namespace minod
