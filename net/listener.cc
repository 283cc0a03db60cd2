#include "net/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/shard.h"

namespace minod {

namespace {

constexpr int kBacklog = 1024;
constexpr auto kRetryAfter = std::chrono::milliseconds(100);

struct Peer {
  std::string name;
  bool is_loopback = true;
};

Peer peer_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {"?:0", false};
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    const bool loopback = (ntohl(in.sin_addr.s_addr) >> 24) == 127;
    return {std::string(text) + ":" + std::to_string(ntohs(in.sin_port)), loopback};
  }
  const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
  inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
  const bool loopback = IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) != 0;
  return {"[" + std::string(text) + "]:" + std::to_string(ntohs(in.sin6_port)), loopback};
}

void say_and_close(Fd fd, std::string_view text) {
  [[maybe_unused]] const auto sent = send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

Error listen_error(const std::string& where, int sys) {
  Error error = errno_error("can't listen on " + where, sys);
  if (sys == EADDRINUSE) {
    error.detail = where + " is in use by another process; stop it, or choose another with --port";
    error.sys = 0;
  }
  return error;
}

}  // namespace

Listener::Listener(boost::asio::io_context& io, Node& node, Fd fd, std::string unix_path)
    : node_(node), fd_(std::move(fd)), unix_path_(std::move(unix_path)), descriptor_(io, dup(fd_.get())), retry_(io) {}

Listener::~Listener() {
  if (!unix_path_.empty()) unlink(unix_path_.c_str());
}

Result<std::unique_ptr<Listener>> Listener::tcp(boost::asio::io_context& io, Node& node, const std::string& address,
                                                std::uint16_t port) {
  const std::string where = address + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* const host = address == "*" ? nullptr : address.c_str();
  if (const int failure = getaddrinfo(host, std::to_string(port).c_str(), &hints, &found); failure != 0) {
    return Error{Errc::kInvalid, 0, "can't listen on " + where + ": " + gai_strerror(failure) + "; check --bind"};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  Fd fd(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (fd.get() < 0 || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return listen_error(where, errno);
  if (found->ai_family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return listen_error(where, errno);
  }
  return std::unique_ptr<Listener>(new Listener(io, node, std::move(fd), {}));
}

Result<std::unique_ptr<Listener>> Listener::peers(boost::asio::io_context& io, Node& node, const std::string& address,
                                                  std::uint16_t port) {
  auto made = tcp(io, node, address, port);
  if (made) {
    (*made)->for_peers_ = true;
    return made;
  }
  Error error = made.error();
  error.detail += " (this is peer-port and peer-bind)";
  return error;
}

Result<std::unique_ptr<Listener>> Listener::unix_socket(boost::asio::io_context& io, Node& node,
                                                        const std::string& path, unsigned permissions) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{Errc::kTooLarge, 0,
                 "unixsocket path is " + std::to_string(path.size()) + " bytes, more than the limit of " +
                     std::to_string(sizeof address.sun_path - 1)};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return listen_error(path, errno);
  // A socket file that nobody answers on is left over from a kill; one that answers belongs to somebody.
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    return listen_error(path, EADDRINUSE);
  unlink(path.c_str());
  fd = Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const mode_t before = umask(077);
  const int bound = bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  umask(before);
  if (bound != 0 || chmod(path.c_str(), permissions) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return listen_error(path, errno);
  }
  return std::unique_ptr<Listener>(new Listener(io, node, std::move(fd), path));
}

void Listener::start() { wait(); }

void Listener::stop() {
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  retry_.cancel();
}

void Listener::wait() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (!error) accept_all();
                         });
}

void Listener::accept_all() {
  for (;;) {
    Fd fd(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.get() >= 0) {
      accepted(std::move(fd));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      wait();
      return;
    }
    // Out of descriptors: waiting for readiness again would spin.
    diag::warning(std::string("accepting a connection failed: ") + std::strerror(errno) +
                  "; raise the limit of open files (ulimit -n)");
    retry_.expires_after(kRetryAfter);
    retry_.async_wait([this](const boost::system::error_code& error) {
      if (!error) wait();
    });
    return;
  }
}

// Of which partition it is, so which shard's, only its first message says.
void Listener::accepted_peer(Fd fd) {
  constexpr unsigned kUnacknowledgedMillisMax = 5000;
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMillisMax, sizeof kUnacknowledgedMillisMax);
  Shard& shard = node_.shard(0);
  const auto carried = std::make_shared<Fd>(std::move(fd));
  shard.post(node_.shard_count(), [&shard, carried] { shard.replication()->take(std::move(*carried)); });
}

void Listener::accepted(Fd fd) {
  if (for_peers_) return accepted_peer(std::move(fd));
  const bool is_unix = !unix_path_.empty();
  const Peer peer = is_unix ? Peer{unix_path_ + ":0", true} : peer_of(fd.get());
  const Config config = node_.config();
  if (node_.client_count() >= config.maxclients) {
    node_.count_rejected();
    say_and_close(std::move(fd), "-ERR max number of clients reached\r\n");
    return;
  }
  if (!peer.is_loopback && config.protected_mode && config.requirepass.empty()) {
    node_.count_rejected();
    say_and_close(
        std::move(fd),
        "-DENIED minod is running in protected mode: it has no password, so only connections from this machine "
        "are served. Set one with --requirepass, or start it with --protected-mode no.\r\n");
    return;
  }
  if (!is_unix) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (config.tcp_keepalive > 0) {
      setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
      setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, &config.tcp_keepalive, sizeof config.tcp_keepalive);
    }
  }
  int best = 0;
  for (int i = 1; i < node_.shard_count(); ++i) {
    if (node_.shard(i).client_count() < node_.shard(best).client_count()) best = i;
  }
  Shard& shard = node_.shard(best);
  shard.client_promised();
  shard.post(node_.shard_count(),
             [&shard, fd = fd.release(), is_unix, name = peer.name] { shard.adopt_socket(fd, is_unix, name); });
}

}  // namespace minod
