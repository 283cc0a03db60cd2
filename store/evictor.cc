#include "store/evictor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/diag.h"
#include "store/store.h"

namespace minod {

namespace {

// A slice is one read and one step on the shard's thread: some hundred records of 100 bytes, less than a millisecond.
constexpr std::int64_t kSliceBytes = std::int64_t{64} << 10;
// At most this part of a segment is appended again, so that evicting frees space.
constexpr std::int64_t kKeptShare = 4;
constexpr std::uint8_t kHitsToKeep = 2;
constexpr int kPatienceTurns = 1000;
constexpr Nanos kRetry{100'000'000};       // when there is no room even for the log-start record
constexpr std::uint64_t kRecordShare = 8;  // one write is at most this part of the budget

}  // namespace

void EvictionCounters::add(const EvictionCounters& other) {
  keys += other.keys;
  segments += other.segments;
  kept_records += other.kept_records;
  kept_bytes += other.kept_bytes;
  refused += other.refused;
}

void Evictor::set_budget(DiskBudget budget) {
  budget_ = budget;
  changed_ = true;
}

std::uint64_t Evictor::disk_bytes() const {
  std::int64_t bytes = 0;
  store_.for_each_partition([&](const Partition& partition) { bytes += partition.log().disk_bytes(); });
  return static_cast<std::uint64_t>(bytes);
}

// A compaction writes its segment before the old ones go: space for that is never given to others.
std::uint64_t Evictor::usable() const {
  constexpr std::uint64_t kCompactionShare = 16;  // at most, when segments are large for the budget
  const auto copy = static_cast<std::uint64_t>(store_.options().segment_bytes);
  return budget_.bytes - std::min(copy, budget_.bytes / kCompactionShare);
}

// Whether so many further segments fit, when what is already evicted has gone.
bool Evictor::fits(std::uint64_t segments) const {
  std::int64_t bytes = 0;
  std::int64_t largest = 0;
  store_.for_each_partition([&](const Partition& partition) {
    bytes += partition.log().live_disk_bytes();
    largest = std::max(largest, partition.log().next_segment_bytes());
  });
  return static_cast<std::uint64_t>(bytes) + segments * static_cast<std::uint64_t>(largest) <= usable();
}

// Every segment but the active one is sealed soon.
bool Evictor::can_free() const {
  bool any = false;
  store_.for_each_partition([&](const Partition& partition) { any = any || partition.log().segments().size() > 1; });
  return any;
}

Log::Room Evictor::room(const Log& log, std::size_t bytes) {
  if (budget_.bytes == 0) return Log::Room::kYes;
  if (bytes > budget_.bytes / kRecordShare) {
    ++counters_.refused;
    return Log::Room::kFull;
  }
  if (!log.needs_new_segment(bytes)) return Log::Room::kYes;
  // The files themselves: a segment that is evicted and not yet removed takes its space until then.
  const auto next = static_cast<std::uint64_t>(log.next_segment_bytes());
  if (disk_bytes() + next <= usable()) return Log::Room::kYes;
  changed_ = true;
  if (budget_.policy == DiskPolicy::kAllKeysSegment && can_free()) return Log::Room::kWait;
  ++counters_.refused;
  return Log::Room::kFull;
}

std::string Evictor::refusal() const {
  const std::string limit = std::to_string(budget_.bytes) + " bytes a shard";
  if (budget_.policy == DiskPolicy::kAllKeysSegment) {
    return "OOM command not allowed: it would pass 'maxdisk' (" + limit +
           ") and nothing can be evicted for it; raise maxdisk or write less at once";
  }
  return "OOM command not allowed when the log would pass 'maxdisk' (" + limit +
         ", maxdisk-policy noeviction). Reads and deletes go on; raise maxdisk, flush, or choose allkeys-segment";
}

void Evictor::pump() {
  if (unread_ != nullptr) return go_on_unread();
  if (reading_ || (retry_at_ && store_.clock().monotonic() < *retry_at_)) return;
  retry_at_.reset();
  if (slice_ != nullptr) return evict_slice();
  if (victim_) return read_slice();
  if (!changed_ || budget_.bytes == 0 || budget_.policy != DiskPolicy::kAllKeysSegment) return;
  changed_ = false;
  // One segment ahead of the next need, and one for what is appended again meanwhile.
  if (!fits(2) && choose_victim()) read_slice();
}

bool Evictor::rest(const Partition& partition) {
  if (!victim_ || victim_->partition != &partition) return true;
  if (reading_) return false;
  slice_.reset();
  victim_.reset();
  return true;
}

// The oldest sealed segment of all logs, by its newest record.
bool Evictor::choose_victim() {
  std::optional<UnixMillis> oldest;
  store_.for_each_partition([&](Partition& partition) {
    if (partition.follows()) return;
    Log& log = partition.log();
    // Segments below the log start are on their way out.
    auto at = log.segments().begin();
    while (std::next(at) != log.segments().end() && std::next(at)->first <= log.log_start()) ++at;
    if (std::next(at) == log.segments().end() || !at->second.sealed || log.failure() != nullptr) return;
    const UnixMillis newest = partition.places().last_time(at->first);
    if (oldest && *oldest <= newest) return;
    oldest = newest;
    const std::int64_t size = at->second.end.value();
    victim_ =
        Victim{&partition, at->first, std::next(at)->first, at->second.file, FilePosition(0), 0, size / kKeptShare, 0};
  });
  return oldest.has_value();
}

void Evictor::read_slice() {
  Victim& victim = *victim_;
  Log& log = victim.partition->log();
  const auto at = log.segments().find(victim.base);
  if (at == log.segments().end() || log.log_start() >= victim.next_base || log.failure() != nullptr) {
    victim_.reset();  // flushed, or compacted into another, meanwhile
    changed_ = true;
    return;
  }
  if (at->second.file != victim.file) {  // compacted meanwhile: positions are new, what is evicted is passed over
    victim.file = at->second.file;
    victim.next_base = std::next(at)->first;
    victim.position = FilePosition(0);
    victim.want = 0;
  }
  const FilePosition end = at->second.end;
  if (victim.position >= end) return end_slice(victim.next_base);
  const std::int64_t size = std::min(std::max(victim.want, kSliceBytes), (end - victim.position).value());
  reading_ = true;
  log.read(victim.base, victim.position, victim.position + ByteCount(size),
           [this](const Result<std::shared_ptr<Log::Block>>& block) {
             reading_ = false;
             if (!victim_) return;
             if (!block) return evict_unread(block.error());
             slice_ = *block;
             victim_->patience = 0;
           });
  disk_.submit();
}

void Evictor::evict_slice() {
  Victim& victim = *victim_;
  Log& log = victim.partition->log();
  const auto at = log.segments().find(victim.base);
  if (log.failure() != nullptr || at == log.segments().end() || at->second.file != victim.file ||
      log.log_start() >= victim.next_base) {
    slice_.reset();  // the next turn finds that out, too, and reads or chooses anew
    return;
  }
  const std::size_t room = slice_->bytes.size() / 2 + 2 * Log::record_bytes(0);
  if (log.make_room(room, true) == Log::Room::kWait && ++victim.patience < kPatienceTurns) return;
  const auto block = std::exchange(slice_, nullptr);
  gone_.clear();
  auto below = evict_batches(block->bytes);
  if (!below) return;
  if (victim.position >= at->second.end) below = victim.next_base;
  if (*below > log.log_start()) end_slice(*below);
}

// All whole batches of a slice. Returns the offset behind them; nothing when the segment has been evicted unread.
std::optional<Offset> Evictor::evict_batches(Bytes bytes) {
  Victim& victim = *victim_;
  const Log& log = victim.partition->log();
  Offset below = log.log_start();
  victim.want = 0;
  while (!bytes.empty()) {
    const auto batch = BatchView::open(bytes);
    if (!batch && batch.error().code == Errc::kTorn) {
      // It goes on behind the slice, unless it is damaged.
      const FilePosition read_end = victim.position + ByteCount(static_cast<std::int64_t>(bytes.size()));
      const auto header = read_batch_header(bytes);
      const std::int64_t length = header ? header->length : 0;
      if (read_end < log.segment_end(victim.base) && length <= static_cast<std::int64_t>(kBatchSizeMax)) {
        victim.want = length;
        break;
      }
    }
    const std::size_t size = batch ? evict_batch(*batch) : 0;
    if (size == 0) {
      evict_unread(batch ? Error{Errc::kCorrupt, 0, "a batch does not decode"} : batch.error());
      return std::nullopt;
    }
    below = std::max(below, batch->header().next_offset());
    victim.position += ByteCount(static_cast<std::int64_t>(size));
    bytes = bytes.subspan(size);
  }
  return below;
}

// The batch's size; 0 when its records do not decode.
std::size_t Evictor::evict_batch(const BatchView& batch) {
  Partition& partition = *victim_->partition;
  const std::size_t size = batch.bytes().size();
  if (batch.header().is_control() || batch.header().next_offset() <= partition.log().log_start()) return size;
  const UnixMillis now = store_.clock().now();
  live_.clear();
  const auto visited = for_each_record(batch, decompressor_, [&](const RecordView& record) {
    if (!record.has_key || !record.has_value) return true;
    const KeyHash hash = store_.hash(record.key);
    const auto entry = partition.index().find(hash);
    if (!entry || entry->offset != record.offset) return true;
    live_.push_back(LiveRecord{hash, record, record.expires_at > now ? entry->hits : std::uint8_t{0}});
    return true;
  });
  if (!visited) return 0;
  for (std::uint8_t hits = HashIndex::kHitsMax; hits >= kHitsToKeep; --hits) keep(live_, hits);
  for (const LiveRecord& live : live_) gone_.push_back(Gone{live.hash, live.record.offset});
  return size;
}

// Appends those again that were read `hits` times. This is the moment when the new offset is given, and nothing has
// been appended for these keys since the index was asked.
void Evictor::keep(std::vector<LiveRecord>& live, std::uint8_t hits) {
  Partition& partition = *victim_->partition;
  Log& log = partition.log();
  std::erase_if(live, [&](const LiveRecord& one) {
    if (one.hits != hits) return false;
    const RecordView& record = one.record;
    const std::size_t bytes = Log::record_bytes(record.key.size() + record.value.size());
    const auto encoded = static_cast<std::int64_t>(record.key.size() + record.value.size());
    if (encoded > victim_->allowance || log.make_room(bytes, true) != Log::Room::kYes) return false;
    NewRecord again{record.key, record.value};
    again.expires_at = record.expires_at;
    // It has been read twice; from now on one read in each round keeps it.
    partition.apply_kept(one.hash, log.append(again, store_.clock().now()), record.expires_at, kHitsToKeep - 1);
    victim_->allowance -= encoded;
    ++counters_.kept_records;
    counters_.kept_bytes += static_cast<std::uint64_t>(encoded);
    return true;
  });
}

// Everything below `below` is evicted: logged, and gone from the index, in one step.
void Evictor::end_slice(Offset below) {
  Victim& victim = *victim_;
  Log& log = victim.partition->log();
  if (log.make_room(Log::record_bytes(0), true) != Log::Room::kYes) {
    // Without the record nothing is evicted: the same slice is read again.
    victim.position = FilePosition(0);
    gone_.clear();
    retry_at_ = store_.clock().monotonic() + kRetry;
    return;
  }
  const Offset at = log.append_log_start(store_.clock().now(), below);
  for (const Gone& gone : gone_) victim.partition->apply_eviction(gone.hash, gone.offset, at);
  counters_.keys += gone_.size();
  gone_.clear();
  if (below < victim.next_base) return;
  ++counters_.segments;
  victim_.reset();
  changed_ = true;
}

void Evictor::go_on_unread() {
  const std::size_t before = unread_->index().size();
  const bool more = unread_->go_on_evicting();
  counters_.keys += before - unread_->index().size();
  if (!more) unread_ = nullptr;
}

// Its bytes can't be read, so its keys are not known: all that is below its end leaves the index, in a pass of many
// steps.
void Evictor::evict_unread(const Error& error) {
  Victim& victim = *victim_;
  Partition& partition = *victim.partition;
  diag::warning(
      partition.name() +
      ": a segment that is being evicted can't be read, its keys go without being looked at: " + error.message());
  gone_.clear();
  if (partition.log().make_room(Log::record_bytes(0), true) != Log::Room::kYes) {
    retry_at_ = store_.clock().monotonic() + kRetry;
    return;
  }
  const Offset at = partition.log().append_log_start(store_.clock().now(), victim.next_base);
  partition.begin_eviction_below(victim.next_base, at);
  unread_ = &partition;
  ++counters_.segments;
  victim_.reset();
  changed_ = true;
}

}  // namespace minod
