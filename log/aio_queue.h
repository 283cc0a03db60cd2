// The queue between AioDisk and the kernel: operation slots, one io_context_t, one eventfd. Knows no paths and no
// directories. Belongs to the disk's thread, but for the two jobs of the buffered mode, which run on a side thread.
#pragma once

#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "log/aio_calls.h"
#include "log/disk.h"
#include "log/side_thread.h"

namespace minod {

// What AioDisk counted since it was opened.
struct AioCounters {
  std::uint64_t submits = 0;          // io_submit calls
  std::uint64_t operations = 0;       // writes, reads and syncs asked for
  std::uint64_t buffered = 0;         // of these, run on the side thread for want of O_DIRECT
  std::uint64_t short_transfers = 0;  // the kernel moved less than asked; the rest was resubmitted
  std::uint64_t retries = 0;          // io_submit took nothing: EAGAIN, EINTR or 0
  std::uint64_t refused = 0;          // io_submit refused one operation, which then failed
  std::uint64_t failed = 0;           // operations that ended in an Error
  std::uint64_t submit_ns = 0;        // time inside io_submit: it blocks when a write must change metadata
  std::uint64_t longest_submit_ns = 0;
  std::uint64_t slow_submits = 0;      // that took more than a millisecond
  std::uint64_t nowait_fallbacks = 0;  // reads that io_submit would have waited for: the side thread did that
  std::size_t in_kernel_max = 0;
  std::size_t slots_max = 0;  // operations at once, those waiting for the kernel included

  void add(const AioCounters& other);  // another disk's
};

// How a durable write is made durable.
enum class DurableBy : std::uint8_t {
  kDsync,   // by the write itself: RWF_DSYNC
  kFdsync,  // by a sync of the file that follows it
};

// What an operation needs to know of its file; outlives the operation.
struct AioTarget {
  Fd fd;
  std::string path;
  bool direct = true;
  bool knows_nowait = true;  // until the file system refuses RWF_NOWAIT
  std::size_t in_flight = 0;
};

class AioQueue {
 public:
  static constexpr std::size_t kAllReads = std::numeric_limits<std::size_t>::max();

  // `reads_at_once`: how many finished reads one poll() delivers at most; the others are the next one's.
  static Result<std::unique_ptr<AioQueue>> open(unsigned depth, const AioCalls& calls = {},
                                                std::size_t reads_at_once = kAllReads);
  ~AioQueue();  // waits for what the kernel has, forgets the rest; calls nobody

  // `request` as io_prep_* made it; it is copied. `then_sync`: a sync of the file follows a write that has succeeded,
  // and belongs to it.
  void start(AioTarget& target, const iocb& request, IoCallback done, bool then_sync = false);
  void run_aside(std::function<void()> job, std::function<void()> done);
  void submit();
  std::size_t poll();

  int event_fd() const { return event_fd_.get(); }
  std::size_t in_flight() const;
  const AioCounters& counters() const { return counters_; }

 private:
  // The control block must stay where it is while the kernel has it, so slots are never moved.
  struct Operation {
    iocb control{};
    AioTarget* target = nullptr;
    IoCallback done;
    Operation* next = nullptr;    // in the free list or the waiting list
    std::size_t transferred = 0;  // by earlier submissions that came short
    unsigned stalls = 0;          // submissions in a row that moved nothing
    std::int64_t result = 0;      // as the kernel says it: bytes, or -errno
    bool then_sync = false;       // a sync is still to come
    bool syncing = false;         // it is on its way; `transferred` is the result
  };

  AioQueue(Fd event_fd, io_context_t kernel, unsigned depth, const AioCalls& calls, std::size_t reads_at_once);

  Operation& take_slot();
  void put_waiting(Operation& operation);
  void start_aside(Operation& operation);
  bool falls_back(Operation& operation);
  std::size_t gather_batch();
  void refuse_first(int error);
  void wake();
  void drain_event_fd();
  void reap();
  void reap_ring();
  void reap_by_system_call(long least, timespec* timeout);
  void take(const io_event& event);
  std::size_t deliver_finished();
  std::size_t deliver_reads();
  void note_submit(std::uint64_t took_ns);
  bool needs_more(Operation& operation);
  void begin_sync(Operation& operation);
  void deliver(Operation& operation);

  const AioCalls calls_;
  const unsigned depth_;
  const std::size_t reads_at_once_;
  Fd event_fd_;
  io_context_t kernel_;
  SystemClock clock_;
  AioCounters counters_;

  std::deque<Operation> slots_;  // `depth` of them, more only when more were asked for at once than ever before
  Operation* free_ = nullptr;
  Operation* waiting_ = nullptr;
  Operation** waiting_end_ = &waiting_;
  std::vector<iocb*> batch_;
  std::vector<Operation*> finished_;
  std::deque<Operation*> finished_reads_;
  std::vector<std::function<void()>> finished_jobs_;
  std::size_t started_ = 0;  // operations not delivered
  std::size_t in_kernel_ = 0;
  std::int64_t signals_owed_ = 0;  // additions to the eventfd that belong to what was taken, less what was read from it
  bool polling_ = false;

  std::optional<SideThread> jobs_;
  std::optional<SideThread> buffered_;  // apart from jobs_, so that a long job does not hold up a durable write
};

}  // namespace minod
