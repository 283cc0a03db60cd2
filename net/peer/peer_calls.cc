// Peers: whom it calls, and when again.
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>

#include "base/diag.h"
#include "net/peer/peers.h"

namespace minod {

void Peers::seek(std::optional<PeerAddress> address) {
  if (sought_ == address) return;
  sought_ = std::move(address);
  for (const int partition : options_.own) {
    const auto call = calls_.find({kNobody, partition});
    if (call == calls_.end()) continue;
    PeerLink* const link = call->second.link;
    calls_.erase(call);
    if (link != nullptr) link->close("another node is to be followed");
  }
}

void Peers::call_those_wanted(MonotonicNanos now) {
  if (sought_) {
    for (const int partition : options_.own) call_if_due({kNobody, partition}, *sought_, now);
  }
  if (gathers_) {
    for (const PeerEntry& one : book_.members()) {
      for (const int partition : options_.own) calls_[{one.member, partition}].wanted_until = now + Nanos(1);
    }
  }
  std::vector<Target> wanted;
  for (const auto& [target, call] : calls_) {
    if (target.first != kNobody && call.wanted_until > now) wanted.push_back(target);
  }
  for (const Target& target : wanted) {
    if (up_link(target) != nullptr) continue;
    const auto entry = book_.find(target.first);
    if (entry && entry->address.port != 0) call_if_due(target, entry->address, now);
  }
}

void Peers::call_if_due(const Target& target, const PeerAddress& address, MonotonicNanos now) {
  Call& call = calls_[target];
  if (call.link != nullptr || call.resolving || now < call.next) return;
  if (const auto numeric = numeric_address(address)) return dial(target, address, *numeric);
  call.resolving = true;
  auto found = std::make_shared<Result<SocketAddress>>(Error{});
  options_.run_aside([address, found] { *found = resolve(address); },
                     [this, target, address, found, alive = alive_] {
                       if (!*alive) return;
                       calls_[target].resolving = false;
                       if (*found) {
                         dial(target, address, **found);
                       } else {
                         failed(target, found->error().message());
                       }
                     });
}

void Peers::dial(const Target& target, const PeerAddress& address, const SocketAddress& at) {
  constexpr unsigned kUnacknowledgedMillisMax = 5000;
  Fd socket(::socket(at.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return failed(target, errno_error("a socket", errno).message());
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMillisMax, sizeof kUnacknowledgedMillisMax);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at.bytes), at.size) != 0 && errno != EINPROGRESS) {
    return failed(target, errno_error("can't connect", errno).message());
  }
  Ssl ssl = options_.tls == nullptr ? nullptr : options_.tls->called(socket.get(), address.host);
  auto link = std::make_unique<PeerLink>(PeerLink::Side::kCalled, PeerStream(std::move(socket), std::move(ssl)),
                                         text_of(address), clock_.monotonic());
  calls_[target].link = link.get();
  called_.emplace(link.get(), target);
  watch(std::move(link), own_hello(target.second));
}

// Also of a connection that was up: it is made again soon.
void Peers::failed(const Target& target, const std::string& why) {
  const auto found = calls_.find(target);
  if (found == calls_.end()) return;
  Call& call = found->second;
  call.link = nullptr;
  // Half to all of the pause, so that those who lost the same leader don't come all at once.
  const auto pause = static_cast<std::uint64_t>(call.pause.value());
  call.next = clock_.monotonic() + Nanos(static_cast<std::int64_t>(pause / 2 + random_.below(pause / 2 + 1)));
  call.pause = std::min(call.pause + call.pause, kCallPauseMax);
  const bool sought = target.first == kNobody;
  const std::string where = sought && sought_ ? text_of(*sought_) : "member " + text_of(target.first);
  if (call.last_trouble != why) {
    call.last_trouble = why;
    const std::string text = "no connection with " + where + ": " + why + "; it is tried again";
    sought ? diag::warning(text) : diag::verbose(text);
  }
  if (sought) events_.trouble(why);
}

}  // namespace minod
