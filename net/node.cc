#include "net/node.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <limits>
#include <thread>

#include "base/check.h"
#include "base/size_text.h"
#include "log/aio_disk.h"
#include "net/conductor.h"
#include "net/cpu_list.h"
#include "net/listener.h"
#include "net/node_replication.h"
#include "net/restart_progress.h"
#include "net/shard.h"
#include "replay/joint_cut.h"
#include "replay/segment_list.h"

namespace minod {

namespace {

std::uint64_t limit_of(const Config& config) {
  if (config.maxmemory != 0) return config.maxmemory;
  struct sysinfo info {};
  check(sysinfo(&info) == 0, "sysinfo answers");
  return std::uint64_t{info.totalram} * info.mem_unit / 2;
}

StoreOptions store_options(const Config& config, const DirectoryFacts& facts) {
  StoreOptions options;
  options.directory = config.dir;
  options.partitions = facts.partitions;
  options.memory_bytes_max = limit_of(config) / static_cast<std::uint64_t>(config.shards);
  options.value_size_max = config.proto_max_bulk_len;
  options.segment_bytes = segment_bytes(config, facts.partitions);
  options.disk = disk_budget(config);
  options.space.ready = config.ready_segments;
  // Within a budget no more is held ready than must be.
  options.space.recycled =
      config.maxdisk == 0 ? config.recycle_segments : std::min<std::size_t>(config.recycle_segments, 1);
  options.sync = config.appendfsync;
  options.compress = config.compress;
  options.checkpoint_bytes = config.checkpoint_bytes;
  options.directory_id = facts.id;
  options.compaction = compaction_options(config);
  options.hash_seed[0] = facts.hash_seed[0];
  options.hash_seed[1] = facts.hash_seed[1];
  return options;
}

// Every client is a descriptor; Redis raises the limit in the same way.
void raise_file_limit(std::size_t clients) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = clients + 256;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    diag::warning("the limit of open files is " + std::to_string(limit.rlim_cur) + ", too low for maxclients " +
                  std::to_string(clients) + "; raise it with ulimit -n");
  }
}

// A member that took writes without its group would have a history of its own.
Result<void> refuse_lone_member(Disk& disk, const std::string& directory) {
  const auto contents = PeerBook::read(disk, directory);
  if (!contents) return contents.error();
  if (contents->group == kNobody) return {};
  return Error{Errc::kInvalid, 0,
               "the data in " + directory +
                   " is that of a replication group: start with --peer-port or --replicaof. To " +
                   "use it without the group, for ever, remove " + directory + "/peers"};
}

}  // namespace

Node::Node(Config config, Random& random)
    : config_(std::move(config)), random_(random), started_at_(clock_.now()), backup_(*this, started_at_) {
  char id[41];
  std::snprintf(id, sizeof id, "%016" PRIx64 "%016" PRIx64 "%08x", random.next(), random.next(),
                static_cast<unsigned>(random.next()));
  run_id_ = id;
  for (int i = 0; i < config_.shards; ++i) shard_random_.emplace_back(random_.next());
}

Node::~Node() = default;

Result<void> Node::run() {
  auto directory = DataDirectory::open(config_.dir, config_.partitions, random_);
  if (!directory) return directory.error();
  directory_ = std::move(*directory);
  const int partitions = directory_->facts().partitions;
  if (partitions != config_.partitions && config_.partitions != 1) {
    return Error{Errc::kInvalid, 0,
                 "the data directory " + config_.dir + " was made with " + std::to_string(partitions) +
                     " partitions, which is fixed; start with --partitions " + std::to_string(partitions) +
                     " or another --dir"};
  }
  config_.partitions = partitions;
  raise_file_limit(config_.maxclients);
  boost::asio::io_context io(1);
  // Before the restart, so that a port in use is known at once and not after minutes.
  if (auto listening = listen(io); !listening) return listening.error();
  if (auto chosen = choose_write_way(); !chosen) return chosen.error();
  if (auto opened = open_shards(); !opened) return opened.error();
  if (auto recovered = recover_shards(); !recovered) {
    for (const auto& shard : shards_) shard->store().abandon();
    return recovered.error();
  }
  if (auto joined = join_group(); !joined) {
    for (const auto& shard : shards_) shard->store().abandon();
    return joined.error();
  }
  serve(io);
  listeners_.clear();
  if (failure_) return *failure_;
  diag::notice("stopped; everything acknowledged is on disk");
  return {};
}

Result<void> Node::choose_write_way() {
  const auto probe = probe_writes(config_.dir, clock_);
  if (!probe) return probe.error();
  write_probe_ = *probe;
  write_way_ = best_way(write_probe_);
  if (config_.write_mode == WriteChoice::kDsync) write_way_ = WriteWay::kDsync;
  if (config_.write_mode == WriteChoice::kFdsync) write_way_ = WriteWay::kFdsync;
  if (config_.write_mode == WriteChoice::kBuffered) write_way_ = WriteWay::kBuffered;
  if (write_way_ != WriteWay::kBuffered && !write_probe_.direct) {
    return Error{Errc::kUnsupported, 0,
                 std::string("--write-mode ") + name_of(write_way_) + " needs O_DIRECT, which the file system of " +
                     config_.dir + " does not have; use auto or buffered, or another --dir"};
  }
  const bool fixed = config_.write_mode != WriteChoice::kAuto;
  diag::notice(std::string("durable writes: ") + name_of(write_way_) + (fixed ? " by --write-mode" : "") +
               "; a 4 KiB overwrite in " + config_.dir + " takes: " + text_of(write_probe_));
  if (!write_probe_.direct) {
    diag::warning("the file system of " + config_.dir +
                  " does not support O_DIRECT; buffered writes with fdatasync are used, which are slower");
  }
  return {};
}

Result<void> Node::open_shards() {
  const int shards = config_.shards;
  StoreOptions options = store_options(config_, directory_->facts());
  options.joints = std::make_shared<JointOrder>();
  if (shards > 1) {
    options.joints->on_passed = [this] {
      for (const auto& shard : shards_) shard->ring();
    };
  }
  if (auto there = check_cpus(config_.cpu_affinity); !there) return there;
  conductor_ = std::make_unique<Conductor>(*this, shards);
  overflow_.resize(static_cast<std::size_t>(shards) + 1);
  for (auto& row : overflow_) row.resize(static_cast<std::size_t>(shards));
  reports_.resize(static_cast<std::size_t>(shards));
  for (int i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(*this, i, shards + 1));
    if (auto opened = shards_.back()->open(options, write_way_); !opened) return opened.error();
  }
  if (!config_.replicates()) return refuse_lone_member(shards_[0]->disk(), config_.dir);
  auto replication = NodeReplication::open(*this, shards_[0]->disk());
  if (!replication) return replication.error();
  replication_ = std::move(*replication);
  return {};
}

// Each partition's log is read by its shard's disk, one after the other on this thread.
Result<void> Node::recover_shards() {
  const MonotonicNanos begin = clock_.monotonic();
  Disk& disk = shards_[0]->disk();
  if (auto removed = remove_partial_backups(disk, config_.dir); !removed) {
    diag::warning("what a backup left that did not end can't be removed: " + removed.error().message());
  }
  const auto found = list_partitions(disk, config_.dir);
  if (!found) return found.error();
  std::int64_t total = 0;
  for (const PartitionDirectory& partition : *found) {
    const auto bytes = log_bytes(disk, config_.dir + "/" + partition.name);
    if (!bytes) return bytes.error();
    total += *bytes;
  }
  RestartProgress progress(clock_, total);
  RecoveryOptions options;
  options.force_truncate = config_.force_truncate;
  options.directory_id = directory_->facts().id;
  options.threads = std::max(std::thread::hardware_concurrency(), 1u);
  options.progress = [&](const RecoveryReport& report) { progress.show(report); };
  std::vector<std::unique_ptr<Partition>> partitions;
  std::vector<LogToRecover> logs;
  for (const PartitionDirectory& partition : *found) {
    Shard& owner = shard(owner_of(static_cast<std::uint16_t>(partition.number)));
    partitions.push_back(owner.store().new_partition(partition.db, partition.number));
    const std::string directory = config_.dir + "/" + partition.name;
    logs.push_back({&owner.disk(), directory, partitions.back().get()});
    if (!replication_) continue;
    auto followed = followed_log(disk, directory, replication_->self(), !replication_->beginning().leads);
    if (!followed) return followed.error();
    logs.back().followed = *followed;
  }
  auto starts = recover_together(logs, shards_[0]->store().hasher(), options, recovery_);
  if (!starts) return starts.error();
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    Store& store = shard(owner_of(static_cast<std::uint16_t>(partitions[i]->number()))).store();
    if (auto adopted = store.adopt(std::move(partitions[i]), std::move((*starts)[i])); !adopted) return adopted.error();
  }
  recovery_seconds_ = static_cast<double>((clock_.monotonic() - begin).value()) / 1e9;
  for (const TailCut& cut : recovery_.cuts) {
    diag::warning(cut.file + ": cut at position " + std::to_string(cut.position.value()) + ", offset " +
                  std::to_string(cut.first_lost.value()) + ": " + cut.reason +
                  (cut.forced ? "; records from there on are lost, as --force-truncate accepts"
                              : "; the last write did not finish, nothing acknowledged is lost"));
  }
  for (const std::string& ignored : recovery_.ignored) {
    diag::warning(ignored + "; it is ignored, the log is read instead");
  }
  // The first database is there from the start: its first write needs no waiting.
  for (int p = 0; p < config_.partitions; ++p) {
    if (auto made = shard(owner_of(static_cast<std::uint16_t>(p))).store().make_database_now(0, p); !made)
      return made.error();
  }
  return {};
}

Result<void> Node::join_group() {
  for (int i = 0; replication_ && i < std::min(config_.shards, config_.partitions); ++i) {
    if (auto joined = shard(i).replicate(*replication_); !joined) return joined;
  }
  return {};
}

Result<void> Node::listen(boost::asio::io_context& io) {
  if (config_.peer_port != 0) {
    auto listener = Listener::peers(io, *this, config_.peer_bind, config_.peer_port);
    if (!listener) return listener.error();
    listeners_.push_back(std::move(*listener));
  }
  if (config_.port != 0) {
    for (const std::string& address : config_.bind) {
      auto listener = Listener::tcp(io, *this, address, config_.port);
      if (!listener) return listener.error();
      listeners_.push_back(std::move(*listener));
    }
  }
  if (!config_.unixsocket.empty()) {
    auto listener = Listener::unix_socket(io, *this, config_.unixsocket, config_.unixsocketperm);
    if (!listener) return listener.error();
    listeners_.push_back(std::move(*listener));
  }
  return {};
}

void Node::announce() const {
  char restart[240];
  std::snprintf(restart, sizeof restart,
                "restart: %" PRId64 " records (%" PRId64 " from checkpoints, %" PRId64
                " from hints), %s read in %.2f s",
                recovery_.records, recovery_.checkpoint_records, recovery_.hint_records,
                size_text(static_cast<std::uint64_t>(recovery_.bytes)).c_str(), recovery_seconds_);
  diag::notice(restart);
  const std::string where =
      config_.port != 0 ? config_.bind.front() + ":" + std::to_string(config_.port) : config_.unixsocket;
  diag::notice("minod " MINOD_VERSION " is ready to accept connections on " + where + ", data in " + config_.dir);
  const std::string how = config_.port != 0 ? " -p " + std::to_string(config_.port) : " -s " + config_.unixsocket;
  diag::notice("try: redis-cli" + how + " set greeting hello");
}

void Node::serve(boost::asio::io_context& io) {
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    diag::notice(number == SIGINT ? "SIGINT: stopping" : "SIGTERM: stopping");
    stop();
  });
  // Work that comes from shards: stop(), and messages of this thread that found a mailbox full.
  boost::asio::steady_timer pulse(io);
  std::function<void()> beat = [&] {
    pulse.expires_after(std::chrono::milliseconds(20));
    pulse.async_wait([&](const boost::system::error_code&) {
      flush_overflow(shard_count());
      if (stopping_.load()) {
        io.stop();
      } else {
        beat();
      }
    });
  };
  beat();
  std::vector<std::thread> threads;
  for (const auto& shard : shards_) threads.emplace_back([&shard] { shard->run(); });
  for (const auto& listener : listeners_) listener->start();
  announce();
  io.run();
  for (const auto& listener : listeners_) listener->stop();
  for (const auto& shard : shards_) shard->post(shard_count(), [&shard] { shard->stop_serving(); });
  for (std::thread& thread : threads) thread.join();
}

void Node::stop() { stopping_.store(true); }

void Node::stop_because(const Error& error) {
  diag::warning("writing to the log has failed; nothing is acknowledged any more and minod stops: " + error.message());
  const std::lock_guard guard(lock_);
  if (!failure_) failure_ = error;
  stop();
}

Config Node::config() const {
  const std::lock_guard guard(lock_);
  return config_;
}

Result<void> Node::change_config(const std::function<Result<void>(Config&)>& change) {
  const std::lock_guard guard(lock_);
  Config changed = config_;
  if (auto made = change(changed); !made) return made;
  if (auto fits = check_config(changed); !fits) return fits;
  config_ = std::move(changed);
  diag::set_level(config_.loglevel);
  return {};
}

void Node::apply_config(Shard& shard) const {
  const Config now = config();
  Store& store = shard.store();
  if (store.options().sync != now.appendfsync) store.set_sync_policy(now.appendfsync);
  store.set_memory_limit(limit_of(now) / static_cast<std::uint64_t>(now.shards));
  store.set_value_size_max(now.proto_max_bulk_len);
  std::vector<std::size_t> hints;
  for (const auto& [db, size] : now.value_size_hint) hints.push_back(size);
  store.set_value_size_hints(hints);
  store.evictor().set_budget(disk_budget(now));
  store.compactor().set_options(compaction_options(now));
  constexpr Nanos kNever{std::numeric_limits<std::int64_t>::max()};
  shard.set_slow_after(now.slowlog_log_slower_than < 0 ? kNever : Nanos(now.slowlog_log_slower_than * 1000));
}

void Node::publish(int shard, ShardReport report) {
  const std::lock_guard guard(lock_);
  reports_[static_cast<std::size_t>(shard)] = std::move(report);
}

std::vector<ShardReport> Node::reports() const {
  const std::lock_guard guard(lock_);
  return reports_;
}

std::uint64_t Node::memory_limit() const { return limit_of(config()); }

std::size_t Node::client_count() const {
  std::size_t count = 0;
  for (const auto& shard : shards_) count += shard->client_count();
  return count;
}

bool Node::flush_overflow(int producer) {
  auto& row = overflow_[static_cast<std::size_t>(producer)];
  for (std::size_t consumer = 0; consumer < row.size(); ++consumer) {
    while (!row[consumer].empty() && shards_[consumer]->push_from(producer, row[consumer].front())) {
      row[consumer].pop_front();
    }
  }
  return std::ranges::any_of(row, [](const auto& messages) { return !messages.empty(); });
}

void Node::ask_all(int from, std::function<std::string(Shard&)> question,
                   std::function<void(std::vector<std::string>)> done) {
  struct Answers {
    std::vector<std::string> texts;
    std::size_t missing = 0;
    std::function<void(std::vector<std::string>)> done;
  };
  auto answers = std::make_shared<Answers>();
  answers->texts.resize(shards_.size());
  answers->missing = shards_.size();
  answers->done = std::move(done);
  for (int i = 0; i < shard_count(); ++i) {
    shard(i).post(from, [this, i, from, question, answers] {
      // The answers belong to the asking shard; only the text travels.
      shard(from).post(i, [i, answers, text = question(shard(i))]() mutable {
        answers->texts[static_cast<std::size_t>(i)] = std::move(text);
        if (--answers->missing == 0) answers->done(std::move(answers->texts));
      });
    });
  }
}

}  // namespace minod
