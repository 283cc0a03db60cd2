#include "store/value_cache.h"

#include <algorithm>
#include <utility>

#include "store/cache_entry.h"
#include "store/ref_table.h"
#include "store/value_pool.h"

namespace minod {

namespace {

constexpr std::uint32_t kNone = ValuePool::kNone;

// What 32-bit block numbers can tell apart; addresses only.
constexpr std::size_t kReservation = std::size_t{64} << 30;

constexpr std::size_t kRecordShare = 8;  // a record is at most this part of the budget
constexpr std::size_t kSmallShare = 10;  // the small queue has this part of the cached bytes
constexpr unsigned kReadsMax = 3;
constexpr unsigned kReadsToStay = 1;  // in the small queue, to move on to the main queue

// The bound of one insert's work. It lets go or moves at most kStepsMin + size / kBytesForStep records to find memory,
// and as many again to have kSpareShare of the budget (one slab at most) spare for the next; before each record it lets
// go, it queues at most kRequeuesMax again. An insert that has used up its steps does not take its record.
constexpr std::size_t kStepsMin = 32;
constexpr std::size_t kBytesForStep = 64;
constexpr int kRequeuesMax = 16;
constexpr std::size_t kSpareShare = 32;

// While no class has a slab to spare, memory is short and records are let go; else it is there, but in other slabs, and
// records are moved. Also when this part of the limit lies scattered over many classes: then the sparsest slab's go.
constexpr std::size_t kScatteredShare = 16;

// Released blocks of a closed slab that are passed over in one step.
constexpr int kDeadBlocksForStep = 16;

// Growth of the table in between is paid from this.
constexpr std::size_t kTableMargin = std::size_t{64} << 10;

std::uint64_t hash_of(std::uint64_t log, std::int64_t offset) {
  std::uint64_t hash = static_cast<std::uint64_t>(offset) ^ (log << 48);
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93ULL;  // Pelle Evensen's rrmxmx family, 2018
  hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93ULL;
  return hash ^ (hash >> 32);
}

std::uint64_t hash_of(const CacheEntry& entry) { return hash_of(entry.log, entry.offset); }

std::size_t record_size(const CachedRecord& record) {
  const bool expires = record.expires_at != kNeverExpires;
  const std::size_t bytes = record.key.size() + record.value.size();
  return entry_head_size(expires) + bytes + (lies_outside(record) ? sizeof(OutsideView) + kEntryOverheadMax : 0);
}

struct Queue {
  std::uint32_t newest = kNone;
  std::uint32_t oldest = kNone;
  std::size_t bytes = 0;
};

}  // namespace

struct ValueCache::State {
  std::size_t budget = 0;
  RefTable table;
  ValuePool pool{kReservation};
  Queue small;
  Queue main;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evictions = 0;

  CacheEntry& at(std::uint32_t ref) const { return *reinterpret_cast<CacheEntry*>(pool.at(ref)); }
  std::uint64_t hash_of(std::uint32_t ref) const { return minod::hash_of(at(ref)); }
  void prefetch(std::uint32_t ref) const { __builtin_prefetch(&at(ref)); }
  Queue& queue_of(const CacheEntry& entry) { return entry.in_main ? main : small; }

  std::uint32_t find(std::uint64_t hash, RecordId id) const {
    return table.find(hash, [&](std::uint32_t ref) {
      const CacheEntry& entry = at(ref);
      return entry.offset == id.offset.value() && entry.log == id.log;
    });
  }

  std::size_t memory_bytes() const { return pool.memory_bytes() + table.memory_bytes(); }
  std::size_t spare() const { return std::min(pool.limit() / kSpareShare, ValuePool::kSlabSize); }
  bool short_of_spare() const { return pool.held_bytes() + spare() > pool.limit(); }
  bool scattered() const {
    return pool.has_slab_to_spare() || pool.scattered_bytes() > spare() + pool.limit() / kScatteredShare;
  }

  void apply_limit();
  void enqueue(CacheEntry& entry, bool to_main);
  void unlink(CacheEntry& entry);
  void free_entry(CacheEntry& entry);
  void drop(CacheEntry& entry);
  bool evict();
  bool requeue(CacheEntry& entry);
  bool step();
  void move_one();
  void move(CacheEntry& entry);
  void* obtain(std::size_t size);
  void settle(std::size_t size);
  CacheEntry* place(const CachedRecord& record);
  void drop_log(Queue& queue, std::uint16_t log);
};

void ValueCache::State::apply_limit() {
  const std::size_t beside = table.memory_bytes() + std::min(kTableMargin, budget / kRecordShare);
  const std::size_t limit = budget > beside ? budget - beside : 0;
  if (limit != pool.limit()) pool.set_limit(limit);
}

void ValueCache::State::enqueue(CacheEntry& entry, bool to_main) {
  Queue& queue = to_main ? main : small;
  const std::uint32_t ref = pool.ref_of(&entry);
  entry.in_main = to_main;
  entry.reads = 0;
  entry.newer = kNone;
  entry.older = queue.newest;
  (queue.newest == kNone ? queue.oldest : at(queue.newest).newer) = ref;
  queue.newest = ref;
  queue.bytes += entry.total_size();
}

void ValueCache::State::unlink(CacheEntry& entry) {
  Queue& queue = queue_of(entry);
  (entry.newer == kNone ? queue.newest : at(entry.newer).older) = entry.older;
  (entry.older == kNone ? queue.oldest : at(entry.older).newer) = entry.newer;
  queue.bytes -= entry.total_size();
}

void ValueCache::State::free_entry(CacheEntry& entry) {
  if (entry.outside) {
    const OutsideView view = outside_of(entry);
    pool.release(const_cast<char*>(view.bytes), outside_size(view));
  }
  entry.live = 0;
  pool.release(&entry, entry.block_size());
}

void ValueCache::State::drop(CacheEntry& entry) {
  table.remove(minod::hash_of(entry), pool.ref_of(&entry));
  unlink(entry);
  free_entry(entry);
}

// Gives the oldest entry of its queue another round, if it has earned one.
bool ValueCache::State::requeue(CacheEntry& entry) {
  if (entry.reads < (entry.in_main ? 1 : kReadsToStay)) return false;
  const unsigned reads = entry.in_main ? entry.reads - 1u : 0;
  unlink(entry);
  enqueue(entry, true);
  entry.reads = reads & kReadsMax;
  return true;
}

// Lets one record go: S3-FIFO's choice.
bool ValueCache::State::evict() {
  for (int requeues = 0;; ++requeues) {
    const bool from_small = small.bytes > (small.bytes + main.bytes) / kSmallShare;
    const std::uint32_t oldest = from_small || main.oldest == kNone ? small.oldest : main.oldest;
    if (oldest == kNone) return false;
    CacheEntry& entry = at(oldest);
    if (entry.newer != kNone) prefetch(entry.newer);
    if (requeues < kRequeuesMax && requeue(entry)) continue;
    if (!entry.in_main) table.remember(minod::hash_of(entry));
    drop(entry);
    ++evictions;
    return true;
  }
}

// One record let go or moved. False when there is nothing left.
bool ValueCache::State::step() {
  if (!pool.closing() && !(scattered() && pool.close_sparsest())) return evict();
  move_one();
  return true;
}

void ValueCache::State::move_one() {
  for (int dead = 0; dead < kDeadBlocksForStep; ++dead) {
    auto& entry = *reinterpret_cast<CacheEntry*>(pool.next_in_closed());
    if (entry.live) return move(entry);
  }
}

void ValueCache::State::move(CacheEntry& entry) {
  const std::size_t size = entry.block_size();
  void* block = pool.allocate_beside(&entry, size);
  if (block == nullptr) {
    drop(entry);
    ++evictions;
    return;
  }
  std::memcpy(block, &entry, size);
  auto& moved = *static_cast<CacheEntry*>(block);
  const std::uint32_t ref = pool.ref_of(block);
  Queue& queue = queue_of(moved);
  (moved.newer == kNone ? queue.newest : at(moved.newer).older) = ref;
  (moved.older == kNone ? queue.oldest : at(moved.older).newer) = ref;
  table.replace(minod::hash_of(moved), pool.ref_of(&entry), ref);
  entry.live = 0;
  pool.release(&entry, size);
}

// Memory for `size` bytes, at the cost of other records.
void* ValueCache::State::obtain(std::size_t size) {
  const std::size_t steps = kStepsMin + size / kBytesForStep;
  void* block = pool.allocate(size, spare());
  for (std::size_t i = 0; block == nullptr && i < steps && !scattered() && evict(); ++i) {
    block = pool.allocate(size, spare());
  }
  // The spare is for a size whose blocks do not become free by themselves.
  if (block == nullptr) block = pool.allocate(size);
  for (std::size_t i = 0; block == nullptr && i < steps && step(); ++i) block = pool.allocate(size);
  return block;
}

void ValueCache::State::settle(std::size_t size) {
  const std::size_t steps = kStepsMin + size / kBytesForStep;
  for (std::size_t i = 0; i < steps && short_of_spare() && step(); ++i) {
  }
}

CacheEntry* ValueCache::State::place(const CachedRecord& record) {
  const bool outside = lies_outside(record);
  const bool expires = record.expires_at != kNeverExpires;
  const std::size_t bytes = record.key.size() + record.value.size();
  OutsideView view{nullptr, record.key.size(), record.value.size()};
  if (outside) {
    view.bytes = static_cast<char*>(obtain(outside_size(view)));
    if (view.bytes == nullptr) return nullptr;
  }
  void* block = obtain(entry_head_size(expires) + (outside ? sizeof view : bytes));
  if (block == nullptr) {
    if (outside) pool.release(const_cast<char*>(view.bytes), outside_size(view));
    return nullptr;
  }
  auto* entry = static_cast<CacheEntry*>(block);
  entry->live = 1;
  entry->outside = outside;
  entry->expires = expires;
  entry->key_size = outside ? 0 : record.key.size() & 0xfffff;
  entry->value_size = outside ? 0 : record.value.size() & 0xfffff;
  char* at = static_cast<char*>(block) + sizeof(CacheEntry);
  if (expires)
    at = static_cast<char*>(std::memcpy(at, &record.expires_at, sizeof record.expires_at)) + sizeof(UnixMillis);
  if (outside) {
    std::memcpy(at, &view, sizeof view);
    at = const_cast<char*>(view.bytes);
  }
  std::copy(record.key.begin(), record.key.end(), at);
  std::copy(record.value.begin(), record.value.end(), at + record.key.size());
  return entry;
}

void ValueCache::State::drop_log(Queue& queue, std::uint16_t log) {
  for (std::uint32_t ref = queue.oldest; ref != kNone;) {
    CacheEntry& entry = at(ref);
    ref = entry.newer;
    if (entry.log == log) drop(entry);
  }
}

ValueCache::ValueCache(std::size_t budget_bytes) : state_(std::make_unique<State>()) { set_budget(budget_bytes); }

ValueCache::~ValueCache() {
  for (Queue* queue : {&state_->small, &state_->main}) {
    for (std::uint32_t ref = queue->oldest; ref != kNone;) {
      CacheEntry& entry = state_->at(ref);
      ref = entry.newer;
      if (entry.outside) state_->free_entry(entry);
    }
  }
}

void ValueCache::prefetch(RecordId id) const { state_->table.prefetch(hash_of(id.log, id.offset.value())); }

std::optional<CachedRecord> ValueCache::find(RecordId id) {
  State& state = *state_;
  const std::uint32_t ref = state.find(hash_of(id.log, id.offset.value()), id);
  if (ref == kNone) {
    ++state.misses;
    return std::nullopt;
  }
  ++state.hits;
  CacheEntry& entry = state.at(ref);
  // Written only when it changes: a hot entry's cache line stays clean.
  if (entry.reads < kReadsMax) entry.reads = (entry.reads + 1u) & kReadsMax;
  return entry.record();
}

void ValueCache::insert(RecordId id, const CachedRecord& record) {
  State& state = *state_;
  const std::size_t size = record_size(record);
  if (size > state.budget / kRecordShare) return;
  const std::uint64_t hash = hash_of(id.log, id.offset.value());
  if (state.find(hash, id) != kNone) return;
  const bool to_main = state.table.remembers(hash);
  CacheEntry* entry = state.place(record);
  if (entry == nullptr) return;
  entry->offset = id.offset.value();
  entry->log = id.log;
  state.enqueue(*entry, to_main);
  state.table.add(hash, state.pool.ref_of(entry), state);
  state.apply_limit();
  state.settle(size);
}

void ValueCache::erase(RecordId id) {
  const std::uint32_t ref = state_->find(hash_of(id.log, id.offset.value()), id);
  if (ref == kNone) return;
  state_->drop(state_->at(ref));
  state_->apply_limit();
}

void ValueCache::erase_log(std::uint16_t log) {
  state_->drop_log(state_->small, log);
  state_->drop_log(state_->main, log);
  state_->apply_limit();
}

void ValueCache::set_budget(std::size_t bytes) {
  State& state = *state_;
  state.budget = bytes;
  state.apply_limit();
  while (state.short_of_spare() && state.step()) state.apply_limit();
  if (count() == 0) state.table.clear();
  state.apply_limit();
}

void ValueCache::set_value_size_hints(const std::vector<std::size_t>& sizes) {
  constexpr std::size_t kUsualKey = 24;
  std::vector<std::size_t> blocks;
  for (const std::size_t size : sizes) blocks.push_back(entry_head_size(false) + kUsualKey + size);
  state_->pool.set_size_hints(std::move(blocks));
}

void ValueCache::PoolUse::add(const PoolUse& other) {
  used_bytes += other.used_bytes;
  block_bytes += other.block_bytes;
  fallback_count += other.fallback_count;
  fallback_bytes += other.fallback_bytes;
  fallbacks_ever += other.fallbacks_ever;
  classes += other.classes;
}

ValueCache::PoolUse ValueCache::pool_use() const {
  const ValuePool::Stats stats = state_->pool.stats();
  return {stats.used_bytes,     stats.block_bytes,    stats.fallback_count,
          stats.fallback_bytes, stats.fallbacks_ever, stats.classes.size()};
}

std::size_t ValueCache::budget() const { return state_->budget; }
std::size_t ValueCache::memory_bytes() const { return state_->memory_bytes(); }
std::size_t ValueCache::count() const { return state_->table.count(); }
std::uint64_t ValueCache::hits() const { return state_->hits; }
std::uint64_t ValueCache::misses() const { return state_->misses; }
std::uint64_t ValueCache::evictions() const { return state_->evictions; }

}  // namespace minod
