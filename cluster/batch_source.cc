#include "cluster/batch_source.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "log/batch.h"
#include "log/compression.h"
#include "replay/batch_cut.h"

namespace minod {

namespace {

// What is left of a batch when none of its records from `from` on is there any more: only offsets.
std::vector<std::byte> covering_batch(const BatchHeader& source, Offset from) {
  std::vector<std::byte> bytes(kBatchHeaderSize);
  BatchHeader header;
  header.base_offset = from;
  header.epoch = source.epoch;
  header.base_timestamp = header.max_timestamp = kNoTimestamp;
  header.last_offset_delta = static_cast<std::int32_t>((source.last_offset() - from).value());
  finish_batch(bytes, header);
  return bytes;
}

Result<std::vector<std::byte>> cut_front(Bytes bytes, Offset from) {
  const auto batch = BatchView::open(bytes);
  if (!batch) return batch.error();
  Decompressor decompressor;
  auto cut = cut_batch(*batch, decompressor, LogRange{from});
  if (cut && cut->empty()) return covering_batch(batch->header(), from);
  return cut;
}

Error gone(Offset from) {
  return Error{Errc::kNotFound, 0, "the log has nothing at offset " + std::to_string(from.value())};
}

struct Reading {
  Partition& partition;
  Offset from;
  std::function<void(const Result<BatchRun>&)> done;
};

void read_span(const std::shared_ptr<Reading>& reading, Offset segment, FilePosition begin, FilePosition limit,
               std::size_t size) {
  const FilePosition end = std::min(limit, begin + ByteCount(static_cast<std::int64_t>(size)));
  reading->partition.log().read(
      segment, begin, end,
      [reading, segment, begin, limit, end, size](const Result<std::shared_ptr<Log::Block>>& block) {
        if (!block) return reading->done(block.error());
        std::size_t needed = 0;
        auto run = take_batches((*block)->bytes, reading->from, needed);
        const bool more = !run && run.error().code == Errc::kTorn && end < limit;
        const bool still_there = reading->partition.has_log() && reading->partition.log().segments().contains(segment);
        if (!more || !still_there) return reading->done(run);
        read_span(reading, segment, begin, limit, std::max(needed, 2 * size));
      });
}

}  // namespace

Result<BatchRun> take_batches(Bytes bytes, Offset from, std::size_t& needed) {
  auto run = std::make_shared<std::vector<std::byte>>();
  Offset next = from;
  const std::size_t whole = bytes.size();
  while (!bytes.empty()) {
    const auto header = read_batch_header(bytes);
    if (!header && header.error().code == Errc::kTorn) break;
    if (!header) return header.error();
    const auto length = static_cast<std::size_t>(header->length);
    if (length > bytes.size()) {
      needed = whole - bytes.size() + length;
      break;
    }
    const Bytes batch = bytes.first(length);
    bytes = bytes.subspan(length);
    if (header->next_offset() <= from) continue;
    if (header->base_offset > next) return gone(from);
    if (header->base_offset < from) {
      const auto cut = cut_front(batch, from);
      if (!cut) return cut.error();
      run->insert(run->end(), cut->begin(), cut->end());
    } else {
      run->insert(run->end(), batch.begin(), batch.end());
    }
    next = header->next_offset();
  }
  if (run->empty()) return Error{Errc::kTorn, 0, "the batch is not all there"};
  return BatchRun{std::move(run), from, next};
}

void read_batches(Partition& partition, Offset from, std::size_t bytes_max,
                  std::function<void(const Result<BatchRun>&)> done) {
  const auto place = partition.places().find(from);
  const Log& log = partition.log();
  const Log::Place written = log.written_place();
  if (!place || !log.segments().contains(place->segment) || place->segment > written.segment) {
    return done(gone(from));
  }
  const FilePosition limit = place->segment == written.segment ? written.position : log.segment_end(place->segment);
  if (place->begin >= limit) return done(gone(from));
  const auto span = static_cast<std::size_t>((place->end - place->begin).value());
  const auto reading = std::make_shared<Reading>(Reading{partition, from, std::move(done)});
  read_span(reading, place->segment, place->begin, limit, span + bytes_max);
}

}  // namespace minod
