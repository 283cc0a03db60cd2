#include "cluster/wire.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"

namespace minod {

namespace {

enum class Kind : std::uint8_t { kFetch = 1, kAnswer, kRefusal, kPromise, kPromised };

class Writer {
 public:
  template <std::integral T>
  void add(T value) {
    std::byte bytes[sizeof value];
    store_big(bytes, value);
    add(Bytes(bytes));
  }
  void add(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void add(bool value) { add(static_cast<std::uint8_t>(value)); }
  void add(Offset value) { add(value.value()); }
  void add(MemberId value) {
    add(value.high);
    add(value.low);
  }
  void add(Leadership value) {
    add(value.epoch.value);
    add(value.leader);
  }
  void add(SetVersion value) {
    add(value.epoch.value);
    add(value.number);
  }
  void add(const std::vector<MemberId>& members) {
    add(static_cast<std::uint16_t>(members.size()));
    for (const MemberId member : members) add(member);
  }
  void add(const InSyncSet& set) {
    check(set.known.size() <= kSetMembersMax, "a set fits a message");
    add(set.version);
    add(set.members);
    add(set.known);
  }
  void add(const std::vector<EpochLine>& lines) {
    check(lines.size() <= kAnswerEpochsMax, "the epochs of an answer fit a message");
    add(static_cast<std::uint16_t>(lines.size()));
    for (const EpochLine& line : lines) {
      add(line.leadership);
      add(line.start);
    }
  }

  void add(const Fetch& one) {
    add(one.known);
    add(one.last);
    add(one.end);
    add(one.durable);
    add(one.told);
    add(one.set);
    add(one.wants);
  }
  void add(const Answer& one) {
    add(one.leadership);
    add(one.begin);
    add(one.next);
    add(one.epochs);
    add(one.divergence.has_value());
    if (one.divergence) {
      add(one.divergence->leadership);
      add(one.divergence->end);
    }
    add(one.committed);
    add(one.set);
    add(one.in_force);
  }
  void add(const Refusal& one) { add(one.known); }
  void add(const Promise& one) { add(one.wanted); }
  void add(const Promised& one) {
    add(one.wanted);
    add(one.counts);
    add(one.set);
  }

  std::vector<std::byte>& bytes() { return out_; }

 private:
  std::vector<std::byte> out_;
};

// Reads what a peer sent; once something is wrong, all that follows is zero and ok() says so.
class Reader {
 public:
  explicit Reader(Bytes from) : from_(from) {}

  bool ok() const { return ok_; }
  Bytes rest() const { return from_; }
  void must(bool holds) { ok_ = ok_ && holds; }

  template <std::integral T>
  T number() {
    if (from_.size() < sizeof(T)) ok_ = false;
    if (!ok_) return 0;
    const T value = load_big<T>(from_.data());
    from_ = from_.subspan(sizeof(T));
    return value;
  }
  bool flag() {
    const auto value = number<std::uint8_t>();
    must(value <= 1);
    return value == 1;
  }
  Offset offset() {
    const Offset value(number<std::int64_t>());
    must(value >= kFirstOffset);
    return value;
  }
  Epoch epoch() {
    const Epoch value{number<std::int32_t>()};
    must(value >= Epoch{0});
    return value;
  }
  MemberId member() {
    MemberId id;
    id.high = number<std::uint64_t>();
    id.low = number<std::uint64_t>();
    return id;
  }
  Leadership leadership() {
    Leadership value;
    value.epoch = epoch();
    value.leader = member();
    return value;
  }
  SetVersion version() {
    SetVersion value;
    value.epoch = epoch();
    value.number = number<std::int32_t>();
    must(value.number >= 0);
    return value;
  }
  InSyncSet set() {
    InSyncSet value;
    value.version = version();
    value.members = members();
    value.known = members();
    must(std::ranges::includes(value.known, value.members));
    return value;
  }
  std::vector<MemberId> members() {
    std::vector<MemberId> found;
    const auto count = number<std::uint16_t>();
    must(count <= kSetMembersMax);
    for (std::uint16_t i = 0; ok_ && i < count; ++i) {
      found.push_back(member());
      must(i == 0 || found[i - 1u] < found[i]);
    }
    return found;
  }
  std::vector<EpochLine> lines() {
    std::vector<EpochLine> found;
    const auto count = number<std::uint16_t>();
    must(count <= kAnswerEpochsMax);
    for (std::uint16_t i = 0; ok_ && i < count; ++i) {
      EpochLine line;
      line.leadership = leadership();
      line.start = offset();
      must(found.empty() || (found.back().leadership.epoch < line.leadership.epoch && found.back().start < line.start));
      found.push_back(line);
    }
    return found;
  }

 private:
  Bytes from_;
  bool ok_ = true;
};

Fetch read_fetch(Reader& in) {
  Fetch one;
  one.known = in.leadership();
  one.last = in.leadership();
  one.end = in.offset();
  one.durable = in.offset();
  one.told = in.offset();
  one.set = in.version();
  one.wants = in.flag();
  in.must(one.durable <= one.end);
  return one;
}

Answer read_answer(Reader& in) {
  Answer one;
  one.leadership = in.leadership();
  one.begin = in.offset();
  one.next = in.offset();
  one.epochs = in.lines();
  if (in.flag()) {
    one.divergence.emplace();
    one.divergence->leadership = in.leadership();
    one.divergence->end = in.offset();
  }
  one.committed = in.offset();
  one.set = in.set();
  one.in_force = in.flag();
  in.must(one.begin <= one.next);
  return one;
}

Promised read_promised(Reader& in) {
  Promised one;
  one.wanted = in.leadership();
  one.counts = in.flag();
  one.set = in.set();
  return one;
}

Message read_message(Kind kind, Reader& in) {
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
  }
  in.must(false);
  return Refusal();
}

Error bad_frame(const std::string& what) {
  return Error{Errc::kCorrupt, 0, "a frame from another node " + what + "; is it a minod's peer port of this version?"};
}

}  // namespace

std::vector<std::byte> encode_frame(LogName log, const Message& message, Bytes batches) {
  Writer out;
  out.bytes().resize(kFrameHeaderSize);
  out.add(static_cast<std::uint8_t>(message.index() + 1));
  out.add(log.db);
  out.add(log.partition);
  std::visit([&](const auto& one) { out.add(one); }, message);
  out.add(batches);
  std::vector<std::byte>& bytes = out.bytes();
  check(bytes.size() <= kFrameSizeMax, "a frame is within its limit");
  store_big(bytes.data(), static_cast<std::uint32_t>(bytes.size() - kFrameHeaderSize));
  store_big(bytes.data() + 4, crc32c(Bytes(bytes).subspan(kFrameHeaderSize)));
  return std::move(bytes);
}

Result<Frame> take_frame(Bytes& from) {
  if (from.size() < kFrameHeaderSize) return Error{Errc::kTorn, 0, "a frame's header is not all there"};
  const std::size_t size = load_big<std::uint32_t>(from.data());
  if (size > kFrameSizeMax - kFrameHeaderSize) {
    return bad_frame("has " + std::to_string(size) + " bytes, more than the limit of " + std::to_string(kFrameSizeMax));
  }
  if (from.size() - kFrameHeaderSize < size) return Error{Errc::kTorn, 0, "a frame is not all there"};
  const Bytes body = from.subspan(kFrameHeaderSize, size);
  if (crc32c(body) != load_big<std::uint32_t>(from.data() + 4)) return bad_frame("has a wrong checksum");
  Reader in(body);
  Frame frame;
  const auto kind = static_cast<Kind>(in.number<std::uint8_t>());
  frame.log.db = in.number<std::int16_t>();
  frame.log.partition = in.number<std::int16_t>();
  frame.message = read_message(kind, in);
  frame.batches = in.rest();
  in.must(frame.log.db >= 0 && frame.log.partition >= 0);
  in.must(kind == Kind::kAnswer || frame.batches.empty());
  if (!in.ok()) return bad_frame("is not well formed");
  from = from.subspan(kFrameHeaderSize + size);
  return frame;
}

}  // namespace minod
