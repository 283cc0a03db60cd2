// Any bytes, given to what reads batches: as they are, and with length, magic and CRC put right, so that the records
// behind the checks are reached too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "log/batch.h"
#include "log/compression.h"

namespace {

using namespace minod;

void read_batch(Bytes from) {
  static Decompressor decompressor;
  const auto view = BatchView::open(from);
  if (!view) return;
  check(view->bytes().size() <= from.size(), "a batch lies within the bytes given");
  std::int64_t count = 0;
  const auto read = for_each_record(*view, decompressor, [&](const RecordView& record) {
    check(record.offset <= view->header().last_offset(), "a record lies within its batch");
    ++count;
    return true;
  });
  if (read) check(count == view->header().record_count, "every record was visited");
}

void read_records(Bytes from) {
  for (;;) {
    const std::size_t size = from.size();
    if (!take_record(from, Offset(1), UnixMillis(1))) return;
    check(from.size() < size, "a record takes bytes");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes from(reinterpret_cast<const std::byte*>(data), size);
  read_batch(from);
  read_records(from);
  if (size < kBatchHeaderSize) return 0;
  std::vector<std::byte> mended(from.begin(), from.end());
  std::byte* const at = mended.data();
  store_big(at + batch_field::kLength, static_cast<std::int32_t>(size - kBatchLengthOverhead));
  store_big(at + batch_field::kMagic, kBatchMagic);
  store_big(at + batch_field::kCrc, crc32c(Bytes(mended).subspan(batch_field::kAttributes)));
  read_batch(mended);
  return 0;
}
