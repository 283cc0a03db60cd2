#include "log/aio_queue.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "base/buffer.h"
#include "base/check.h"
#include "log/aio_ring.h"
#include "log/blocking_io.h"

namespace minod {

namespace {

constexpr unsigned kStallsMax = 8;
constexpr std::uint64_t kSlowSubmitNs = 1'000'000;

const char* verb_of(const iocb& control) {
  switch (control.aio_lio_opcode) {
    case IO_CMD_PREAD:
      return "read ";
    case IO_CMD_PWRITE:
      return "write ";
    default:
      return "sync ";
  }
}

std::string description_of(const iocb& control, const std::string& path) {
  std::string text = verb_of(control) + path;
  if (control.aio_lio_opcode == IO_CMD_FDSYNC) return text;
  return text + ", " + std::to_string(control.u.c.nbytes) + " bytes at " + std::to_string(control.u.c.offset);
}

std::int64_t perform(const iocb& control, bool direct) {
  const int fd = control.aio_fildes;
  auto* bytes = static_cast<std::byte*>(control.u.c.buf);
  switch (control.aio_lio_opcode) {
    case IO_CMD_PREAD: {
      const MutableBytes into(bytes, control.u.c.nbytes);
      return direct ? read_direct(fd, control.u.c.offset, into) : read_fully(fd, control.u.c.offset, into);
    }
    case IO_CMD_PWRITE: {
      const std::int64_t written = write_fully(fd, control.u.c.offset, {bytes, control.u.c.nbytes});
      if (written < 0 || (control.aio_rw_flags & RWF_DSYNC) == 0) return written;
      return ::fdatasync(fd) == 0 ? written : -errno;
    }
    default:
      return ::fdatasync(fd) == 0 ? 0 : -errno;
  }
}

}  // namespace

void AioCounters::add(const AioCounters& other) {
  submits += other.submits;
  operations += other.operations;
  buffered += other.buffered;
  short_transfers += other.short_transfers;
  retries += other.retries;
  refused += other.refused;
  failed += other.failed;
  submit_ns += other.submit_ns;
  longest_submit_ns = std::max(longest_submit_ns, other.longest_submit_ns);
  slow_submits += other.slow_submits;
  nowait_fallbacks += other.nowait_fallbacks;
  in_kernel_max = std::max(in_kernel_max, other.in_kernel_max);
  slots_max = std::max(slots_max, other.slots_max);
}

Result<std::unique_ptr<AioQueue>> AioQueue::open(unsigned depth, const AioCalls& calls, std::size_t reads_at_once) {
  Fd event_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!event_fd) return errno_error("create an eventfd", errno);
  io_context_t kernel = nullptr;
  // libaio's calls return -errno and leave errno alone.
  const int refused = calls.setup(static_cast<int>(depth), &kernel);
  if (refused == -EAGAIN) {
    return errno_error("io_setup of " + std::to_string(depth) +
                           " events: more than fs.aio-max-nr leaves (compare fs.aio-nr); raise it with "
                           "`sysctl -w fs.aio-max-nr=1048576`",
                       EAGAIN);
  }
  if (refused != 0) return errno_error("io_setup of " + std::to_string(depth) + " events", -refused);
  return std::unique_ptr<AioQueue>(new AioQueue(std::move(event_fd), kernel, depth, calls, reads_at_once));
}

AioQueue::AioQueue(Fd event_fd, io_context_t kernel, unsigned depth, const AioCalls& calls, std::size_t reads_at_once)
    : calls_(calls), depth_(depth), reads_at_once_(reads_at_once), event_fd_(std::move(event_fd)), kernel_(kernel) {
  batch_.reserve(depth);
  finished_.reserve(depth);
  for (unsigned i = 0; i < depth; ++i) {
    Operation& slot = slots_.emplace_back();
    slot.next = free_;
    free_ = &slot;
  }
}

AioQueue::~AioQueue() {
  jobs_.reset();
  buffered_.reset();
  // The kernel may be writing into memory that the owner is about to free.
  while (in_kernel_ != 0) reap_by_system_call(1, nullptr);
  for (Operation& slot : slots_) {
    if (slot.target != nullptr) slot.target->in_flight = 0;
  }
  calls_.destroy(kernel_);
}

AioQueue::Operation& AioQueue::take_slot() {
  if (free_ == nullptr) return slots_.emplace_back();
  Operation& slot = *free_;
  free_ = slot.next;
  return slot;
}

void AioQueue::put_waiting(Operation& operation) {
  operation.next = nullptr;
  *waiting_end_ = &operation;
  waiting_end_ = &operation.next;
}

void AioQueue::start(AioTarget& target, const iocb& request, IoCallback done, bool then_sync) {
  Operation& operation = take_slot();
  operation.control = request;
  operation.control.data = &operation;
  operation.target = &target;
  operation.done = std::move(done);
  operation.transferred = 0;
  operation.stalls = 0;
  operation.then_sync = then_sync;
  operation.syncing = false;
  ++target.in_flight;
  ++started_;
  ++counters_.operations;
  counters_.slots_max = std::max(counters_.slots_max, started_);
  if (!target.direct) {
    ++counters_.buffered;
    return start_aside(operation);
  }
  io_set_eventfd(&operation.control, event_fd_.get());
  put_waiting(operation);
}

void AioQueue::start_aside(Operation& operation) {
  if (!buffered_) buffered_.emplace(event_fd_.get());
  buffered_->run([&operation] { operation.result = perform(operation.control, operation.target->direct); },
                 [this, &operation] {
                   if (operation.result >= 0) operation.result += static_cast<std::int64_t>(operation.transferred);
                   deliver(operation);
                 });
}

// A read that could not be started without waiting, or that the file system takes only without RWF_NOWAIT, goes on in
// another way; false: it is neither.
bool AioQueue::falls_back(Operation& operation) {
  iocb& control = operation.control;
  const bool refused = operation.result == -EOPNOTSUPP;
  if ((control.aio_rw_flags & RWF_NOWAIT) == 0 || (operation.result != -EAGAIN && !refused)) return false;
  control.aio_rw_flags &= ~static_cast<decltype(control.aio_rw_flags)>(RWF_NOWAIT);
  if (refused) {
    operation.target->knows_nowait = false;
    put_waiting(operation);
  } else {
    ++counters_.nowait_fallbacks;
    start_aside(operation);
  }
  return true;
}

void AioQueue::run_aside(std::function<void()> job, std::function<void()> done) {
  if (!jobs_) jobs_.emplace(event_fd_.get(), SideThread::Work::kBackground);
  jobs_->run(std::move(job), std::move(done));
}

std::size_t AioQueue::in_flight() const { return started_ + (jobs_ ? jobs_->in_flight() : 0); }

std::size_t AioQueue::gather_batch() {
  batch_.clear();
  for (Operation* at = waiting_; at != nullptr && in_kernel_ + batch_.size() < depth_; at = at->next) {
    batch_.push_back(&at->control);
  }
  return batch_.size();
}

void AioQueue::note_submit(std::uint64_t took_ns) {
  ++counters_.submits;
  counters_.submit_ns += took_ns;
  counters_.longest_submit_ns = std::max(counters_.longest_submit_ns, took_ns);
  if (took_ns > kSlowSubmitNs) ++counters_.slow_submits;
}

void AioQueue::submit() {
  while (const std::size_t count = gather_batch()) {
    const MonotonicNanos before = clock_.monotonic();
    const int taken = calls_.submit(kernel_, static_cast<long>(count), batch_.data());
    const auto took = static_cast<std::uint64_t>((clock_.monotonic() - before).value());
    note_submit(took);
    if (taken == 0 || taken == -EAGAIN || taken == -EINTR) {
      ++counters_.retries;
      // Without a completion to come, nothing else would make the owner poll, and so try again.
      if (in_kernel_ == 0) wake();
      return;
    }
    if (taken < 0) {
      refuse_first(-taken);
      continue;
    }
    for (int i = 0; i < taken; ++i) waiting_ = waiting_->next;
    if (waiting_ == nullptr) waiting_end_ = &waiting_;
    in_kernel_ += static_cast<std::size_t>(taken);
    counters_.in_kernel_max = std::max(counters_.in_kernel_max, in_kernel_);
  }
}

// io_submit's errors are about the first request of the batch. The callback must come from poll(), not from here.
void AioQueue::refuse_first(int error) {
  Operation& operation = *waiting_;
  waiting_ = operation.next;
  if (waiting_ == nullptr) waiting_end_ = &waiting_;
  operation.result = -error;
  finished_.push_back(&operation);
  ++counters_.refused;
  wake();
}

void AioQueue::wake() {
  ++signals_owed_;
  eventfd_write(event_fd_.get(), 1);
}

// The kernel adds to the eventfd after the completion is in the ring. A completion may thus be reaped before its signal
// is there; reading until all signals of what was reaped have come keeps a late one from waking the owner for ever.
void AioQueue::drain_event_fd() {
  eventfd_t signals = 0;
  if (calls_.read_signals(event_fd_.get(), &signals) == 0) signals_owed_ -= static_cast<std::int64_t>(signals);
}

void AioQueue::reap() {
  if (ring_of(kernel_, calls_) != nullptr) return reap_ring();
  timespec now{};
  reap_by_system_call(0, &now);
}

void AioQueue::reap_ring() {
  AioRing* ring = ring_of(kernel_, calls_);
  const unsigned tail = std::atomic_ref(ring->tail).load(std::memory_order_acquire);
  const auto* events = reinterpret_cast<io_event*>(reinterpret_cast<std::byte*>(ring) + ring->header_size);
  unsigned head = ring->head;
  while (head != tail) {
    take(events[head]);
    head = head + 1 == ring->nr ? 0 : head + 1;
  }
  std::atomic_ref(ring->head).store(head, std::memory_order_release);
}

void AioQueue::reap_by_system_call(long least, timespec* timeout) {
  io_event events[64];
  int count = 0;
  do {
    count = calls_.get_events(kernel_, least, 64, events, timeout);
    for (int i = 0; i < count; ++i) take(events[i]);
  } while (count == 64 && least == 0);
}

void AioQueue::take(const io_event& event) {
  auto* operation = static_cast<Operation*>(event.data);
  operation->result = static_cast<std::int64_t>(event.res);
  if (operation->control.aio_lio_opcode == IO_CMD_PREAD) {
    finished_reads_.push_back(operation);
  } else {
    finished_.push_back(operation);
  }
  --in_kernel_;
  ++signals_owed_;
}

std::size_t AioQueue::poll() {
  check(!polling_, "a callback does not poll the disk it is called by");
  polling_ = true;
  submit();
  const bool side_finished = (jobs_ && jobs_->any_finished()) || (buffered_ && buffered_->any_finished());
  if (signals_owed_ != 0 || side_finished || (in_kernel_ != 0 && ring_has_events(kernel_, calls_))) drain_event_fd();
  if (in_kernel_ != 0) reap();
  std::size_t side_count = 0;
  if (jobs_) side_count += jobs_->take_finished(finished_jobs_);
  if (buffered_) side_count += buffered_->take_finished(finished_jobs_);
  signals_owed_ += static_cast<std::int64_t>(side_count);

  const std::size_t delivered = deliver_finished() + deliver_reads();
  for (auto& done : finished_jobs_) done();
  finished_jobs_.clear();
  polling_ = false;
  submit();
  return delivered + side_count;
}

// Callbacks may start and submit operations; a refused one is then appended and delivered here too.
std::size_t AioQueue::deliver_finished() {
  std::size_t delivered = 0;
  for (std::size_t i = 0; i < finished_.size(); ++i) {
    if (needs_more(*finished_[i])) continue;
    deliver(*finished_[i]);
    ++delivered;
  }
  finished_.clear();
  return delivered;
}

// Counts one that goes on, too: the owner must not sleep while others are left.
std::size_t AioQueue::deliver_reads() {
  std::size_t taken = 0;
  for (; taken < reads_at_once_ && !finished_reads_.empty(); ++taken) {
    Operation& operation = *finished_reads_.front();
    finished_reads_.pop_front();
    if (!needs_more(operation)) deliver(operation);
  }
  return taken;
}

// An operation that came short goes back in the queue, for the remainder; false when it is done or has failed.
bool AioQueue::needs_more(Operation& operation) {
  if (falls_back(operation)) return true;
  iocb& control = operation.control;
  if (operation.syncing && operation.result >= 0) operation.result = static_cast<std::int64_t>(operation.transferred);
  if (operation.result < 0 || control.aio_lio_opcode == IO_CMD_FDSYNC) return false;
  const auto moved = static_cast<std::size_t>(operation.result);
  const bool writing = control.aio_lio_opcode == IO_CMD_PWRITE;
  // A read that stops inside a block, or that gets nothing, has met the end of the file.
  const bool ended = !writing && (moved == 0 || moved % kIoAlignment != 0);
  if (moved == control.u.c.nbytes || ended) {
    operation.result += static_cast<std::int64_t>(operation.transferred);
    if (!operation.then_sync) return false;
    begin_sync(operation);
    return true;
  }
  const std::size_t kept = align_down(moved);
  operation.stalls = kept == 0 ? operation.stalls + 1 : 0;
  if (operation.stalls > kStallsMax) {
    operation.result = -EIO;
    return false;
  }
  operation.transferred += kept;
  control.u.c.buf = static_cast<std::byte*>(control.u.c.buf) + kept;
  control.u.c.nbytes -= kept;
  control.u.c.offset += static_cast<long long>(kept);
  ++counters_.short_transfers;
  put_waiting(operation);
  return true;
}

// The write is complete; its slot goes on as the sync that belongs to it.
void AioQueue::begin_sync(Operation& operation) {
  operation.transferred = static_cast<std::size_t>(operation.result);
  operation.then_sync = false;
  operation.syncing = true;
  operation.stalls = 0;
  io_prep_fdsync(&operation.control, operation.control.aio_fildes);
  operation.control.data = &operation;
  io_set_eventfd(&operation.control, event_fd_.get());
  put_waiting(operation);
}

void AioQueue::deliver(Operation& operation) {
  // The slot is free before the callback runs: the callback may start another operation, or close the file.
  IoCallback done = std::move(operation.done);
  Result<std::size_t> result = 0;
  if (operation.result < 0) {
    ++counters_.failed;
    result =
        errno_error(description_of(operation.control, operation.target->path), static_cast<int>(-operation.result));
  } else {
    result = static_cast<std::size_t>(operation.result);
  }
  --operation.target->in_flight;
  --started_;
  operation.done = nullptr;
  operation.target = nullptr;
  operation.next = free_;
  free_ = &operation;
  done(std::move(result));
}

}  // namespace minod
