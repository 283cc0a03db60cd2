// One connection between two members, about one partition number: whole frames in both directions, each end's Hello
// first. It belongs to one thread at a time: until it is up it may be taken to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_queue.h"
#include "base/ids.h"
#include "cluster/wire.h"
#include "net/peer/link_frame.h"
#include "net/peer/peer_stream.h"
#include "net/socket_poller.h"

namespace minod {

// What was handed over and has not left; more is lost. A protocol that looks at backlog() stays far below it.
inline constexpr std::size_t kLinkUnsentMax = std::size_t{128} << 20;
// Nothing comes for so long: the other end, or the way to it, is gone. It says something once a second.
inline constexpr Nanos kLinkSilenceMax{5'000'000'000};
inline constexpr Nanos kLinkPingAfter{1'000'000'000};
// From the start of a connection to the other's Hello, with TLS.
inline constexpr Nanos kLinkGreetingMax{5'000'000'000};

class PeerLink;

// What its owner is told, from inside ready() and tick(). The link must not be destroyed in a call.
struct LinkEvents {
  std::function<void(PeerLink&, const Hello&)> hello;  // the other's; accept() or goodbye() follows at some time
  std::function<void(PeerLink&, const Frame&)> frame;  // once it is up; what it points to goes with the call
  std::function<void(PeerLink&, const Members&)> members;
  std::function<void(PeerLink&, const LinkFrame&)> lease;
  std::function<void(PeerLink&, const std::string& why)> closed;  // the last call
};

class PeerLink {
 public:
  enum class Side : std::uint8_t { kCalled, kAccepted };

  // A socket that connects, or is connected. `about`: of a called one, which partition and host that is; for messages.
  PeerLink(Side side, PeerStream stream, std::string about, MonotonicNanos now);
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  // Served by this poller from now on. A called one sends `own` as soon as it is connected.
  Result<void> attach(SocketPoller& sockets, const LinkEvents& events, std::optional<Hello> own);
  // Served by none, to be attached elsewhere.
  void detach();

  // The other's Hello is fine: the link is up. `own`: this end's, unless it was sent.
  void accept(const Hello& own);

  // Lost when it is not up, or too much is unsent. What is sent leaves with flush().
  void send(std::vector<std::byte> frame);
  void flush();

  // Says why, as far as the socket takes it, and closes.
  void goodbye(const std::string& why);
  void close(const std::string& why);
  void tick(MonotonicNanos now);

  Side side() const { return side_; }
  bool up() const { return state_ == State::kUp; }
  bool closed() const { return state_ == State::kClosed; }
  const Hello& hello() const { return hello_; }  // the other's, once it came
  const std::string& about() const { return about_; }
  std::size_t unsent() const { return unsent_; }
  MonotonicNanos heard_at() const { return heard_at_; }
  int fd() const { return stream_.fd(); }

 private:
  enum class State : std::uint8_t { kConnecting, kGreeting, kJudged /* the owner looks at the Hello */, kUp, kClosed };

  void ready(std::uint32_t events);
  bool connected();
  void receive();
  void take_frames();
  bool take_one(Bytes& from);
  void hear(const LinkFrame& frame);
  void add(std::vector<std::byte> frame);

  struct Watch : SocketPoller::Member {
    PeerLink* link = nullptr;
  };

  Side side_;
  PeerStream stream_;
  std::string about_;
  State state_;
  SocketPoller* sockets_ = nullptr;
  const LinkEvents* events_ = nullptr;
  Watch watch_;
  std::optional<Hello> own_;  // to be sent when it is connected
  Hello hello_;
  bool greeted_ = false;  // the own Hello was sent
  ByteQueue in_;
  std::deque<std::vector<std::byte>> out_;
  std::size_t front_sent_ = 0;
  std::size_t unsent_ = 0;
  bool taking_ = false;
  bool queued_ = false;  // the poller calls again without an edge
  MonotonicNanos made_at_;
  MonotonicNanos heard_at_;
  MonotonicNanos sent_at_;
  MonotonicNanos now_;  // of the last tick: near enough for what is counted in seconds
};

}  // namespace minod
