#include "net/peer/link_frame.h"

#include <algorithm>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "cluster/wire.h"

namespace minod {

namespace {

constexpr std::uint8_t kFirstKind = 64;
constexpr std::size_t kWhyMax = 500;

class Writer {
 public:
  Writer() : out_(kFrameHeaderSize) {}

  template <std::integral T>
  void add(T value) {
    std::byte bytes[sizeof value];
    store_big(bytes, value);
    add(Bytes(bytes));
  }
  void add(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void add(MemberId id) {
    add(id.high);
    add(id.low);
  }
  void add(std::string_view text) {
    add(static_cast<std::uint16_t>(text.size()));
    add(as_bytes(text));
  }
  void add(const PeerEntry& entry) {
    add(entry.member);
    add(std::string_view(entry.address.host));
    add(entry.address.port);
    add(entry.client_port);
  }

  void add(const Hello& hello) {
    add(hello.protocol);
    add(hello.partitions);
    add(hello.partition);
    add(hello.group);
    add(hello.self);
  }
  void add(const Members& known) {
    const std::size_t count = std::min(known.members.size(), kMembersMax);
    add(static_cast<std::uint16_t>(count));
    for (std::size_t i = 0; i < count; ++i) add(known.members[i]);
  }
  void add(const Ping&) {}
  void add(const Goodbye& goodbye) { add(std::string_view(goodbye.why).substr(0, kWhyMax)); }

  void add(const LeaseAsked& asked) { add(asked.at); }
  void add(const LeaseGranted& granted) { add(granted.asked_at); }

  std::vector<std::byte> finish() {
    store_big(out_.data(), static_cast<std::uint32_t>(out_.size() - kFrameHeaderSize));
    store_big(out_.data() + 4, crc32c(Bytes(out_).subspan(kFrameHeaderSize)));
    return std::move(out_);
  }

 private:
  std::vector<std::byte> out_;
};

// Once something is wrong, all that follows is empty and ok() says so.
class Reader {
 public:
  explicit Reader(Bytes from) : from_(from) {}

  bool ok() const { return ok_; }
  bool at_end() const { return from_.empty(); }
  void must(bool holds) { ok_ = ok_ && holds; }

  template <std::integral T>
  T number() {
    must(from_.size() >= sizeof(T));
    if (!ok_) return 0;
    const T value = load_big<T>(from_.data());
    from_ = from_.subspan(sizeof(T));
    return value;
  }
  MemberId member() {
    MemberId id;
    id.high = number<std::uint64_t>();
    id.low = number<std::uint64_t>();
    return id;
  }
  std::string text(std::size_t size_max) {
    const std::size_t size = number<std::uint16_t>();
    must(size <= size_max && size <= from_.size());
    if (!ok_) return {};
    const std::string found(as_text(from_.first(size)));
    from_ = from_.subspan(size);
    return found;
  }
  PeerEntry entry(bool host_may_be_empty) {
    PeerEntry one;
    one.member = member();
    one.address.host = text(kHostSizeMax);
    one.address.port = number<std::uint16_t>();
    one.client_port = number<std::uint16_t>();
    must(one.member != kNobody && (is_host(one.address.host) || (host_may_be_empty && one.address.host.empty())));
    return one;
  }

 private:
  Bytes from_;
  bool ok_ = true;
};

Hello read_hello(Reader& in) {
  Hello hello;
  hello.protocol = in.number<std::uint16_t>();
  // Of another version, nothing else is looked at: its operator is told so.
  hello.partitions = in.number<std::uint16_t>();
  hello.partition = in.number<std::uint16_t>();
  hello.group = in.member();
  hello.self = in.entry(true);
  in.must(hello.partition < hello.partitions);
  return hello;
}

Members read_members(Reader& in) {
  Members known;
  const std::size_t count = in.number<std::uint16_t>();
  in.must(count <= kMembersMax);
  for (std::size_t i = 0; in.ok() && i < count; ++i) known.members.push_back(in.entry(false));
  return known;
}

// What an operator reads must not move his cursor.
Goodbye read_goodbye(Reader& in) {
  Goodbye goodbye{in.text(kWhyMax)};
  std::ranges::replace_if(
      goodbye.why, [](char c) { return c < ' ' || c > '~'; }, '?');
  return goodbye;
}

Error bad_frame(const std::string& what) {
  return Error{Errc::kCorrupt, 0, "a frame from another node " + what + "; is it a minod's peer port of this version?"};
}

}  // namespace

std::vector<std::byte> encode_link_frame(const LinkFrame& frame) {
  Writer out;
  out.add(static_cast<std::uint8_t>(kFirstKind + frame.index()));
  std::visit([&](const auto& one) { out.add(one); }, frame);
  std::vector<std::byte> bytes = out.finish();
  check(bytes.size() <= kLinkFrameMax, "what is said about a connection fits its limit");
  return bytes;
}

bool is_link_frame(Bytes from) {
  return from.size() > kFrameHeaderSize && static_cast<std::uint8_t>(from[kFrameHeaderSize]) >= kFirstKind;
}

Result<LinkFrame> take_link_frame(Bytes& from) {
  if (from.size() < kFrameHeaderSize) return Error{Errc::kTorn, 0, "a frame's header is not all there"};
  const std::size_t size = load_big<std::uint32_t>(from.data());
  if (size > kLinkFrameMax - kFrameHeaderSize) {
    return bad_frame("about the connection has " + std::to_string(size) + " bytes, more than the limit of " +
                     std::to_string(kLinkFrameMax));
  }
  if (from.size() - kFrameHeaderSize < size) return Error{Errc::kTorn, 0, "a frame is not all there"};
  const Bytes body = from.subspan(kFrameHeaderSize, size);
  if (crc32c(body) != load_big<std::uint32_t>(from.data() + 4)) return bad_frame("has a wrong checksum");
  Reader in(body);
  LinkFrame frame = Ping();
  switch (in.number<std::uint8_t>()) {
    case kFirstKind:
      frame = read_hello(in);
      break;
    case kFirstKind + 1:
      frame = read_members(in);
      break;
    case kFirstKind + 2:
      break;
    case kFirstKind + 3:
      frame = read_goodbye(in);
      break;
    case kFirstKind + 4:
      frame = LeaseAsked{in.number<std::int64_t>()};
      break;
    case kFirstKind + 5:
      frame = LeaseGranted{in.number<std::int64_t>()};
      break;
    default:
      in.must(false);
  }
  if (!in.ok() || !in.at_end()) return bad_frame("is not well formed");
  from = from.subspan(kFrameHeaderSize + size);
  return frame;
}

}  // namespace minod
