#include "net/peer/link_frame.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "cluster/wire.h"
#include "cluster/wire_reader.h"
#include "cluster/wire_writer.h"

namespace minod {

namespace {

constexpr std::uint8_t kFirstKind = 64;
constexpr std::size_t kWhyMax = 500;

void add(WireWriter& out, std::string_view text) {
  out.add(static_cast<std::uint16_t>(text.size()));
  out.add(as_bytes(text));
}
void add(WireWriter& out, const PeerEntry& entry) {
  out.add(entry.member);
  add(out, entry.address.host);
  out.add(entry.address.port);
  out.add(entry.client_port);
}
void add(WireWriter& out, const Hello& hello) {
  out.add(hello.protocol);
  out.add(hello.partitions);
  out.add(hello.partition);
  out.add(hello.group);
  add(out, hello.self);
}
void add(WireWriter& out, const Members& known) {
  const std::size_t count = std::min(known.members.size(), kMembersMax);
  out.add(static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) add(out, known.members[i]);
}
void add(WireWriter&, const Ping&) {}
void add(WireWriter& out, const Goodbye& goodbye) { add(out, std::string_view(goodbye.why).substr(0, kWhyMax)); }
void add(WireWriter& out, const LeaseAsked& asked) { out.add(asked.at); }
void add(WireWriter& out, const LeaseGranted& granted) { out.add(granted.asked_at); }

std::string read_text(WireReader& in, std::size_t size_max) {
  const std::size_t size = in.number<std::uint16_t>();
  in.must(size <= size_max);
  return std::string(as_text(in.bytes(size)));
}
PeerEntry read_entry(WireReader& in, bool host_may_be_empty) {
  PeerEntry one;
  one.member = in.member();
  one.address.host = read_text(in, kHostSizeMax);
  one.address.port = in.number<std::uint16_t>();
  one.client_port = in.number<std::uint16_t>();
  in.must(one.member != kNobody && (is_host(one.address.host) || (host_may_be_empty && one.address.host.empty())));
  return one;
}

Hello read_hello(WireReader& in) {
  Hello hello;
  hello.protocol = in.number<std::uint16_t>();
  // Of another version, nothing else is looked at: its operator is told so.
  hello.partitions = in.number<std::uint16_t>();
  hello.partition = in.number<std::uint16_t>();
  hello.group = in.member();
  hello.self = read_entry(in, true);
  in.must(hello.partition < hello.partitions);
  return hello;
}

Members read_members(WireReader& in) {
  Members known;
  const std::size_t count = in.number<std::uint16_t>();
  in.must(count <= kMembersMax);
  for (std::size_t i = 0; in.ok() && i < count; ++i) known.members.push_back(read_entry(in, false));
  return known;
}

// What an operator reads must not move his cursor.
Goodbye read_goodbye(WireReader& in) {
  Goodbye goodbye{read_text(in, kWhyMax)};
  std::ranges::replace_if(
      goodbye.why, [](char c) { return c < ' ' || c > '~'; }, '?');
  return goodbye;
}

}  // namespace

std::vector<std::byte> encode_link_frame(const LinkFrame& frame) {
  WireWriter out;
  out.bytes().resize(kFrameHeaderSize);
  out.add(static_cast<std::uint8_t>(kFirstKind + frame.index()));
  std::visit([&](const auto& one) { add(out, one); }, frame);
  std::vector<std::byte> bytes = std::move(out.bytes());
  seal_frame(bytes);
  check(bytes.size() <= kLinkFrameMax, "what is said about a connection fits its limit");
  return bytes;
}

bool is_link_frame(Bytes from) {
  return from.size() > kFrameHeaderSize && static_cast<std::uint8_t>(from[kFrameHeaderSize]) >= kFirstKind;
}

Result<LinkFrame> take_link_frame(Bytes& from) {
  const auto body = frame_body(from, kLinkFrameMax);
  if (!body) return body.error();
  WireReader in(*body);
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
  if (!in.ok() || !in.rest().empty()) return bad_frame("is not well formed");
  from = from.subspan(kFrameHeaderSize + body->size());
  return frame;
}

}  // namespace minod
