#include "cluster/segment_copy.h"

#include <algorithm>
#include <utility>

#include "cluster/segment_source.h"
#include "log/format.h"
#include "log/segment_name.h"

namespace minod {

namespace {

constexpr std::int64_t kWindow = std::int64_t{4} * kSegmentReadMax;
constexpr Nanos kPatience{2'000'000'000};
constexpr double kNanosPerSecond = 1e9;

}  // namespace

SegmentCopy::SegmentCopy(Disk& disk, const Clock& clock, std::string directory, Leadership leader, std::uint64_t rate,
                         std::function<void(Message)> send)
    : disk_(disk),
      clock_(clock),
      directory_(std::move(directory)),
      leader_(leader),
      rate_(rate),
      send_(std::move(send)),
      moved_at_(clock.monotonic()),
      refilled_at_(moved_at_) {
  send_(Message(SegmentsWanted{leader_}));
}

SegmentCopy::~SegmentCopy() = default;

std::string SegmentCopy::path() const {
  return directory_ + "/" + segment_name(list_->segments[at_].base, kLogSuffix) + std::string(kPartSuffix);
}

void SegmentCopy::receive(const Segments& list) {
  if (list_ || list.leadership != leader_) return;
  moved_at_ = clock_.monotonic();
  Offset next = kFirstOffset;
  for (const SegmentEntry& entry : list.segments) {
    if (entry.base < next || entry.size <= 0 || entry.base >= list.end) {
      state_ = State::kFailed;  // not what a leader says
      return;
    }
    next = entry.base + OffsetCount(1);
  }
  list_ = list;
  if (list.segments.empty()) state_ = State::kFailed;
}

void SegmentCopy::receive(const SegmentBytes& piece, Bytes bytes) {
  if (!list_ || state_ != State::kGoing || piece.base != list_->segments[at_].base) return;
  const std::int64_t size = list_->segments[at_].size;
  if (piece.file_size != size) {
    state_ = State::kFailed;  // the leader has let the list go
    return;
  }
  const auto end = piece.position + static_cast<std::int64_t>(bytes.size());
  if (piece.position < written_ || end > size || bytes.empty() || piece.position >= asked_) return;
  moved_at_ = clock_.monotonic();
  if (here_.emplace(piece.position, std::vector<std::byte>(bytes.begin(), bytes.end())).second) {
    copied_bytes_ += bytes.size();
  }
}

void SegmentCopy::poll() {
  if (state_ != State::kGoing) return;
  const MonotonicNanos now = clock_.monotonic();
  allowed_ += static_cast<double>(rate_) * static_cast<double>((now - refilled_at_).value()) / kNanosPerSecond;
  allowed_ = std::min(allowed_, std::max(static_cast<double>(kWindow), static_cast<double>(rate_) / 10));
  refilled_at_ = now;
  if (now - moved_at_ > kPatience && !*writing_) {
    moved_at_ = now;
    if (!list_) return send_(Message(SegmentsWanted{leader_}));
    here_.clear();
    asked_ = written_;
  }
  if (!list_) return;
  ask();
  write();
}

void SegmentCopy::ask() {
  const SegmentEntry& segment = list_->segments[at_];
  while (asked_ < segment.size && asked_ - written_ < kWindow) {
    const auto size = static_cast<std::int32_t>(std::min<std::int64_t>(kSegmentReadMax, segment.size - asked_));
    if (allowed_ < size) return;
    allowed_ -= size;
    send_(Message(SegmentRead{segment.base, asked_, size}));
    asked_ += size;
  }
}

// The pieces that follow what is written, in a job.
void SegmentCopy::write() {
  if (*writing_) return;
  const std::int64_t from = written_;
  auto bytes = std::make_shared<std::vector<std::byte>>();
  std::int64_t upto = from;
  while (!here_.empty() && here_.begin()->first == upto) {
    auto piece = here_.extract(here_.begin());
    bytes->insert(bytes->end(), piece.mapped().begin(), piece.mapped().end());
    upto += static_cast<std::int64_t>(piece.mapped().size());
  }
  if (bytes->empty()) return;
  *writing_ = true;
  const bool whole = upto == list_->segments[at_].size;
  struct Writing {
    std::shared_ptr<File> file;
    Result<void> result;
  };
  const auto work = std::make_shared<Writing>(Writing{file_, {}});
  disk_.run_aside(
      [disk = &disk_, where = path(), from, bytes, whole, work] {
        if (!work->file) {
          auto opened = disk->open(where, OpenMode::kCreate);
          if (!opened) {
            work->result = opened.error();
            return;
          }
          work->file = std::move(*opened);
        }
        work->result = work->file->write_now(FilePosition(from), *bytes);
        if (whole && work->result) work->result = work->file->sync_now();
      },
      [this, alive = std::weak_ptr(alive_), writing = writing_, upto, whole, work] {
        *writing = false;
        if (alive.expired()) return;
        file_ = work->file;
        written(work->result, upto, whole);
      });
}

void SegmentCopy::written(const Result<void>& result, std::int64_t upto, bool whole) {
  moved_at_ = clock_.monotonic();
  if (!result) {
    error_ = result.error();
    state_ = State::kFailed;
    return;
  }
  written_ = upto;
  if (!whole) return;
  file_.reset();
  here_.clear();
  asked_ = written_ = 0;
  if (++at_ == list_->segments.size()) state_ = State::kDone;
}

}  // namespace minod
