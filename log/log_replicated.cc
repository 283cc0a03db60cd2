// A log's part in replication: who commits, who may write, what was shipped to it and what is kept to be shipped.
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "log/log.h"

namespace minod {

void Log::replicate(Offset committed, AckPolicy acks, LogReach self, std::shared_ptr<JointReach> reach) {
  const Offset end = marks_.appended();
  check(!in_flight_ && marks_.durable() == end, "a log is replicated from its start");
  replicated_ = true;
  acks_ = acks;
  writers_ = Writers::kMayNot;
  self_ = self;
  reach_ = std::move(reach);
  reach_->reach(self_.db, self_.number, end);
  marks_ = Watermarks(end, std::min(committed, end));
  // The record that ended the life of those below stands somewhere: it may not be committed before all is.
  if (marks_.committed() < end && log_start_ > kFirstOffset) {
    committed_log_start_ = kFirstOffset;
    pending_log_starts_.push_back({end - OffsetCount(1), log_start_});
  }
}

void Log::set_writers(Writers writers) {
  if (std::exchange(writers_, writers) != writers) events_.room();
}

void Log::commit_to(Offset end) {
  check(replicated_, "a log that is not replicated commits by itself");
  if (end <= marks_.committed()) return;
  commit_safe(end);
  drop_dead_segments();
  events_.released();
}

void Log::begin_epoch(Epoch epoch) {
  if (builder_.is_open()) close_batch();
  epoch_ = epoch;
  if (tail_.end() != marks_.appended()) tail_.restart(marks_.appended());
}

Log::Room Log::append_shipped(const BatchHeader& header, Bytes batch, std::vector<LogReach> together) {
  check(replicated_ && writers_ != Writers::kMay, "what was shipped is not appended between what is written");
  if (builder_.is_open()) close_batch();
  check(header.base_offset == marks_.appended(), "what was shipped goes on where the log ends");
  if (failure_) return Room::kFull;
  const auto need = static_cast<std::int64_t>(batch.size());
  const bool empty = position_.value() == 0;
  if (position_.value() + need > segments_.active().prepared) {
    if (empty || !segments_.next_takes(need)) {
      segments_.prepare(need, empty);
      return segments_.preparing() ? Room::kWait : Room::kFull;
    }
    roll();
  }
  std::memcpy(open_.room(batch.size()), batch.data(), batch.size());
  open_.grew(batch.size());
  open_.end_offset = header.next_offset();
  pending_bytes_ += batch.size();
  ++counters_.batches;
  counters_.records += static_cast<std::uint64_t>(header.record_count);
  if (!together.empty() && (shipped_joints_.empty() || shipped_joints_.back().logs != together)) {
    const auto own = std::ranges::find_if(
        together, [this](const LogReach& part) { return part.db == self_.db && part.number == self_.number; });
    const Offset end = own == together.end() ? header.next_offset() : own->end;
    if (shipped_joints_.empty()) reach_->begin_waiting();
    shipped_joints_.push_back({header.base_offset, end, std::move(together)});
  }
  marks_.append_to(header.next_offset());
  const FilePosition at = position_;
  position_ += ByteCount(need);
  segments_.active().end = position_;
  epoch_ = std::max(epoch_, header.epoch);
  events_.placed(header, segments_.active().base, at);
  return Room::kYes;
}

void Log::start_shipped(Offset below) {
  if (below <= log_start_) return;
  log_start_ = committed_log_start_ = below;
  drop_dead_segments();
}

// How far no transaction lacks a part, as far as is known.
Offset Log::settle_shipped() {
  if (shipped_joints_.empty()) {
    reach_->reach(self_.db, self_.number, marks_.durable());
    return marks_.durable();
  }
  reach_seen_ = reach_->moves();
  while (!shipped_joints_.empty()) {
    const ShippedJoint& first = shipped_joints_.front();
    reach_->reach(self_.db, self_.number, std::min(marks_.durable(), first.end));
    const auto is_there = [this](const LogReach& part) { return reach_->has(part); };
    if (first.end > marks_.durable() || !std::ranges::all_of(first.logs, is_there)) {
      return std::min(marks_.durable(), first.begin);
    }
    shipped_joints_.pop_front();
  }
  reach_->end_waiting();
  reach_->reach(self_.db, self_.number, marks_.durable());
  return marks_.durable();
}

std::vector<JointBatch> Log::open_joints() const {
  std::vector<JointBatch> joints;
  for (const ShippedJoint& joint : shipped_joints_) joints.push_back({joint.begin, joint.logs});
  return joints;
}

void Log::look_at_reach() {
  if (shipped_joints_.empty() || reach_->moves() == reach_seen_) return;
  settle_joints();
}

void Log::keep_recent(std::size_t bytes) {
  if (bytes == 0) {
    recent_.reset();
  } else if (!recent_) {
    recent_ = std::make_unique<ShipRing>(bytes);
  }
}

void Log::retire() {
  check(idle(), "a log is retired when nothing is in flight");
  if (!shipped_joints_.empty()) reach_->end_waiting();
  shipped_joints_.clear();
  writers_ = Writers::kMayNot;
  recent_.reset();
  tail_.restart(marks_.appended());
  for (Group* const group : {&open_, &writing_, &spare_}) *group = Group();
  queued_.clear();
  segments_.forget();
}

}  // namespace minod
