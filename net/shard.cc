#include "net/shard.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <utility>

#include "base/diag.h"
#include "base/time_slice.h"
#include "net/conductor.h"
#include "net/connection.h"
#include "net/cpu_list.h"
#include "net/node_replication.h"
#include "net/remote_run.h"
#include "replay/recovery.h"

namespace minod {

namespace {

namespace asio = boost::asio;

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr std::size_t kPolledMax = 4;
constexpr Nanos kCrowdedFor{5'000'000};
// While expiry is behind (then it takes about a third of the thread, no slice above 2 ms), and while a checkpoint is
// written, a slice of which follows each turn: a shard without clients has few turns.
constexpr int kWakesPerTick = 20;
constexpr Nanos kSyncInterval{1'000'000'000};
constexpr Nanos kStopPatience{5'000'000'000};
// Appended and not yet written: above this nobody's commands are executed, so that memory stays bounded when the disk
// is slower than the clients.
constexpr std::uint64_t kPendingBytesMax = std::uint64_t{64} << 20;
constexpr std::uint64_t kPendingShare = 8;  // of maxmemory
constexpr unsigned kAioDepth = 256;
constexpr std::size_t kSocketsAtOnce = 8;
// A device that finishes many reads together, as a virtual one does, would go idle while all of them are answered: what
// is asked for next must reach it between.
constexpr std::size_t kReadsAtOnce = 8;
constexpr std::size_t kSocketsATurn = 128;
constexpr Nanos kSocketsTime{4'000'000};  // what they write must leave, and the disk and the timers want their turn
// A shard that never sleeps looks this seldom for what else its io_context has: a timer, mostly.
constexpr unsigned kTurnsBetweenPolls = 16;

// The kernel completes a durable write in a worker thread on the processor that submitted it: this one. A worker may
// interrupt a thread only when its own time slice is shorter, or it waits until this thread sleeps; under load that
// doubled the time of a commit (median 350 us, 215 us with this).
constexpr Nanos kTimeSlice{10'000'000};

}  // namespace

Shard::Shard(Node& node, int number, int producers)
    : node_(node), number_(number), io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE), timer_(io_.get_executor()) {
  for (int i = 0; i < producers; ++i) mailboxes_.push_back(std::make_unique<Mailbox>());
  posted_to_.resize(static_cast<std::size_t>(producers) - 1);
}

Shard::~Shard() {
  connections_.clear();
  replication_.reset();
  store_.reset();
}

Result<void> Shard::open(const StoreOptions& options, WriteWay way) {
  AioDisk::Options disk_options;
  disk_options.depth = kAioDepth;
  disk_options.direct = way != WriteWay::kBuffered;
  disk_options.durable_by = way == WriteWay::kFdsync ? DurableBy::kFdsync : DurableBy::kDsync;
  disk_options.reads_at_once = kReadsAtOnce;
  report_.direct_io = disk_options.direct;
  auto disk = AioDisk::open(disk_options);
  if (!disk) return disk.error();
  disk_ = std::move(*disk);
  store_ = std::make_unique<Store>(*disk_, node_.clock(), node_.random(number_), options);
  store_->on_released = [this](Log& log) { gate_.released(log); };
  store_->on_failed = [this](const Error& error) { node_.stop_because(error); };
  return {};
}

Result<void> Shard::replicate(NodeReplication& node) {
  replication_ = std::make_unique<ShardReplication>(*this, node);
  return replication_->open();
}

// ---- the loop

void Shard::run() {
  const std::string name = "shard-" + std::to_string(number_);
  pthread_setname_np(pthread_self(), name.c_str());
  set_time_slice(kTimeSlice);
  if (const auto cpus = node_.config().cpu_affinity; !cpus.empty()) {
    const auto pinned = pin_this_thread(cpus[static_cast<std::size_t>(number_) % cpus.size()]);
    if (!pinned) diag::warning(name + " is not pinned to a processor: " + pinned.error().message());
  }
  doorbell_descriptor_ = std::make_unique<Descriptor>(io_.get_executor(), dup(doorbell_.fd()));
  disk_ready_.descriptor = std::make_unique<Descriptor>(io_.get_executor(), dup(disk_->event_fd()));
  sockets_ready_.descriptor = std::make_unique<Descriptor>(io_.get_executor(), dup(sockets_.fd()));
  arm_doorbell();
  // A shard that looks for its disk must not keep the processor from one that has work.
  const bool enough_processors = static_cast<unsigned>(node_.shard_count()) <= std::thread::hardware_concurrency();
  disk_poll_us_ = enough_processors ? node_.config().disk_poll_us : 0;
  scheduler_ = std::make_unique<SchedulerClock>();
  node_.apply_config(*this);
  store_->start();
  if (replication_) replication_->start();
  arm_tick();
  // Others' clients may wait for what only shard 0 runs, so it ends last.
  const auto is_needed = [this] { return number_ == 0 && !node_.conductor().alone(); };
  while (!stopping_ || !connections_.empty() || !store_->idle() || is_needed()) {
    if (stopping_ && node_.clock().monotonic() > stop_deadline_) {
      diag::warning(std::to_string(connections_.size()) +
                    " clients did not take their replies in time; they are closed");
      break;
    }
    const MonotonicNanos begin = node_.clock().monotonic();
    const bool busy = turn();
    longest_turn_ = std::max(longest_turn_, node_.clock().monotonic() - begin);
    if (!disk_answers_soon(busy) && !busy) sleep();
  }
  node_.conductor().leave(number_);
  finish();
}

// Waking a processor that halted takes 20 us and more on a virtual machine, a fifth of a commit. So while the disk is
// at work, and a moment longer, since whoever got its reply is about to ask again, a shard that has nothing to do looks
// again instead of sleeping. Reads that are answered from memory never make it poll. Nor does a disk with much to do:
// then the next completion is near in any case, and what polling costs the other processors is their clients' time
// (50 clients that read from the disk: 15 % more without). Nor in the first moments after it had: a device that
// finishes many reads together leaves few in flight while their clients, who need the processor, make the next.
bool Shard::disk_answers_soon(bool was_busy) {
  if (disk_poll_us_ == 0) return false;
  const bool at_work = disk_->in_flight() != 0;
  const bool crowded = disk_->in_flight() > kPolledMax;
  if (!at_work && !disk_was_at_work_ && !crowded) return false;
  const MonotonicNanos now = node_.clock().monotonic();
  if (crowded) crowded_at_ = now;
  if (now - crowded_at_ < kCrowdedFor) return disk_was_at_work_ = false;
  if (was_busy && at_work) busy_at_ = now;
  disk_was_at_work_ = (now - busy_at_).value() < std::int64_t{disk_poll_us_} * 1000;
  return disk_was_at_work_ && !poll_pause_.paused(now, [this] { return scheduler_->read(); });
}

bool Shard::turn() {
  const MonotonicNanos begin = node_.clock().monotonic();
  std::size_t done = drain_mailboxes();
  // A few sockets at a time, so that completions are seen between. What they write leaves when all are served, in one
  // group: a group costs the processors about 70 us, most of it outside this thread.
  for (std::size_t all = 0; all < kSocketsATurn;) {
    const std::size_t served = sockets_.serve(kSocketsAtOnce);
    arrivals_.serve(*store_);
    done += served + disk_->poll() + store_->poll();
    all += served;
    if (served < kSocketsAtOnce || node_.clock().monotonic() - begin > kSocketsTime) break;
  }
  if (number_ == 0) done += node_.conductor().turn();
  ring_doorbells();
  if (replication_) done += replication_->poll() ? 1 : 0;
  if (!unleased_.empty()) look_at_lease();
  store_->end_turn();
  if (replication_) replication_->flush();
  if (++turns_ % kTurnsBetweenPolls == 0) done += io_.poll_one();
  flush_overflow();
  ring_doorbells();
  // What is not written can't leave memory, so under a small maxmemory it is bounded by a part of that.
  overloaded_ =
      store_->pending_bytes() > std::min(kPendingBytesMax, store_->options().memory_bytes_max / kPendingShare);
  if (!overloaded_ && !(relieved_.empty() && relieved_runs_.empty())) {
    for (RemoteRun* const waiting : std::exchange(relieved_runs_, {})) waiting->resume();
    for (const std::uint64_t id : std::exchange(relieved_, {})) {
      if (Connection* const waiting = connection(id)) waiting->resume();
    }
    ++done;
  }
  bury();
  return done != 0;
}

void Shard::sleep() {
  doorbell_.going_to_sleep();
  bool mail = store_->joints_moved();
  for (const auto& mailbox : mailboxes_) mail = mail || !mailbox->empty();
  arm(disk_ready_);
  arm(sockets_ready_);
  if (!mail) io_.run_one();
  doorbell_.awake();
}

// A read of the eventfd, rather than a wait for it, costs no system call to be armed again.
void Shard::arm_doorbell() {
  doorbell_descriptor_->async_read_some(asio::buffer(&doorbell_count_, sizeof doorbell_count_),
                                        [this](const boost::system::error_code& error, std::size_t) {
                                          if (!error) arm_doorbell();
                                        });
}

// turn() asks the disk and the set of sockets itself: these only wake the loop, so they are armed when it is about to
// sleep. Arming looks whether something is ready already.
void Shard::arm(Waking& waking) {
  if (std::exchange(waking.armed, true)) return;
  waking.descriptor->async_wait(Descriptor::wait_read,
                                [&waking](const boost::system::error_code&) { waking.armed = false; });
}

std::size_t Shard::drain_mailboxes() {
  std::size_t drained = 0;
  Mail message;
  for (const auto& mailbox : mailboxes_) {
    for (std::size_t i = 0; i < Mailbox::kSlots && mailbox->pop(message); ++i) {
      message();
      ++drained;
    }
  }
  message = nullptr;
  return drained;
}

void Shard::post(int producer, Mail message) {
  Mailbox& mailbox = *mailboxes_[static_cast<std::size_t>(producer)];
  std::deque<Mail>& overflow = node_.overflow(producer, number_);
  if (!overflow.empty() || !mailbox.push(message)) overflow.push_back(std::move(message));
  if (producer == node_.shard_count()) {
    doorbell_.ring();  // the main thread has no turns
  } else {
    node_.shard(producer).posted_to_[static_cast<std::size_t>(number_)] = true;
  }
}

// A shard that sleeps is woken once for all that was posted to it since the last time.
void Shard::ring_doorbells() {
  for (std::size_t i = 0; i < posted_to_.size(); ++i) {
    if (std::exchange(posted_to_[i], 0) != 0) node_.shard(static_cast<int>(i)).ring();
  }
}

// This shard's own messages that did not fit.
void Shard::flush_overflow() { node_.flush_overflow(number_); }

bool Shard::push_from(int producer, Mail& message) {
  const bool pushed = mailboxes_[static_cast<std::size_t>(producer)]->push(message);
  if (pushed) doorbell_.ring();
  return pushed;
}

// ---- connections

void Shard::adopt_socket(int fd, bool is_unix, std::string peer) {
  if (stopping_) {
    ::close(fd);
    client_count_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  const std::uint64_t id = node_.next_client_id();
  ++report_.connections;
  auto made = std::make_unique<Connection>(*this, id, fd, is_unix, std::move(peer));
  Connection& connection = *made;
  connections_.emplace(id, std::move(made));
  connection.start();
}

Connection* Shard::connection(std::uint64_t id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

// Closed connections go when no operation refers to them any more.
void Shard::bury() {
  for (std::size_t i = 0; i < graves_.size();) {
    const auto found = connections_.find(graves_[i]);
    if (found != connections_.end()) {
      connections_.erase(found);
      client_count_.fetch_sub(1, std::memory_order_relaxed);
    }
    graves_[i] = graves_.back();
    graves_.pop_back();
  }
}

bool Shard::lease_is_missing() const {
  const NodeReplication* const replication = node_.replication();
  return replication->leads() && !replication->has_lease();
}

void Shard::look_at_lease() {
  if (waits_for_lease()) return;
  for (const std::uint64_t id : std::exchange(unleased_, {})) {
    if (Connection* const waiting = connection(id)) waiting->leased();
  }
}

// ---- time

void Shard::arm_tick() {
  const auto wakes_often = [this] { return store_->expiry_behind() || store_->checkpointer().busy(); };
  timer_.expires_after(wakes_often() ? kTick / kWakesPerTick : kTick);
  timer_.async_wait([this, wakes_often](const boost::system::error_code& error) {
    if (error) return;
    if (wakes_often() && ++wakes_ < kWakesPerTick) {
      if (store_->expiry_behind()) store_->expire();
    } else {
      wakes_ = 0;
      tick();
    }
    arm_tick();
  });
}

void Shard::tick() {
  const MonotonicNanos now = node_.clock().monotonic();
  store_->tick();
  if (replication_) {
    replication_->tick();
    if (number_ == 0) node_.replication()->tick(*this);
  }
  if (now >= next_sync_) {
    next_sync_ = now + kSyncInterval;
    if (store_->options().sync == SyncPolicy::kEverySec) store_->sync_logs();
    if (store_->options().sync == SyncPolicy::kNo) store_->sync_joints();
    const int timeout = node_.config().timeout;
    std::uint64_t bytes = 0;
    for (const auto& [id, connection] : connections_) {
      bytes += connection->memory_bytes();
      const std::int64_t idle_seconds = (now - connection->active_at()).value() / 1'000'000'000;
      if (timeout > 0 && connection->idle() && idle_seconds >= timeout) connection->close();
    }
    report_.client_bytes = bytes;
    store_->set_client_bytes(bytes);
  }
  commands_rate_.sample(now, report_.commands);
  report_.commands_per_second = commands_rate_.per_second();
  fresh_report();
}

void Shard::back_up(const std::string& path, StoreBackup::Done done) {
  backup_ = std::make_unique<StoreBackup>(*disk_, *store_, path, std::move(done));
  backup_->start();
}

// ---- the end

void Shard::stop_serving() {
  if (std::exchange(stopping_, true)) return;
  store_->stop_jobs();
  stop_deadline_ = node_.clock().monotonic() + kStopPatience;
  for (const auto& [id, connection] : connections_) connection->close_after_reply();
}

void Shard::finish() {
  timer_.cancel();
  backup_.reset();
  boost::system::error_code ignored;
  doorbell_descriptor_->close(ignored);
  disk_ready_.descriptor->close(ignored);
  sockets_ready_.descriptor->close(ignored);
  for (const auto& [id, connection] : connections_) connection->close();
  io_.poll();
  // What was cached under everysec and no becomes durable before the end is noted.
  store_->sync_logs();
  if (replication_) replication_->stop();
  while (disk_->in_flight() != 0 || !store_->idle() || (replication_ && !replication_->idle())) {
    if (disk_->poll() == 0) usleep(200);
    store_->sync_joints();
    store_->poll();
    if (replication_) replication_->poll();
    store_->end_turn();
    ring_doorbells();
  }
  ring_doorbells();
  store_->checkpoint_now();
  store_->for_each_partition([&](Partition& partition) {
    const Log& log = partition.log();
    if (log.failure() != nullptr) return;
    const std::string directory = store_->options().directory + "/" + partition.name();
    const auto noted = note_clean_end(*disk_, directory, log.marks().committed());
    if (!noted) diag::warning("the clean end of " + directory + " was not noted: " + noted.error().message());
  });
  connections_.clear();
}

}  // namespace minod
