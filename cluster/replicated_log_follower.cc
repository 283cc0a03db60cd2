// What a follower does with records: appends them when what they stand on is stored, applies them when they are
// committed and written.
#include <algorithm>
#include <utility>

#include "base/diag.h"
#include "cluster/replicated_log.h"
#include "cluster/shipped_batches.h"

namespace minod {

namespace {

constexpr std::size_t kAppliedAtOnce = std::size_t{1} << 20;

}  // namespace

void ReplicatedLog::take_records(MemberId from, Answer answer, Bytes batches) {
  if (is_away() || promotion_) return;
  const auto next = check_shipped(answer, batches);
  if (!next) {
    diag::warning(partition_.name() + ": " + next.error().message());
    return;  // the fetch is sent again after a while
  }
  answer.next = *next;
  const Offset base = answer.begin;
  const bool fits = replica_.receive(from, Message(std::move(answer)));
  carry_out();
  if (!fits) return;
  auto bytes = std::make_shared<const std::vector<std::byte>>(batches.begin(), batches.end());
  arrived_bytes_ += bytes->size();
  arrived_.push_back(Arrived{BatchRun{std::move(bytes), base, *next}, wanted_store_});
  append_arrived();
}

void ReplicatedLog::append_arrived() {
  while (!arrived_.empty() && !is_away()) {
    const Arrived& first = arrived_.front();
    if (first.after > stored_ || log().pending_bytes() >= host_.options.backlog_max) return;
    if (!append(first.run)) return;
    const std::size_t size = first.run.bytes->size();
    arrived_bytes_ -= size;
    if (queue_bytes_ + size <= host_.options.apply_queue_bytes) {
      queue_bytes_ += size;
      queue_.push_back(first.run);
    }
    arrived_.pop_front();
  }
}

// False: there is no room for all of it; what was appended is known by the log's end.
bool ReplicatedLog::append(const BatchRun& run) {
  for (Bytes rest = *run.bytes; !rest.empty();) {
    const auto header = read_batch_header(rest);
    const Bytes bytes = rest.first(static_cast<std::size_t>(header->length));
    rest = rest.subspan(bytes.size());
    if (header->next_offset() <= log().marks().appended()) continue;
    const auto batch = BatchView::open(bytes);
    const auto room = log().append_shipped(*header, bytes, together_of(*batch, decompressor_));
    if (room != Log::Room::kYes) return false;
  }
  return true;
}

// True: there is more that could be applied.
bool ReplicatedLog::apply_some() {
  if (leads_ || is_away()) return false;
  const Watermarks& marks = log().marks();
  const Offset limit = replica_.leads() ? marks.written() : std::min(marks.committed(), marks.written());
  std::size_t done = 0;
  while (applied_ < limit && done < kAppliedAtOnce) {
    while (!queue_.empty() && queue_.front().next <= applied_) {
      queue_bytes_ -= std::min(queue_bytes_, queue_.front().bytes->size());
      queue_.pop_front();
    }
    if (queue_.empty() || queue_.front().base > applied_) {
      read_back();
      return false;
    }
    const Offset before = applied_;
    done += queue_.front().bytes->size();
    if (!apply_run(BatchRun(queue_.front()), limit) || applied_ == before) return false;
  }
  return applied_ < limit;
}

// The batches of the run that are not applied and lie below `limit`.
bool ReplicatedLog::apply_run(const BatchRun& run, Offset limit) {
  for (Bytes rest = *run.bytes; !rest.empty();) {
    const auto batch = BatchView::open(rest);
    if (!batch || batch->header().next_offset() > limit) break;
    rest = rest.subspan(batch->bytes().size());
    if (batch->header().next_offset() <= applied_) continue;
    if (auto applied = changes_.apply(*batch); !applied) {
      host_.store.on_failed(
          Error{Errc::kCorrupt, 0,
                directory() + ": the batch at offset " + std::to_string(batch->header().base_offset.value()) +
                    " has a right checksum and records that do not decode: " + applied.error().message()});
      return false;
    }
    applied_ = batch->header().next_offset();
    partition_.set_applied(applied_);
  }
  return true;
}

// What is to be applied next was not kept.
void ReplicatedLog::read_back() {
  if (std::exchange(reading_back_, true)) return;
  read_batches(partition_, applied_, kAppliedAtOnce,
               [this, alive = std::weak_ptr(alive_), life = life_](const Result<BatchRun>& run) {
                 if (alive.expired() || life != life_) return;
                 reading_back_ = false;
                 if (!run) {
                   return host_.store.on_failed(Error{run.error().code, run.error().sys,
                                                      directory() + " can't be read back: " + run.error().message()});
                 }
                 queue_bytes_ += run->bytes->size();
                 queue_.push_front(*run);
               });
}

}  // namespace minod
