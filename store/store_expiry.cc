// Active expiry: what has expired is found by walking the expiry index, and logged as deleted. A part of Store.
#include "store/store.h"

namespace minod {

namespace {

constexpr std::size_t kSlotsPerTick = 4096;  // that are looked at
constexpr std::size_t kSlotsPerSlice = 256;
constexpr std::size_t kErasedPerTick = 256;  // a millisecond or two
constexpr std::size_t kReadsMax = 256;

}  // namespace

void Store::expire() {
  expiry_behind_ = false;
  for_each_partition([this](Partition& partition) { expire_slice(partition); });
}

void Store::expire_slice(Partition& partition) {
  if (partition.follows() || partition.expiries().size() == 0 || partition.log().failure() != nullptr) return;
  // What a sweep leaves out comes again only in the next round over all keys.
  if (expiry_reads_ && expiry_reads_->remaining != 0) return;
  std::vector<Offset> expired;
  for (std::size_t seen = 0; seen < kSlotsPerTick && expired.size() < kErasedPerTick; seen += kSlotsPerSlice) {
    partition.expiries().sweep(clock_.now(), kSlotsPerSlice, expired);
  }
  if (expired.size() >= kErasedPerTick) expiry_behind_ = true;
  std::vector<ColdRecord> cold;
  const Request nobody;
  for (const Offset offset : expired) {
    if (const auto record = resident(partition, offset, nobody)) {
      expire_record(partition, std::string(record->key), offset);
    } else if (cold.size() < kReadsMax) {
      cold.push_back(ColdRecord{&partition, offset, true});
    }
  }
  if (cold.empty()) return;
  expiry_reads_ = cold_.fetch(cold, [this, at = &partition](const std::vector<FetchedRecord>& records) {
    for (const FetchedRecord& record : records) {
      if (record.failure == Errc::kEnd) expire_record(*at, record.key, record.id.offset);
    }
  });
}

void Store::expire_record(Partition& partition, std::string_view key, Offset offset) {
  const KeyHash hash = hasher_(key);
  const auto entry = partition.index().find(hash);
  if (!entry || entry->offset != offset) return;
  Log& log = partition.log();
  if (log.make_room(Log::record_bytes(key.size()), true) != Log::Room::kYes) return;
  NewRecord tombstone{key, {}};
  tombstone.has_value = false;
  partition.apply(hash, log.append(tombstone, clock_.now()), false, kNeverExpires);
  ++counters_.expired;
}

}  // namespace minod
