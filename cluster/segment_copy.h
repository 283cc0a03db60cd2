// A member that begins anew copies the leader's segment files: asks for the list, then for pieces of 1 MiB, a few at a
// time and no faster than it may, and writes them to NAME.part beside the log. Each file is durable before the next is
// begun. What is in them is checked when they are put in place and recovered. Belongs to the log's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "cluster/message.h"
#include "log/disk.h"

namespace minod {

inline constexpr std::string_view kPartSuffix = ".part";

class SegmentCopy {
 public:
  // `rate`: bytes a second. `send` sends to the leader.
  SegmentCopy(Disk& disk, const Clock& clock, std::string directory, Leadership leader, std::uint64_t rate,
              std::function<void(Message)> send);
  ~SegmentCopy();

  void receive(const Segments& list);
  void receive(const SegmentBytes& piece, Bytes bytes);
  void poll();  // once a turn: asks and writes

  enum class State : std::uint8_t { kGoing, kDone, kFailed };
  State state() const { return state_; }
  const Segments& list() const { return *list_; }  // of a copy that is done
  std::uint64_t copied_bytes() const { return copied_bytes_; }
  const std::optional<Error>& error() const { return error_; }  // of the disk: it failed by that
  bool idle() const { return !*writing_; }

 private:
  void ask();
  void write();
  void written(const Result<void>& result, std::int64_t upto, bool whole);
  std::string path() const;

  Disk& disk_;
  const Clock& clock_;
  std::string directory_;
  Leadership leader_;
  std::uint64_t rate_;
  std::function<void(Message)> send_;
  State state_ = State::kGoing;
  std::optional<Segments> list_;
  std::size_t at_ = 0;                                   // of the list: the segment that is copied
  std::int64_t asked_ = 0;                               // of it, up to there
  std::int64_t written_ = 0;                             // likewise
  std::map<std::int64_t, std::vector<std::byte>> here_;  // pieces that came and are not written
  std::shared_ptr<File> file_;
  std::shared_ptr<bool> writing_ = std::make_shared<bool>(false);
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::uint64_t copied_bytes_ = 0;
  std::optional<Error> error_;
  MonotonicNanos moved_at_;  // when something came last
  MonotonicNanos refilled_at_;
  double allowed_ = 0;  // bytes that may be asked for now
};

}  // namespace minod
