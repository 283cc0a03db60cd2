// A Disk in memory that forgets like a real one, all its chance drawn from one seed. Asynchronous operations complete
// in poll(), after some polls, in any order. What was not synced may be lost, sector by sector, by crash().
//
//   SimDisk disk({.seed = seed});
//   disk.crash_at_operation(n);
//   run the program until it ends or disk.crashed(); destroy it
//   disk.crash();
//   start the program again on the same disk, and look at what it finds
//
// It aborts (check()) when its caller breaks a rule that a real disk would punish only sometimes: an unaligned
// transfer, a buffer that changes under a write in flight, two writes in flight that share a block of 4 KiB, a file
// closed with operations in flight.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "log/disk.h"
#include "tests/sim/sim_inode.h"
#include "tests/sim/sim_names.h"

namespace minod {

struct SimDiskOptions {
  std::uint64_t seed = 1;
  unsigned delay_max = 4;  // an operation completes in one of this many polls after its start; 1: in the next
  std::uint64_t capacity = std::uint64_t{1} << 40;
  bool tear_sectors = false;  // a power loss may leave a mix of two versions inside one sector
  // What a failed sync should have made durable counts as written all the same, as on Linux; false: a kernel that keeps
  // it dirty, so that the next sync has it, too.
  bool failed_sync_drops = true;
  // One transfer in so many stalls: it completes in one of kStallMax polls, while others that came later are done; 0:
  // none does.
  std::uint64_t stall_one_in = 0;
  static constexpr std::uint64_t kStallMax = 150;
};

// What fail() counts. The blocking forms count with the others: write_now() is a kWrite.
enum class SimOperation : std::uint8_t {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kTruncate,
  kPrepare,
  kMakeDirectory,
  kRename,
  kLink,
  kRemove,
  kSyncDirectory,
};

class SimDisk final : public Disk {
 public:
  using Options = SimDiskOptions;

  explicit SimDisk(Options options);
  ~SimDisk() override;

  // Power loss. Every File is dead afterwards (its calls give kStopped, its callbacks never come), the disk itself can
  // be used again. Faults and crash points that were set are forgotten.
  void crash(Survival survival = Survival::kSome);

  // The process ends, the kernel goes on: completed writes survive, each write in flight as a whole or not at all. What
  // was not synced can still be lost by a crash() that follows.
  void kill();

  // Mutating operations so far: completed writes and syncs, blocking ones, changes of names.
  std::uint64_t operations() const { return operations_; }

  // Power fails when operations() reaches `n`: that operation may have happened or not, its caller gets kStopped or no
  // callback, and so does everybody after it. Nothing is in flight then. crash() says what is left.
  void crash_at_operation(std::uint64_t n) { crash_at_ = n; }
  bool crashed() const { return crashed_; }

  // The `k`th operation of this kind from now (1: the next) fails with errno `sys`. A failed write leaves any of its
  // sectors changed; a failed sync loses any of what it should have made durable, though reads still see it.
  void fail(SimOperation kind, std::uint64_t k, int sys);

  // Called at each mutating operation, when a power loss would find it begun and not done: the moment to ask for
  // after_power_loss(). It must not use the disk otherwise.
  std::function<void()> on_operation;

  // The disk as a power loss at this moment leaves it, with the seed and the rules of `options`. This one goes on.
  std::unique_ptr<SimDisk> after_power_loss(Survival survival, Options options) const;

  void set_capacity(std::uint64_t capacity) { options_.capacity = capacity; }

  // Of names and contents, durable and not; the same for the same seed and the same calls.
  std::uint64_t state_hash() const { return names_.hash(0); }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<void> make_directory(const std::string& path) override;
  // A directory only when nothing below it waits to be synced, and to a name that is not there.
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  // Each job is one step of a later poll(), its `done` comes in another one; both in the order given.
  void run_aside(std::function<void()> job, std::function<void()> done) override;

  void submit() override {}
  std::size_t poll() override;
  std::size_t in_flight() const override { return transfers_.size() + jobs_.size() + finished_jobs_.size(); }

 private:
  class OpenFile;

  // What an OpenFile shares with its transfers.
  struct Handle {
    std::shared_ptr<SimInode> inode;
    std::string path;
    bool writable = false;
    std::uint64_t life = 0;  // the lives_ of the disk when it was opened
    std::size_t in_flight = 0;
  };

  struct Transfer {
    SimOperation kind = SimOperation::kRead;
    std::shared_ptr<Handle> handle;
    std::int64_t position = 0;
    Bytes bytes;           // the caller's, of a write
    MutableBytes into;     // the caller's, of a read
    bool durable = false;  // of a write
    std::uint64_t sync_up_to = 0;
    std::uint64_t hash = 0;       // of `bytes` at the start
    std::vector<std::byte> copy;  // of `bytes`, once the process is gone
    int fault = 0;                // errno, or 0
    IoCallback done;
    std::uint64_t due = 0;  // the poll that completes it
  };

  struct Job {
    std::function<void()> call;
    std::function<void()> done;
    std::uint64_t due = 0;
  };

  Result<void> admit(SimOperation kind, const std::string& path);
  Result<void> admit(SimOperation kind, const Handle& handle);
  Result<void> alive(const Handle& handle) const;
  Result<void> mutated(const std::string& path);
  int fault_of(SimOperation kind);
  bool reach_operation();
  std::uint64_t draw_due() { return polls_ + 1 + random_.below(options_.delay_max); }
  bool fits(const SimInode& inode, std::int64_t end) const;
  void start(Transfer transfer);
  void check_no_overlap(const Transfer& write) const;
  void step(std::uint64_t number);
  void complete(std::uint64_t number);
  Result<std::size_t> perform(Transfer& transfer);
  Result<std::size_t> perform_write(const Transfer& transfer);
  void stop_process();
  void restart();

  Options options_;
  Random random_;
  SimNames names_;
  std::map<std::uint64_t, Transfer> transfers_;  // by number, in the order of their start
  std::vector<Transfer> interrupted_;            // what was in flight when the process stopped
  std::deque<Job> jobs_;
  std::deque<Job> finished_jobs_;
  std::map<std::pair<SimOperation, std::uint64_t>, int> faults_;  // errno, by kind and the count at which it happens
  std::map<SimOperation, std::uint64_t> counts_;
  std::uint64_t next_number_;
  std::uint64_t polls_ = 0;
  std::uint64_t lives_ = 1;
  std::uint64_t operations_ = 0;
  std::uint64_t crash_at_ = 0;  // 0: never
  std::size_t delivered_ = 0;   // in this poll
  bool crashed_ = false;
  bool polling_ = false;
};

}  // namespace minod
