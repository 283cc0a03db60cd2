// A restart on any files. The input is cut into pieces: raw bytes, zeros, or the body of a batch whose length, offset
// and CRC are put right, so that what stands behind those checks is reached too. A restart refuses, or it succeeds;
// then so does the next one, with the same end and a greater epoch.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "log/batch.h"
#include "log/segment_name.h"
#include "replay/recovery.h"
#include "tests/fuzz/pieces.h"
#include "tests/sim/sim_disk.h"

namespace minod {

namespace {

constexpr const char* kDirectory = "data/db0-0";

void append_batch(std::vector<std::byte>& segment, Bytes body, std::int64_t& offset) {
  const std::size_t at = segment.size();
  segment.resize(at + kBatchHeaderSize);
  std::byte* const header = segment.data() + at;
  const Bytes front = body.first(std::min(body.size(), kBatchHeaderSize));
  std::copy(front.begin(), front.end(), header);
  store_big(header, offset);
  store_big(header + batch_field::kMagic, kBatchMagic);
  segment.insert(segment.end(), body.begin() + static_cast<std::ptrdiff_t>(front.size()), body.end());
  const std::size_t size = segment.size() - at;
  store_big(segment.data() + at + batch_field::kLength, static_cast<std::int32_t>(size - kBatchLengthOverhead));
  const Bytes covered = Bytes(segment).subspan(at + batch_field::kAttributes);
  store_big(segment.data() + at + batch_field::kCrc, crc32c(covered));
  if (const auto batch = BatchView::open(Bytes(segment).subspan(at))) offset = batch->header().next_offset().value();
}

void put(Disk& disk, const std::string& name, Bytes contents) {
  const auto written = replace_file(disk, kDirectory, name, contents);
  check(written.has_value(), "a simulated disk takes a file");
}

void put_segment(Disk& disk, Pieces& pieces, std::int64_t& offset) {
  const std::int64_t base = offset;
  std::vector<std::byte> segment;
  for (;;) {
    const std::uint8_t kind = pieces.byte();
    const std::size_t size = pieces.byte();
    if (kind % 4 == 0 || pieces.empty()) break;
    if (kind % 4 == 1) {
      const Bytes raw = pieces.bytes(size);
      segment.insert(segment.end(), raw.begin(), raw.end());
    } else if (kind % 4 == 2) {
      segment.resize(segment.size() + size * 16);
    } else {
      append_batch(segment, pieces.bytes(size), offset);
    }
  }
  put(disk, segment_name(Offset(base), kLogSuffix), segment);
}

std::optional<LogStart> restart(Disk& disk, bool force) {
  Partition partition(0, 0, 0);
  RecoveryOptions options;
  options.force_truncate = force;
  RecoveryReport report;
  auto start = recover(disk, kDirectory, KeyHasher(1, 2), partition, options, report);
  if (!start) return std::nullopt;
  return std::move(*start);
}

void fuzz(Pieces pieces) {
  SimDisk disk({});
  check(disk.make_directory("data") && disk.make_directory(kDirectory), "the directory is made");
  const std::uint8_t choices = pieces.byte();
  if ((choices & 1) != 0) put(disk, "clean-end-offset", pieces.bytes(pieces.byte()));
  if ((choices & 2) != 0) put(disk, "leader-epoch-checkpoint", pieces.bytes(pieces.byte()));
  std::int64_t offset = pieces.byte();
  for (int segments = 1 + choices / 4 % 4; segments > 0; --segments) put_segment(disk, pieces, offset);
  const auto first = restart(disk, (choices & 128) != 0);
  if (!first) return;
  if (first->epoch.value == std::numeric_limits<std::int32_t>::max()) return;  // there is no other epoch to begin
  const auto second = restart(disk, false);
  check(second.has_value(), "a start that succeeded is followed by one that succeeds");
  check(second->end == first->end && second->epoch > first->epoch, "and finds the same log, in a new epoch");
}

}  // namespace

}  // namespace minod

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  minod::fuzz(minod::Pieces({reinterpret_cast<const std::byte*>(data), size}));
  return 0;
}
