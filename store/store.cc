#include "store/store.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "store/call.h"

namespace minod {

namespace {

constexpr std::size_t kCacheBytesMin = std::size_t{1} << 20;

}  // namespace

Store::Store(Disk& disk, const Clock& clock, Random& random, StoreOptions options)
    : disk_(disk),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      hasher_(options_.hash_seed[0], options_.hash_seed[1]),
      cache_(kCacheBytesMin),
      cold_(cache_),
      hints_(disk, hasher_),
      checkpointer_(disk, clock, hasher_, options_.directory, options_.directory_id, options_.checkpoint_bytes),
      compactor_(disk_, clock_, hasher_, options_.directory, options_.segment_bytes, options_.compress),
      evictor_(*this, disk_),
      partitions_(static_cast<std::size_t>(kDatabases * options_.partitions)) {
  evictor_.set_budget(options_.disk);
  if (!options_.joints) options_.joints = std::make_shared<JointOrder>();
  compactor_.set_options(options_.compaction);
  compactor_.on_failed = [this](const Error& error) { on_failed(error); };
  compactor_.on_rewritten = [this](const Partition& partition, Offset base, Offset end) {
    checkpointer_.rewritten(partition, base, end);
  };
  compactor_.may_swap = [this](const Partition& partition, const CompactionPlan& plan) {
    return hints_.give_up(options_.directory + "/" + partition.name(), plan.base, plan.end);
  };
}

Store::~Store() { check(jobs_ == 0, "a store is closed when nothing is in flight"); }

// ---- running commands

bool keys_too_large(const CommandSpec& spec, std::span<const std::string_view> args, Reply& reply) {
  if (std::ranges::none_of(args, [](std::string_view arg) { return arg.size() > kKeySizeMax; })) return false;
  const auto keys = key_positions(spec, args);
  if (!keys) return false;
  for (const std::size_t key : *keys) {
    const std::size_t size = args[key].size();
    if (size <= kKeySizeMax) continue;
    reply.error("ERR key is " + std::to_string(size) + " bytes, more than the limit of " + std::to_string(kKeySizeMax) +
                " (key size limit)");
    return true;
  }
  return false;
}

Store::Outcome Store::run(const CommandSpec& spec, Request& request, Reply& reply, ByteQueue& out) {
  if (keys_too_large(spec, request.args, reply)) return Outcome::kDone;
  const std::size_t before = out.size();
  request.missing_.clear();
  Call call(*this, request, reply, request.now ? *request.now : clock_.now());
  spec.run(call);
  call.finish();
  if (!call.parked()) return Outcome::kDone;
  check(!call.wrote_, "a command reads everything before it writes");
  out.truncate(before);
  if (call.failed_) {
    reply.error(call.failure_);
    return Outcome::kDone;
  }
  request.dependencies.clear();
  ++counters_.parked;
  park(request);
  return Outcome::kParked;
}

void Store::park(Request& request) {
  if (!request.parked_) request.parked_ = std::make_shared<Request::Parked>(Request::Parked{&request});
  if (!request.missing_.empty()) {
    std::weak_ptr<Request::Parked> parked = request.parked_;
    request.ticket_ = cold_.fetch(request.missing_, [this, parked](std::vector<FetchedRecord> records) {
      const auto alive = parked.lock();
      if (!alive) return;
      auto& fetched = alive->request->fetched_;
      fetched.insert(fetched.end(), std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
      // A transaction may have read a record's key first and then all of it: the whole record comes first.
      std::ranges::sort(fetched, {},
                        [](const FetchedRecord& record) { return std::tuple(record.id, record.key_only); });
      ready_.push_back(parked);
    });
    return;  // what several requests of a turn want to read leaves in one system call
  }
  waiting_.push_back(request.parked_);
}

void Store::wake(Request& request) {
  request.waits_for_room_ = nullptr;
  request.waits_for_database_ = false;
  ready_.push_back(request.parked_);
}

void Store::wake_room_waiters(const Log& log) {
  for (const auto& parked : waiting_) {
    const auto alive = parked.lock();
    if (alive && alive->request->waits_for_room_ == &log) wake(*alive->request);
  }
}

bool Store::joints_moved() const {
  const JointOrder& joints = *options_.joints;
  return joints.passed(JointOrder::Level::kWritten) != joints_seen_[0] ||
         joints.passed(JointOrder::Level::kDurable) != joints_seen_[1];
}

void Store::let_joints_go() {
  const JointOrder& joints = *options_.joints;
  joints_seen_[0] = joints.passed(JointOrder::Level::kWritten);
  joints_seen_[1] = joints.passed(JointOrder::Level::kDurable);
  for_each_partition([](Partition& partition) { partition.log().look_at_joints(); });
}

std::size_t Store::poll() {
  std::size_t resumed = 0;
  if (joints_moved()) let_joints_go();
  std::erase_if(waiting_, [](const auto& parked) {
    const auto alive = parked.lock();
    return !alive || (alive->request->waits_for_room_ == nullptr && !alive->request->waits_for_database_);
  });
  for (std::size_t left = ready_.size(); left != 0; --left) {
    const auto parked = ready_.front().lock();
    ready_.pop_front();
    if (!parked) continue;
    ++resumed;
    parked->request->resume();
  }
  return resumed;
}

Offset Store::prefetch_place(const Partition& partition, KeyHash hash) const {
  if (!partition.has_log()) return kNoOffset;
  const auto entry = partition.index().find(hash);
  if (!entry) return kNoOffset;
  const Tail& tail = partition.log().tail();
  if (tail.holds(entry->offset)) {
    tail.prefetch_place(entry->offset);
    return entry->offset;
  }
  cache_.prefetch(RecordId{partition.id(), entry->offset});
  return kNoOffset;
}

void Store::prefetch_record(const Partition& partition, Offset offset) const {
  if (offset != kNoOffset) partition.log().tail().prefetch_record(offset);
}

std::optional<CachedRecord> Store::resident(Partition& partition, Offset offset, const Request& request) {
  Tail& tail = partition.log().tail();
  if (tail.holds(offset)) {
    const RecordView record = tail.find(offset);
    return CachedRecord{record.key, record.value, record.expires_at};
  }
  const RecordId id{partition.id(), offset};
  if (auto cached = cache_.find(id)) return cached;
  const FetchedRecord* const fetched = request.fetched(id);
  if (fetched == nullptr || fetched->failure != Errc::kEnd || fetched->key_only) return std::nullopt;
  return CachedRecord{fetched->key, fetched->value, fetched->expires_at};
}

// ---- between commands

void Store::dispatch() {
  for_each_partition([](Partition& partition) { partition.log().dispatch(); });
}

void Store::end_turn() {
  evictor_.pump();
  dispatch();
  disk_.submit();
  checkpointer_.turn();
  trim_memory();
}

Store::Memory Store::memory() {
  Memory memory;
  for_each_partition([&](Partition& partition) {
    memory.index += partition.index_bytes();
    memory.tail += partition.log().memory_bytes();
  });
  memory.cache = cache_.memory_bytes();
  memory.clients = client_bytes_;
  memory.reads = cold_.memory_bytes();
  return memory;
}

// Values get what index, clients and reads leave: the tail up to half of it, the cache the rest. What was read while it
// was in the tail goes on in the cache.
void Store::trim_memory() {
  std::uint64_t index = client_bytes_;
  std::uint64_t tail = 0;
  for_each_partition([&](Partition& partition) {
    index += partition.index_bytes();
    tail += partition.log().memory_bytes();
  });
  const std::uint64_t limit = options_.memory_bytes_max;
  index_over_limit_ = index + kCacheBytesMin > limit;
  const std::uint64_t others = index + cold_.memory_bytes();
  const std::uint64_t values = limit > others + kCacheBytesMin ? limit - others : kCacheBytesMin;
  if (tail > values / 2) {
    for_each_partition([&](Partition& partition) {
      Log& log = partition.log();
      const auto keep = [&](const RecordView& record) {
        const auto entry = partition.index().find(hasher_(record.key));
        if (!entry || entry->offset != record.offset) return;
        cache_.insert(RecordId{partition.id(), record.offset},
                      CachedRecord{record.key, record.value, record.expires_at});
      };
      while (tail > values / 2) {
        const std::size_t before = log.tail().memory_bytes();
        if (!log.tail().drop_oldest(log.marks().written(), keep)) break;
        tail -= before - log.tail().memory_bytes();
      }
    });
  }
  const std::uint64_t cache = std::max<std::uint64_t>(values > tail ? values - tail : 0, kCacheBytesMin);
  if (cache != cache_.budget()) cache_.set_budget(cache);
}

void Store::drop_values() {
  for_each_partition([&](Partition& partition) {
    partition.log().drop_tail();
    cache_.erase_log(partition.id());
  });
}

std::size_t Store::pending_bytes() {
  std::size_t bytes = 0;
  for_each_partition([&](Partition& partition) { bytes += partition.log().pending_bytes(); });
  return bytes;
}

void Store::set_sync_policy(SyncPolicy policy) {
  options_.sync = policy;
  for_each_partition([&](Partition& partition) { partition.log().set_sync_policy(policy); });
}

void Store::sync_logs() {
  for_each_partition([](Partition& partition) { partition.log().sync(); });
}

void Store::sync_joints() {
  for_each_partition([](Partition& partition) {
    if (partition.log().keeps_back()) partition.log().sync();
  });
}

void Store::tick() {
  checkpointer_.tick();
  if (options_.joints->crowded()) sync_joints();
  write_due_hints();
  expire();
  for_each_partition([this](Partition& partition) { checkpointer_.consider(partition); });
  compactor_.tick(partitions_);
  // A full disk may have space again: let those that wait ask.
  for (const auto& parked : waiting_) {
    const auto alive = parked.lock();
    if (alive && alive->request->waits_for_room_ != nullptr) wake(*alive->request);
  }
}

bool Store::idle() const {
  if (jobs_ != 0 || cold_.reads_in_flight() != 0 || !hints_.idle() || !checkpointer_.idle()) return false;
  if (compactor_.job_running() || !evictor_.idle()) return false;
  return std::ranges::all_of(partitions_, [](const auto& partition) {
    return !partition || !partition->has_log() || partition->log().idle();
  });
}

}  // namespace minod
