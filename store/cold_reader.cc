#include "store/cold_reader.h"

#include <algorithm>
#include <utility>

#include "log/batch.h"

namespace minod {

namespace {

FetchedRecord failed(const ColdRecord& record, Errc failure, std::string detail) {
  FetchedRecord result;
  result.id = RecordId{record.partition->id(), record.offset};
  result.failure = failure;
  result.failure_detail = std::move(detail);
  return result;
}

// `block`: what keeps the memory that the record's views point into; nullptr: they are copied, `counted` with the copy.
FetchedRecord fetched(const ColdRecord& wanted, const RecordView& record, std::shared_ptr<Log::Block> block,
                      std::shared_ptr<void> counted) {
  FetchedRecord result;
  result.id = RecordId{wanted.partition->id(), wanted.offset};
  result.expires_at = record.expires_at;
  result.key_only = wanted.key_only;
  if (block) {
    result.memory = std::move(block);
    result.key = record.key;
    result.value = record.value;
    return result;
  }
  auto copy = std::make_shared<std::pair<std::string, std::shared_ptr<void>>>(record.key, std::move(counted));
  if (!wanted.key_only) copy->first.append(record.value);
  result.key = std::string_view(copy->first).substr(0, record.key.size());
  result.value = std::string_view(copy->first).substr(record.key.size());
  result.memory = std::move(copy);
  return result;
}

}  // namespace

std::shared_ptr<ColdReader::Ticket> ColdReader::fetch(const std::vector<ColdRecord>& records, Done done) {
  auto ticket = std::make_shared<Ticket>();
  ticket->remaining = records.size();
  ticket->done = std::move(done);
  std::vector<Waiter> gone;
  for (const ColdRecord& record : records) {
    const auto place = record.partition->places().find(record.offset);
    if (!place || !record.partition->log().segments().contains(place->segment)) {
      gone.push_back(Waiter{record, ticket});
      continue;
    }
    const BlockId id{record.partition->id(), place->segment, place->generation, place->begin};
    auto& waiters = in_flight_[id];
    waiters.push_back(Waiter{record, ticket});
    if (waiters.size() > 1) {
      ++shared_reads_;
      continue;
    }
    ++reads_;
    auto count = counted(static_cast<std::size_t>((place->end - place->begin).value()));
    record.partition->log().read(
        place->segment, place->begin, place->end,
        [this, id, count = std::move(count)](const Result<std::shared_ptr<Log::Block>>& block) {
          if (!block) return arrived(id, block);
          // The same block; its last owner lets go of the count, too.
          auto both = std::make_shared<std::pair<std::shared_ptr<Log::Block>, std::shared_ptr<void>>>(*block, count);
          arrived(id, std::shared_ptr<Log::Block>(both, block->get()));
        });
  }
  for (const Waiter& waiter : gone) {
    deliver(waiter, failed(waiter.record, Errc::kNotFound, "the segment of this record is gone"));
  }
  return ticket;
}

std::shared_ptr<void> ColdReader::counted(std::size_t size) {
  *held_bytes_ += size;
  return {nullptr, [total = held_bytes_, size](void*) { *total -= size; }};
}

void ColdReader::arrived(const BlockId& id, const Result<std::shared_ptr<Log::Block>>& block) {
  std::vector<Waiter> waiters = std::move(in_flight_.extract(id).mapped());
  std::erase_if(waiters, [](const Waiter& waiter) { return waiter.ticket.expired(); });
  if (!block) {
    for (const Waiter& waiter : waiters) {
      deliver(waiter, failed(waiter.record, block.error().code, block.error().message()));
    }
    return;
  }
  std::ranges::sort(waiters, {}, [](const Waiter& waiter) { return waiter.record.offset; });
  find_in_block(waiters, *block);
}

// One pass over the block's batches for all waiters, which ascend by offset.
void ColdReader::find_in_block(std::vector<Waiter>& waiters, const std::shared_ptr<Log::Block>& block) {
  std::size_t next = 0;
  std::string damage = "the record is not in the block where the index says";
  // A whole batch without the record: compaction dropped it, because a newer one of its key is there.
  const auto not_there = [this](const Waiter& waiter) {
    deliver(waiter, failed(waiter.record, Errc::kNotFound, "the record was replaced and has been compacted"));
  };
  for (Bytes rest = block->bytes; !rest.empty() && next < waiters.size();) {
    const auto batch = BatchView::open(rest);
    if (!batch) {
      damage = batch.error().message();
      break;
    }
    rest = rest.subspan(batch->bytes().size());
    if (batch->header().last_offset() < waiters[next].record.offset) continue;
    const bool in_block = batch->header().codec() == kCodecNone;
    const auto visited = for_each_record(*batch, decompressor_, [&](const RecordView& record) {
      while (next < waiters.size() && waiters[next].record.offset < record.offset) not_there(waiters[next++]);
      while (next < waiters.size() && waiters[next].record.offset == record.offset) {
        const Waiter& waiter = waiters[next];
        if (!waiter.record.key_only) {
          cache_.insert(RecordId{waiter.record.partition->id(), record.offset},
                        CachedRecord{record.key, record.value, record.expires_at});
        }
        const bool stays = in_block && !waiter.record.key_only;
        const std::size_t copied = record.key.size() + (waiter.record.key_only ? 0 : record.value.size());
        deliver(waiter, fetched(waiter.record, record, stays ? block : nullptr, stays ? nullptr : counted(copied)));
        ++next;
      }
      return next < waiters.size();
    });
    if (!visited) {
      damage = visited.error().message();
      break;
    }
    while (next < waiters.size() && waiters[next].record.offset <= batch->header().last_offset()) {
      not_there(waiters[next++]);
    }
  }
  for (; next < waiters.size(); ++next) {
    deliver(waiters[next], failed(waiters[next].record, Errc::kCorrupt, damage));
  }
}

void ColdReader::deliver(const Waiter& waiter, FetchedRecord record) {
  const auto ticket = waiter.ticket.lock();
  if (!ticket) return;
  ticket->results.push_back(std::move(record));
  if (--ticket->remaining == 0) ticket->done(std::move(ticket->results));
}

}  // namespace minod
