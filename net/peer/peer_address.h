// Where a member listens for others: HOST:PORT, the host an IPv4 or IPv6 address or a name.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace minod {

struct PeerAddress {
  std::string host;
  std::uint16_t port = 0;  // 0: nowhere
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

inline constexpr std::size_t kHostSizeMax = 253;  // of a DNS name

// "10.0.0.1:8001", "[fd00::1]:8001", "leader.example:8001". Nothing unless it is that, with a port from 1 on.
std::optional<PeerAddress> parse_peer_address(std::string_view text);
std::string text_of(const PeerAddress& address);

// A host that others could have sent: letters, digits and what stands between them in names and addresses.
bool is_host(std::string_view text);

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

// Nothing: the host is a name, which resolve() asks the system for.
std::optional<SocketAddress> numeric_address(const PeerAddress& address);
// Blocking, for seconds when a name server does not answer: for jobs.
Result<SocketAddress> resolve(const PeerAddress& address);
// Of the other end of a connection; without a port.
std::string host_of_peer(int socket);

}  // namespace minod
