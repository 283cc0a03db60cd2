// Sends the changes of a plan to a server that speaks the Redis protocol.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/resp/client.h"
#include "tools/replay_options.h"
#include "tools/replay_plan.h"
#include "tools/replay_tally.h"

namespace minod::replay {

class Apply {
 public:
  // Without a client, everything is counted and nothing is sent. `complain` gets the first error replies, as lines.
  Apply(Disk& disk, const Options& options, const Clock& clock, std::optional<resp::Client> client, Progress& progress,
        std::function<void(const std::string&)> complain)
      : disk_(disk),
        options_(options),
        clock_(clock),
        client_(std::move(client)),
        progress_(progress),
        complain_(std::move(complain)) {}

  // Replays every partition of the plan. Errors: the disk's, damage, or a connection that broke; error replies are
  // counted in the tally.
  Result<void> run(const Plan& plan, Tally& tally);

 private:
  struct Sent {
    Offset offset;
    std::string what;
  };

  Result<void> enter_database(const Plan& plan, int db, Tally& tally);
  Result<void> replay_partition(const PlannedPartition& partition, Tally& tally);
  Result<void> take(const RecordView& record, bool control, Tally& tally);
  Result<void> send(Offset offset, std::span<const std::string_view> arguments, Tally& tally);
  Result<void> finish_window(Tally& tally);
  void pace();

  Disk& disk_;
  const Options& options_;
  const Clock& clock_;
  std::optional<resp::Client> client_;
  Progress& progress_;
  std::function<void(const std::string&)> complain_;
  std::deque<Sent> window_;  // queued or sent, not answered
  std::uint64_t sent_ = 0;
  std::optional<MonotonicNanos> begun_;
  std::uint64_t complaints_ = 0;
};

}  // namespace minod::replay
