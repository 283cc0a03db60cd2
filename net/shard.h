// One core's share of the node: one thread with its event loop, disk context, partitions and connections. Everything
// here belongs to that thread except post() and the counters that say so.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "log/aio_disk.h"
#include "net/arrivals.h"
#include "net/commit_gate.h"
#include "net/mailbox.h"
#include "net/node.h"
#include "net/poll_pause.h"
#include "net/rate.h"
#include "net/shard_replication.h"
#include "net/socket_poller.h"
#include "replay/backup.h"
#include "store/store.h"

namespace minod {

class Connection;
class RemoteRun;

class Shard {
 public:
  // `producers`: how many threads may post() to it, each with its own mailbox.
  Shard(Node& node, int number, int producers);
  ~Shard();

  // Start-up, from the main thread before run(). Blocking.
  Result<void> open(const StoreOptions& options, WriteWay way);
  Disk& disk() { return *disk_; }
  Store& store() { return *store_; }
  // After recovery: this shard's logs are of a group.
  Result<void> replicate(NodeReplication& node);
  ShardReplication* replication() { return replication_.get(); }  // null: not replicated, or no log is this shard's

  // The thread's body: serves until stop_serving() and everything is on disk; notes the clean end of its logs.
  void run();

  // From the producer with this number (a shard's own, or the main thread's, which is the last): `message` runs on this
  // shard's thread. Never blocks; what does not fit the mailbox waits in the producer's overflow.
  void post(int producer, Mail message);

  // Any thread: whatever it should look at besides its mailboxes has changed.
  void ring() { doorbell_.ring(); }

  // Wakes those that were posted to since; at points of a turn, so that a stretch of work wakes each once.
  void ring_doorbells();

  // As post(), for a message that waits in the producer's overflow; false: still no room.
  bool push_from(int producer, Mail& message);

  // Runs on this shard, posted by the main thread.
  void adopt_socket(int fd, bool is_unix, std::string peer);
  void stop_serving();

  // ---- for connections, on this thread

  Node& node() { return node_; }
  int number() const { return number_; }
  CommitGate& gate() { return gate_; }
  boost::asio::io_context& io() { return io_; }
  SocketPoller& sockets() { return sockets_; }
  Arrivals& arrivals() { return arrivals_; }
  ShardReport& report() { return report_; }
  ShardReport fresh_report();  // and publishes it
  void reset_statistics();     // CONFIG RESETSTAT: what the report counts begins at zero again
  // Too much is appended and not yet written: connections stop executing until they are resumed.
  bool overloaded() const { return overloaded_; }
  // A command that executes for longer belongs in the node's slow log.
  Nanos slow_after() const { return slow_after_; }
  void set_slow_after(Nanos nanos) { slow_after_ = nanos; }
  void resume_when_relieved(std::uint64_t connection) { relieved_.push_back(connection); }
  void resume_when_relieved(RemoteRun& run) { relieved_runs_.push_back(&run); }
  // What was read may be old by now: another node may lead. Connections send no reply until they are resumed.
  bool waits_for_lease() const { return node_.replication() != nullptr && lease_is_missing(); }
  void resume_when_leased(std::uint64_t connection) { unleased_.push_back(connection); }
  void closed(std::uint64_t connection) { graves_.push_back(connection); }
  Connection* connection(std::uint64_t id);
  const std::unordered_map<std::uint64_t, std::unique_ptr<Connection>>& connections() const { return connections_; }

  // Copies this shard's logs to below `path`; `done` runs on this thread, unless the shard ends before.
  void back_up(const std::string& path, StoreBackup::Done done);

  // Any thread.
  std::size_t client_count() const { return client_count_.load(std::memory_order_relaxed); }
  void client_promised() { client_count_.fetch_add(1, std::memory_order_relaxed); }

 private:
  using Executor = boost::asio::io_context::executor_type;
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;

  struct Waking {
    std::unique_ptr<Descriptor> descriptor;
    bool armed = false;
  };

  bool turn();  // true when it did something
  bool disk_answers_soon(bool was_busy);
  void sleep();
  std::size_t drain_mailboxes();
  void flush_overflow();
  void bury();
  void look_at_lease();
  bool lease_is_missing() const;
  void tick();
  void arm_tick();
  void arm_doorbell();
  void arm(Waking& waking);
  void finish();

  Node& node_;
  int number_;
  boost::asio::io_context io_;
  std::unique_ptr<AioDisk> disk_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreBackup> backup_;
  std::unique_ptr<ShardReplication> replication_;
  CommitGate gate_;
  SocketPoller sockets_;
  Arrivals arrivals_;
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;  // by producer
  Doorbell doorbell_;
  std::vector<char> posted_to_;  // by shard: it has a message from here and was not woken since
  std::unique_ptr<Descriptor> doorbell_descriptor_;
  Waking disk_ready_;
  Waking sockets_ready_;
  std::uint64_t doorbell_count_ = 0;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                    Executor>
      timer_;
  int wakes_ = 0;  // of the timer since the last tick
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> graves_;
  std::vector<std::uint64_t> relieved_;
  std::vector<RemoteRun*> relieved_runs_;
  std::vector<std::uint64_t> unleased_;
  std::atomic<std::size_t> client_count_{0};
  ShardReport report_;
  std::uint64_t cold_reads_before_ = 0;  // those that CONFIG RESETSTAT took out of the count
  Rate commands_rate_;
  MonotonicNanos next_sync_;
  Nanos slow_after_{0};
  int disk_poll_us_ = 0;
  std::unique_ptr<SchedulerClock> scheduler_;  // of the shard's thread
  PollPause poll_pause_;
  MonotonicNanos busy_at_;  // when a turn last did something while the disk was at work
  bool disk_was_at_work_ = false;
  MonotonicNanos crowded_at_;  // when the disk last had much to do
  unsigned turns_ = 0;
  Nanos longest_turn_{0};
  bool overloaded_ = false;
  bool stopping_ = false;
  MonotonicNanos stop_deadline_;
};

}  // namespace minod
