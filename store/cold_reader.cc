#include "store/cold_reader.h"

#include <algorithm>

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

// `in_block`: the record's views point into memory that `block` keeps; otherwise they must be copied.
FetchedRecord fetched(const ColdRecord& wanted, const RecordView& record, const std::shared_ptr<Log::Block>& block,
                      bool in_block) {
  FetchedRecord result;
  result.id = RecordId{wanted.partition->id(), wanted.offset};
  result.expires_at = record.expires_at;
  result.key_only = wanted.key_only;
  if (in_block && !wanted.key_only) {
    result.memory = block;
    result.key = record.key;
    result.value = record.value;
    return result;
  }
  auto copy = std::make_shared<std::string>(record.key);
  if (!wanted.key_only) copy->append(record.value);
  result.key = std::string_view(*copy).substr(0, record.key.size());
  result.value = std::string_view(*copy).substr(record.key.size());
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
    record.partition->log().read(place->segment, place->begin, place->end,
                                 [this, id](const Result<std::shared_ptr<Log::Block>>& block) { arrived(id, block); });
  }
  for (const Waiter& waiter : gone) {
    deliver(waiter, failed(waiter.record, Errc::kNotFound, "the segment of this record is gone"));
  }
  return ticket;
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
        deliver(waiter, fetched(waiter.record, record, block, in_block));
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
