// What the two ends of a connection between members say about the connection itself. docs/FORMAT.md, "Between nodes":
// the frames of cluster/wire.h with kinds from 64 on. Nothing a peer sends is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cluster/member.h"
#include "net/peer/peer_address.h"

namespace minod {

inline constexpr std::uint16_t kPeerProtocol = 2;
inline constexpr std::size_t kMembersMax = 1024;
inline constexpr std::size_t kLinkFrameMax = std::size_t{512} << 10;  // of such a frame, its header too

// A member, and where it is reached. The host is empty only in a Hello: as this connection comes from.
struct PeerEntry {
  MemberId member;
  PeerAddress address;            // port 0: it takes no connections from members
  std::uint16_t client_port = 0;  // where it serves clients; 0: nowhere
  friend bool operator==(const PeerEntry&, const PeerEntry&) = default;
};

// The first frame in each direction; the end that made the connection speaks first.
struct Hello {
  std::uint16_t protocol = kPeerProtocol;
  std::uint16_t partitions = 1;  // of each keyspace
  std::uint16_t partition = 0;   // what the connection is about
  MemberId group;                // nobody: of none yet
  PeerEntry self;
  friend bool operator==(const Hello&, const Hello&) = default;
};

// All members that the sender knows.
struct Members {
  std::vector<PeerEntry> members;
  friend bool operator==(const Members&, const Members&) = default;
};

// Still there.
struct Ping {
  friend bool operator==(const Ping&, const Ping&) = default;
};

// Why the sender closes the connection: a line for the other's operator.
struct Goodbye {
  std::string why;
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

// A leader to who follows it: help nobody else to lead for a while; and the answer. net/read_lease.h.
struct LeaseAsked {
  std::int64_t at = 0;  // by the leader's clock, which means nothing to the other
  friend bool operator==(const LeaseAsked&, const LeaseAsked&) = default;
};
struct LeaseGranted {
  std::int64_t asked_at = 0;
  friend bool operator==(const LeaseGranted&, const LeaseGranted&) = default;
};

using LinkFrame = std::variant<Hello, Members, Ping, Goodbye, LeaseAsked, LeaseGranted>;

std::vector<std::byte> encode_link_frame(const LinkFrame& frame);

// Of bytes that begin with a frame's header and at least one byte more.
bool is_link_frame(Bytes from);
// As take_frame() of cluster/wire.h: kTorn, kCorrupt.
Result<LinkFrame> take_link_frame(Bytes& from);

}  // namespace minod
