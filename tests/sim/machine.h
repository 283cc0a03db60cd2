// A store on a simulated disk of its own, with pipelined clients, and the states that their commands pass through.
// Whatever a crash leaves must be one of window(): the state after some command that was issued, and not before one
// that was acknowledged, or that a reply has told of: each client sees what the others write. Several machines can be
// there at a time.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/machine_backup.h"
#include "tests/sim/pipelined_replies.h"
#include "tests/sim/redis_model.h"
#include "tests/store/store_fixture.h"

namespace minod {

class Machine final : public StoreFixture {
 public:
  // A new disk with an empty data directory, and started.
  Machine(const StoreOptions& options, const SimDiskOptions& disk);
  // What a crash has left; not started.
  Machine(const StoreOptions& options, std::unique_ptr<SimDisk> disk, const ManualClock& clock);
  // As the end of the process.
  ~Machine() override;
  void TestBody() override {}

  using StoreFixture::advance;
  using StoreFixture::evict_all;
  using StoreFixture::run;
  using StoreFixture::settle;
  using StoreFixture::try_start;
  using StoreFixture::turn;

  // One by default. Set between commands of which none waits for its reply.
  void set_connections(std::size_t count) { connections_ = std::vector<PipelinedReplies>(count); }
  std::size_t connections() const { return connections_.size(); }

  // A clean stop; the process ends, the kernel goes on; the power fails.
  void stop();
  void kill();
  void crash(Survival survival);

  SimDisk& disk() { return *disk_; }
  Store& store() { return *store_; }
  const ManualClock& clock() const { return clock_; }
  const std::vector<std::string>& failures() const { return failures_; }

  // Issues the command as the next of the connection's pipeline, and compares what will be replied with the model's
  // reply. Returns early when the machine has stopped.
  void issue(const Command& command, std::size_t connection = 0);

  // Replies that may leave, leave: what they acknowledge must survive.
  void collect();

  // What a crash may leave now: under appendfsync always nothing that a reply told of may be missing; otherwise,
  // `durable_only`, nothing that a completed sync has covered.
  Window window(bool durable_only = false);

  // Compares what is served for `keys` with the states. The one that it is becomes the only one of window(); otherwise
  // what differs from the first and from the last. kAllowed: a key that can't be read agrees with anything.
  enum class Errors : std::uint8_t { kWrong, kAllowed };
  std::optional<std::string> adopt(const Window& states, const std::vector<std::string>& keys,
                                   Errors errors = Errors::kWrong);

  // Begins a backup when none is being made; those that have ended are in backups().
  void back_up();
  const Backups& backups() const { return backups_; }

  std::uint64_t commands() const { return commands_; }

 private:
  struct Passed {
    std::shared_ptr<const State> state;
    Offset log_end;  // all that it needs is below
  };

  bool stopped() const { return disk_->crashed() || !failures_.empty(); }
  void begin(std::shared_ptr<const State> state);
  std::uint64_t last() const { return first_ + passed_.size() - 1; }
  Offset log_end() const;
  std::uint64_t told_of(const Command& command, const State& before, const State& after);
  State served(const std::vector<std::string>& keys);

  std::vector<PipelinedReplies> connections_ = std::vector<PipelinedReplies>(1);
  std::deque<Passed> passed_;  // after each command; the front has the number first_
  std::uint64_t first_ = 0;
  std::uint64_t acknowledged_ = 0;                // the number of the newest state that a reply has told of
  std::uint64_t durable_ = 0;                     // and of the newest one that a sync has covered
  std::map<std::string, std::uint64_t> changed_;  // by which command a key was last written
  std::uint64_t commands_ = 0;
  std::unique_ptr<RunningBackup> backup_;
  Backups backups_;
};

// Starts on the newest backup that is there, in a copy of the disk. What is wrong with it, or with one that is not
// there though it had ended.
std::optional<std::string> bad_backup(const SimDisk& disk, const Backups& backups, const ManualClock& clock,
                                      const StoreOptions& options, const std::vector<std::string>& keys);

}  // namespace minod
