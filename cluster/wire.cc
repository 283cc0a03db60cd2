#include "cluster/wire.h"

#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "cluster/wire_reader.h"
#include "cluster/wire_writer.h"

namespace minod {

namespace {

enum class Kind : std::uint8_t {
  kFetch = 1,
  kAnswer,
  kRefusal,
  kPromise,
  kPromised,
  kInquiry,
  kStanding,
  kHandOver,
  kLogs,
  kSegmentsWanted,
  kSegments,
  kSegmentRead,
  kSegmentBytes,
  kLend
};

Fetch read_fetch(WireReader& in) {
  Fetch one;
  one.known = in.leadership();
  one.last = in.leadership();
  one.end = in.offset();
  one.durable = in.offset();
  one.told = in.offset();
  one.set = in.version();
  one.generation = in.number<std::uint32_t>();
  one.incomplete = in.flag();
  one.wants = in.flag();
  in.must(one.durable <= one.end);
  return one;
}

Answer read_answer(WireReader& in) {
  Answer one;
  one.leadership = in.leadership();
  one.begin = in.offset();
  one.next = in.offset();
  one.epochs = in.lines();
  if (in.flag()) {
    one.divergence.emplace();
    one.divergence->leadership = in.leadership();
    one.divergence->end = in.offset();
    one.last = in.leadership();
  }
  one.first = in.offset();
  one.committed = in.offset();
  one.set = in.set();
  one.in_force = in.flag();
  one.generation = in.number<std::uint32_t>();
  one.complete = in.flag();
  in.must(one.begin <= one.next);
  return one;
}

Promised read_promised(WireReader& in) {
  Promised one;
  one.wanted = in.leadership();
  one.counts = in.flag();
  one.set = in.set();
  one.logs = in.logs();
  return one;
}

Standing read_standing(WireReader& in) {
  Standing one;
  one.promised = in.leadership();
  one.counts = in.flag();
  one.set = in.set();
  return one;
}

HandOver read_hand_over(WireReader& in) {
  HandOver one;
  one.leadership = in.leadership();
  one.end = in.offset();
  return one;
}

Lend read_lend(WireReader& in) {
  Lend one;
  one.term = in.number<std::int32_t>();
  in.must(one.term > 0 && one.term <= kTermMax);
  return one;
}

Segments read_segments(WireReader& in) {
  Segments one;
  one.leadership = in.leadership();
  one.end = in.offset();
  one.epochs = in.lines();
  const auto count = in.number<std::uint16_t>();
  for (std::uint16_t i = 0; in.ok() && i < count; ++i) {
    SegmentEntry entry;
    entry.base = in.offset();
    entry.size = in.count();
    in.must(entry.base < one.end && (one.segments.empty() || one.segments.back().base < entry.base));
    one.segments.push_back(entry);
  }
  return one;
}

SegmentRead read_segment_read(WireReader& in) {
  SegmentRead one;
  one.base = in.offset();
  one.position = in.count();
  one.size = in.number<std::int32_t>();
  in.must(one.size >= 0);
  return one;
}

SegmentBytes read_segment_bytes(WireReader& in) {
  SegmentBytes one;
  one.base = in.offset();
  one.position = in.count();
  one.file_size = in.number<std::int64_t>();
  in.must(one.file_size >= -1);
  return one;
}

Message read_message(Kind kind, WireReader& in) {
  switch (kind) {
    case Kind::kFetch:
      return read_fetch(in);
    case Kind::kAnswer:
      return read_answer(in);
    case Kind::kRefusal:
      return Refusal{in.leadership()};
    case Kind::kPromise:
      return Promise{in.leadership()};
    case Kind::kPromised:
      return read_promised(in);
    case Kind::kInquiry:
      return Inquiry();
    case Kind::kStanding:
      return read_standing(in);
    case Kind::kHandOver:
      return read_hand_over(in);
    case Kind::kLogs:
      return Logs{in.logs()};
    case Kind::kSegmentsWanted:
      return SegmentsWanted{in.leadership()};
    case Kind::kSegments:
      return read_segments(in);
    case Kind::kSegmentRead:
      return read_segment_read(in);
    case Kind::kSegmentBytes:
      return read_segment_bytes(in);
    case Kind::kLend:
      return read_lend(in);
  }
  in.must(false);
  return Refusal();
}

}  // namespace

Error bad_frame(const std::string& what) {
  return Error{Errc::kCorrupt, 0, "a frame from another node " + what + "; is it a minod's peer port of this version?"};
}

void seal_frame(std::vector<std::byte>& frame) {
  store_big(frame.data(), static_cast<std::uint32_t>(frame.size() - kFrameHeaderSize));
  store_big(frame.data() + 4, crc32c(Bytes(frame).subspan(kFrameHeaderSize)));
}

Result<Bytes> frame_body(Bytes from, std::size_t size_max) {
  if (from.size() < kFrameHeaderSize) return Error{Errc::kTorn, 0, "a frame's header is not all there"};
  const std::size_t size = load_big<std::uint32_t>(from.data());
  if (size > size_max - kFrameHeaderSize) {
    return bad_frame("has " + std::to_string(size) + " bytes, more than the limit of " + std::to_string(size_max));
  }
  if (from.size() - kFrameHeaderSize < size) return Error{Errc::kTorn, 0, "a frame is not all there"};
  const Bytes body = from.subspan(kFrameHeaderSize, size);
  if (crc32c(body) != load_big<std::uint32_t>(from.data() + 4)) return bad_frame("has a wrong checksum");
  return body;
}

std::vector<std::byte> encode_frame(LogName log, const Message& message, Bytes batches) {
  WireWriter out;
  out.bytes().resize(kFrameHeaderSize);
  out.add(static_cast<std::uint8_t>(message.index() + 1));
  out.add(log.db);
  out.add(log.partition);
  std::visit([&](const auto& one) { out.add(one); }, message);
  out.add(batches);
  std::vector<std::byte>& bytes = out.bytes();
  check(bytes.size() <= kFrameSizeMax, "a frame is within its limit");
  seal_frame(bytes);
  return std::move(bytes);
}

Result<Frame> take_frame(Bytes& from) {
  const auto body = frame_body(from, kFrameSizeMax);
  if (!body) return body.error();
  WireReader in(*body);
  Frame frame;
  const auto kind = static_cast<Kind>(in.number<std::uint8_t>());
  frame.log = in.log();
  frame.message = read_message(kind, in);
  frame.batches = in.rest();
  in.must(kind == Kind::kAnswer || kind == Kind::kSegmentBytes || frame.batches.empty());
  if (!in.ok()) return bad_frame("is not well formed");
  from = from.subspan(kFrameHeaderSize + body->size());
  return frame;
}

}  // namespace minod
