#include "replay/torn_tail.h"

#include <algorithm>
#include <vector>

#include "log/batch.h"
#include "log/compression.h"

namespace minod {

namespace {

constexpr std::size_t kWindow = std::size_t{4} << 20;

bool may_start_here(Bytes from, Offset expected) {
  const auto header = read_batch_header(from);
  return header && header->base_offset >= expected &&
         header->base_offset < expected + OffsetCount(std::int64_t{1} << 31);
}

void note(const BatchView& batch, Decompressor& decompressor, TailFindings& findings) {
  ++findings.whole_batches;
  findings.last_offset = std::max(findings.last_offset, batch.header().last_offset());
  const auto visited = for_each_record(batch, decompressor, [&](const RecordView& record) {
    findings.durable_upto = std::max(findings.durable_upto, record.durable_upto);
    return false;  // only a group's first record can say it
  });
  static_cast<void>(visited);  // a batch whose CRC is right and whose records are not says nothing more
}

}  // namespace

Result<TailFindings> search_tail(File& file, FilePosition position, Offset expected) {
  const auto size = file.size_now();
  if (!size) return size.error();
  TailFindings findings;
  findings.file_bytes = *size - position.value();
  Decompressor decompressor;
  std::vector<std::byte> window;
  std::int64_t at = position.value();
  while (at < *size) {
    window.resize(static_cast<std::size_t>(std::min<std::int64_t>(static_cast<std::int64_t>(kWindow), *size - at)));
    const auto read = file.read_now(FilePosition(at), window);
    if (!read) return read.error();
    window.resize(*read);
    if (window.empty()) break;
    std::size_t step = 0;
    for (; step < window.size(); ++step) {
      const Bytes here = Bytes(window).subspan(step);
      if (here.size() < kBatchHeaderSize && at + static_cast<std::int64_t>(window.size()) < *size) break;
      if (!may_start_here(here, expected)) continue;
      const auto header = read_batch_header(here);
      const auto length = static_cast<std::size_t>(header->length);
      if (at + static_cast<std::int64_t>(step + length) > *size) continue;
      std::vector<std::byte> whole;
      Bytes bytes = here;
      if (here.size() < length) {
        whole.resize(length);
        const auto more = file.read_now(FilePosition(at + static_cast<std::int64_t>(step)), whole);
        if (!more) return more.error();
        bytes = whole;
      }
      if (const auto batch = BatchView::open(bytes)) {
        note(*batch, decompressor, findings);
        step += length - 1;
      }
    }
    at += static_cast<std::int64_t>(std::max<std::size_t>(step, 1));
  }
  return findings;
}

TailVerdict judge_tail(const TailFindings& findings, Offset expected, std::optional<Offset> clean_end) {
  if (clean_end && *clean_end > expected) return TailVerdict::kDamage;
  return findings.durable_upto > expected ? TailVerdict::kDamage : TailVerdict::kTorn;
}

}  // namespace minod
