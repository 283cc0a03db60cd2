// Shards' connections to each other, over real sockets of this machine, in one thread and with a clock of the test.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "net/peer/peers.h"

namespace minod::test {

inline constexpr MemberId kA{1, 2};
inline constexpr MemberId kB{3, 4};
inline constexpr MemberId kGroup{1, 2};

inline Leadership leadership(int number) { return {Epoch{number}, kA}; }

// The time of the test: only what is waited for in seconds needs it.
class SteppedClock final : public Clock {
 public:
  UnixMillis now() const override { return UnixMillis(at.value() / 1'000'000); }
  MonotonicNanos monotonic() const override { return at; }
  MonotonicNanos at{1'000'000'000};
};

struct Arrived {
  MemberId from;
  LogName log;
  Message message;
  std::string batches;
};

// One shard of a node: its poller, its listener and its connections.
struct Endpoint {
  Endpoint(MemberId id, MemberId group, SteppedClock& shared, int partitions = 1, const PeerTls* tls = nullptr)
      : clock(shared), book(id, {group, {}, {}}) {
    listener = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    EXPECT_EQ(::listen(listener.get(), 16), 0);
    socklen_t size = sizeof any;
    EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&any), &size), 0);
    address = {"127.0.0.1", ntohs(any.sin_port)};
    PeersOptions options;
    options.self = PeerEntry{id, {"", address.port}, 7000};
    options.partitions = partitions;
    for (int i = 0; i < partitions; ++i) options.own.push_back(i);
    options.tls = tls;
    options.run_aside = [](const std::function<void()>& job, const std::function<void()>& done) {
      job();
      done();
    };
    PeersEvents events;
    events.connected = [this](MemberId member, int, bool) { connected.push_back(member); };
    events.disconnected = [this](MemberId member) { disconnected.push_back(member); };
    events.frame = [this](MemberId from, const Frame& frame) {
      arrived.push_back({from, frame.log, frame.message, std::string(as_text(frame.batches))});
    };
    events.trouble = [this](const std::string& why) { trouble = why; };
    peers = std::make_unique<Peers>(poller, clock, random, book, std::move(options), std::move(events));
  }

  void turn() {
    Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
    if (socket) peers->take(std::move(socket));
    poller.serve(64);
    peers->turn();
    peers->tick();
  }

  SteppedClock& clock;
  SocketPoller poller;
  Random random{1};
  PeerBook book;
  Fd listener;
  PeerAddress address;
  std::vector<MemberId> connected;
  std::vector<MemberId> disconnected;
  std::vector<Arrived> arrived;
  std::string trouble;
  std::unique_ptr<Peers> peers;
};

class PeersTest : public testing::Test {
 protected:
  // Until it holds; a step of time with each turn.
  bool turn_until(const std::function<bool()>& holds, std::vector<Endpoint*> all, Nanos step = Nanos(1'000'000)) {
    for (int i = 0; i < 3000; ++i) {
      for (Endpoint* one : all) one->turn();
      if (holds()) return true;
      clock.at += step;
      ::usleep(100);
    }
    return false;
  }
  bool connect(Endpoint& from, Endpoint& to) {
    from.peers->seek(to.address);
    return turn_until([&] { return !from.connected.empty() && !to.connected.empty(); }, {&from, &to});
  }
  // What was written to a peer port by somebody who is no member.
  std::string answer_to(Endpoint& endpoint, std::string_view bytes) {
    Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
    const auto at = numeric_address(endpoint.address);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at->bytes), at->size), 0);
    EXPECT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    std::string got;
    const bool ended = turn_until(
        [&] {
          char buffer[4096];
          const ssize_t size = ::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
          if (size > 0) got.append(buffer, static_cast<std::size_t>(size));
          return size == 0 || (size < 0 && errno == ECONNRESET);
        },
        {&endpoint}, Nanos(50'000'000));
    return ended ? got : "still open";
  }

  SteppedClock clock;
};

}  // namespace minod::test
