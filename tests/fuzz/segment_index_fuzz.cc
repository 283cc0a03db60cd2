// Any bytes as the index files of a segment whose batches the input chooses, too; and the files that minod writes for
// these batches pass.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "index/segment_index_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minod;
  constexpr std::size_t kBatchBytes = 3;
  if (size == 0) return 0;
  const std::size_t count = std::min<std::size_t>(data[0] % 32, (size - 1) / kBatchBytes);
  SegmentIndexFiles files{Offset(1000)};
  std::vector<PlacedBatch> batches;
  Offset next(1000);
  FilePosition position;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* const at = data + 1 + i * kBatchBytes;
    BatchHeader header;
    header.base_offset = next;
    header.last_offset_delta = at[0];
    header.length = 61 + at[1] * 64;
    header.max_timestamp = UnixMillis(at[2]);
    files.add(header, position);
    batches.push_back({header, position});
    next = header.next_offset();
    position += ByteCount(header.length);
  }
  check(check_offset_index(files.offset_index(), Offset(1000), batches).has_value(), "a new offset index is right");
  check(check_time_index(files.time_index(), Offset(1000), batches).has_value(), "a new time index is right");
  const Bytes rest(reinterpret_cast<const std::byte*>(data) + 1 + count * kBatchBytes, size - 1 - count * kBatchBytes);
  (void)check_offset_index(rest, Offset(1000), batches);
  (void)check_time_index(rest, Offset(1000), batches);
  return 0;
}
