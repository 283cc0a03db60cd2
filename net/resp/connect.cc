#include "net/resp/connect.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace minod::resp {

namespace {

using Deadline = std::chrono::steady_clock::time_point;

int milliseconds_to(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 1 << 30));
}

// Returns errno, 0 for success.
int await_connection(int fd, Deadline deadline) {
  pollfd waited{fd, POLLOUT, 0};
  for (;;) {
    const int ready = poll(&waited, 1, milliseconds_to(deadline));
    if (ready == 0) return ETIMEDOUT;
    if (ready > 0) break;
    if (errno != EINTR) return errno;
  }
  int failure = 0;
  socklen_t size = sizeof failure;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) return errno;
  return failure;
}

Result<Fd> open_socket(const sockaddr* where, socklen_t size, Deadline deadline, const std::string& place) {
  Fd fd(socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno_error("connect to " + place, errno);
  int failure = connect(fd.get(), where, size) == 0 ? 0 : errno;
  if (failure == EINPROGRESS || failure == EINTR) failure = await_connection(fd.get(), deadline);
  if (failure != 0) return errno_error("connect to " + place, failure);
  if (where->sa_family != AF_UNIX) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return errno_error("connect to " + place, errno);
  }
  return fd;
}

Result<Fd> connect_unix(const std::string& path, Deadline deadline) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof where.sun_path) return errno_error("connect to " + path, ENAMETOOLONG);
  std::memcpy(where.sun_path, path.data(), path.size());
  return open_socket(reinterpret_cast<const sockaddr*>(&where), sizeof where, deadline, path);
}

}  // namespace

std::string place_of(const Address& address) {
  if (!address.unix_path.empty()) return address.unix_path;
  const bool bare_v6 = address.host.find(':') != std::string::npos;
  const std::string host = bare_v6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

Result<Fd> connect_socket(const Address& address, std::chrono::milliseconds timeout) {
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  if (!address.unix_path.empty()) return connect_unix(address.unix_path, deadline);

  const std::string place = place_of(address);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &list);
  if (failure != 0) return Error{Errc::kNotFound, 0, "connect to " + place + ": " + gai_strerror(failure)};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);

  Result<Fd> fd = Error{Errc::kNotFound, 0, "connect to " + place + ": the name has no address"};
  for (const addrinfo* at = list; at != nullptr && !fd; at = at->ai_next) {
    fd = open_socket(at->ai_addr, at->ai_addrlen, deadline, place);
  }
  return fd;
}

}  // namespace minod::resp
