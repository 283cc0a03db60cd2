#include "tests/tools/paused_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "net/resp/parser.h"

namespace minod::bench {

namespace {

using Steady = std::chrono::steady_clock;

constexpr int kPollMilliseconds = 10;

}  // namespace

PausedServer::PausedServer(Pause pause) : pause_(pause), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* const address = reinterpret_cast<sockaddr*>(&where);
  if (::bind(listener_.get(), address, size) == 0 && ::listen(listener_.get(), 64) == 0 &&
      ::getsockname(listener_.get(), address, &size) == 0) {
    port_ = ntohs(where.sin_port);
  }
  thread_ = std::thread([this] { run(); });
}

PausedServer::~PausedServer() {
  stop_ = true;
  thread_.join();
}

void PausedServer::run() {
  while (!stop_) {
    std::vector<pollfd> waited{{listener_.get(), POLLIN, 0}};
    for (const Peer& peer : peers_) waited.push_back({peer.socket.get(), POLLIN, 0});
    ::poll(waited.data(), waited.size(), kPollMilliseconds);
    pause_if_due();
    if (waited[0].revents != 0) peers_.push_back({Fd(::accept(listener_.get(), nullptr, nullptr)), {}});
    for (std::size_t i = waited.size() - 1; i > 0; --i) {
      if (waited[i].revents != 0 && !serve(peers_[i - 1])) {
        peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(i - 1));
      }
    }
  }
}

void PausedServer::pause_if_due() {
  if (first_ping_ == Steady::time_point() || pause_.length.count() == 0) return;
  if (Steady::now() - first_ping_ < pause_.after) return;
  std::this_thread::sleep_for(pause_.length);
  pause_.length = {};
}

bool PausedServer::serve(Peer& peer) {
  std::array<char, 65'536> buffer;
  const ssize_t got = ::recv(peer.socket.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  peer.input.append(buffer.data(), static_cast<std::size_t>(got));

  const RespLimits limits;
  resp::RequestParser parser(limits);
  std::string replies;
  std::size_t pings = 0;
  while (parser.parse(peer.input, true) == resp::RequestParser::Status::kCommand) {
    const bool is_ping = parser.arguments()[0] == "PING";
    replies += is_ping ? "+PONG\r\n" : "-ERR this server answers PING\r\n";
    pings += is_ping;
    peer.input.erase(0, parser.consumed());
  }
  if (pings != 0) note_burst(pings);
  return ::send(peer.socket.get(), replies.data(), replies.size(), MSG_NOSIGNAL) == std::ssize(replies);
}

void PausedServer::note_burst(std::size_t pings) {
  if (first_ping_ == Steady::time_point()) first_ping_ = Steady::now();
  largest_burst_ = std::max<std::size_t>(largest_burst_, pings);
  smallest_burst_ = std::min<std::size_t>(smallest_burst_, pings);
}

}  // namespace minod::bench
