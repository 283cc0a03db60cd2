#include "net/peer/peer_link.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace minod {

namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr std::size_t kReadBytesAtOnce = std::size_t{1} << 20;  // then the others have their turn
constexpr std::size_t kJoinedBytes = std::size_t{64} << 10;     // small frames share a buffer, and a system call
constexpr std::size_t kKeptMemory = std::size_t{256} << 10;

}  // namespace

PeerLink::PeerLink(Side side, PeerStream stream, std::string about, MonotonicNanos now)
    : side_(side),
      stream_(std::move(stream)),
      about_(std::move(about)),
      state_(side == Side::kCalled ? State::kConnecting : State::kGreeting),
      made_at_(now),
      heard_at_(now),
      sent_at_(now),
      now_(now) {
  watch_.link = this;
  watch_.ready = [](SocketPoller::Member& member, std::uint32_t events) {
    static_cast<Watch&>(member).link->ready(events);
  };
}

PeerLink::~PeerLink() { detach(); }

Result<void> PeerLink::attach(SocketPoller& sockets, const LinkEvents& events, std::optional<Hello> own) {
  events_ = &events;
  own_ = std::move(own);
  if (auto added = sockets.add(stream_.fd(), watch_); !added) return added;
  sockets_ = &sockets;
  return {};
}

void PeerLink::detach() {
  if (sockets_ == nullptr) return;
  if (stream_.fd() >= 0) sockets_->remove(stream_.fd());
  sockets_->forget(watch_);
  sockets_ = nullptr;
  queued_ = false;
}

// ---- what the socket says

void PeerLink::ready(std::uint32_t events) {
  queued_ = false;
  if (state_ == State::kClosed) return;
  if (state_ == State::kConnecting && !((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 && connected())) return;
  // With TLS either direction may wait for the other.
  flush();
  receive();
  flush();
}

bool PeerLink::connected() {
  int failure = 0;
  socklen_t size = sizeof failure;
  if (::getsockopt(stream_.fd(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
  if (failure != 0) {
    close(errno_error("can't connect", failure).message());
    return false;
  }
  sockaddr_storage peer{};
  socklen_t peer_size = sizeof peer;
  if (::getpeername(stream_.fd(), reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return false;  // not yet
  state_ = State::kGreeting;
  if (own_) {
    greeted_ = true;
    add(encode_link_frame(*own_));
  }
  return true;
}

void PeerLink::receive() {
  std::size_t all = 0;
  take_frames();  // those that came behind a Hello that was judged meanwhile
  while (state_ != State::kClosed) {
    // While its Hello is judged, what follows stays where it is.
    if (state_ == State::kJudged) return;
    if (all >= kReadBytesAtOnce) {
      if (!std::exchange(queued_, true)) sockets_->again(watch_);
      return;
    }
    char* const into = in_.reserve(kReadBytes);
    const auto got = stream_.read(MutableBytes(reinterpret_cast<std::byte*>(into), in_.room()));
    if (!got) {
      if (got.error().code != Errc::kBusy) close(got.error().message());
      break;
    }
    in_.grew(*got);
    all += *got;
    heard_at_ = now_;
    take_frames();
  }
  if (in_.empty()) in_.shrink(kKeptMemory);
}

void PeerLink::take_frames() {
  if (std::exchange(taking_, true)) return;
  Bytes from = as_bytes(in_.view());
  while (state_ == State::kGreeting || state_ == State::kUp) {
    const Bytes before = from;
    if (!take_one(from)) break;
    in_.consume(before.size() - from.size());
  }
  taking_ = false;
}

// False: there is no whole frame, or the connection has ended.
bool PeerLink::take_one(Bytes& from) {
  const auto ends = [this](const Error& error) {
    if (error.code != Errc::kTorn) goodbye(error.message());
    return false;
  };
  if (from.size() <= kFrameHeaderSize) return ends(Error{Errc::kTorn, 0, ""});
  if (is_link_frame(from)) {
    const auto frame = take_link_frame(from);
    if (!frame) return ends(frame.error());
    hear(*frame);
    return state_ != State::kClosed;
  }
  if (state_ != State::kUp) {
    return ends(Error{Errc::kCorrupt, 0,
                      "what another node sent does not begin with its Hello; is it a minod's peer port of this "
                      "version, and do both use TLS or neither?"});
  }
  const auto frame = take_frame(from);
  if (!frame) return ends(frame.error());
  events_->frame(*this, *frame);
  return state_ != State::kClosed;
}

void PeerLink::hear(const LinkFrame& frame) {
  if (const auto* const goodbye = std::get_if<Goodbye>(&frame)) return close("the other node says: " + goodbye->why);
  const auto* const hello = std::get_if<Hello>(&frame);
  if ((state_ == State::kGreeting) != (hello != nullptr)) {
    return this->goodbye("a Hello is the first frame, and the only one");
  }
  if (hello != nullptr) {
    hello_ = *hello;
    state_ = State::kJudged;
    events_->hello(*this, hello_);
  } else if (const auto* const members = std::get_if<Members>(&frame)) {
    events_->members(*this, *members);
  } else if (std::holds_alternative<LeaseAsked>(frame) || std::holds_alternative<LeaseGranted>(frame)) {
    events_->lease(*this, frame);
  }
}

void PeerLink::accept(const Hello& own) {
  if (state_ != State::kJudged) return;
  if (!std::exchange(greeted_, true)) add(encode_link_frame(own));
  state_ = State::kUp;
  heard_at_ = now_;
  // What came behind the Hello, here or on the thread before: no edge tells of it.
  if (!taking_ && sockets_ != nullptr && !std::exchange(queued_, true)) sockets_->again(watch_);
}

// ---- what leaves

void PeerLink::add(std::vector<std::byte> frame) {
  unsent_ += frame.size();
  if (!out_.empty() && out_.back().size() + frame.size() <= kJoinedBytes) {
    out_.back().insert(out_.back().end(), frame.begin(), frame.end());
  } else {
    out_.push_back(std::move(frame));
  }
}

void PeerLink::send(std::vector<std::byte> frame) {
  if (state_ == State::kUp && unsent_ + frame.size() <= kLinkUnsentMax) add(std::move(frame));
}

void PeerLink::flush() {
  if (state_ == State::kConnecting) return;
  while (state_ != State::kClosed && !out_.empty()) {
    const auto sent = stream_.write(Bytes(out_.front()).subspan(front_sent_));
    if (!sent) {
      if (sent.error().code != Errc::kBusy) close(sent.error().message());
      return;
    }
    sent_at_ = now_;
    unsent_ -= *sent;
    front_sent_ += *sent;
    if (front_sent_ < out_.front().size()) continue;
    out_.pop_front();
    front_sent_ = 0;
  }
}

// ---- the end

void PeerLink::goodbye(const std::string& why) {
  if (state_ == State::kClosed) return;
  if (state_ != State::kConnecting) {
    add(encode_link_frame(Goodbye{why}));
    flush();
  }
  close(why);
}

void PeerLink::close(const std::string& why) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  detach();
  stream_ = PeerStream();
  out_.clear();
  unsent_ = front_sent_ = 0;
  if (events_ != nullptr) events_->closed(*this, why);
}

void PeerLink::tick(MonotonicNanos now) {
  now_ = now;
  if (state_ == State::kClosed) return;
  if (state_ != State::kUp) {
    if (now - made_at_ > kLinkGreetingMax) close("it takes too long to connect");
    return;
  }
  if (now - heard_at_ > kLinkSilenceMax) return close("nothing was heard for 5 s");
  if (now - sent_at_ > kLinkPingAfter && unsent_ == 0) {
    add(encode_link_frame(Ping()));
    flush();
  }
}

}  // namespace minod
