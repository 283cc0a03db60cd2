#include "net/socket_poller.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace minod {
namespace {

struct Counted : SocketPoller::Member {
  int calls = 0;
  std::uint32_t events = 0;
};

// A connected pair; `member` counts the calls for `ours`.
struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ours = Fd(fds[0]);
    theirs = Fd(fds[1]);
    member.ready = [](SocketPoller::Member& self, std::uint32_t events) {
      auto& counted = static_cast<Counted&>(self);
      ++counted.calls;
      counted.events = events;
    };
  }
  void send(const std::string& text) {
    ASSERT_EQ(::write(theirs.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  Fd ours;
  Fd theirs;
  Counted member;
};

bool would_wake(const SocketPoller& poller) {
  pollfd watched{poller.fd(), POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

// What is ready before a test begins: a new socket can be written.
void settle(SocketPoller& poller, Pair& pair) {
  poller.serve(8);
  pair.member.calls = 0;
}

TEST(SocketPoller, CallsOnceForEachEdge) {
  SocketPoller poller;
  Pair pair;
  ASSERT_TRUE(poller.add(pair.ours.get(), pair.member));
  settle(poller, pair);
  EXPECT_FALSE(would_wake(poller));

  pair.send("a");
  EXPECT_TRUE(would_wake(poller));
  EXPECT_EQ(poller.serve(8), 1u);
  EXPECT_EQ(pair.member.calls, 1);
  EXPECT_NE(pair.member.events & EPOLLIN, 0u);
  EXPECT_EQ(poller.serve(8), 0u) << "what was not read is no new edge";

  pair.send("b");
  EXPECT_EQ(poller.serve(8), 1u);
}

TEST(SocketPoller, InputThatWasThereBeforeItWasAddedCounts) {
  SocketPoller poller;
  Pair pair;
  pair.send("a");
  ASSERT_TRUE(poller.add(pair.ours.get(), pair.member));
  EXPECT_EQ(poller.serve(8), 1u);
  EXPECT_NE(pair.member.events & EPOLLIN, 0u);
}

TEST(SocketPoller, AgainCallsWithoutAnEdge) {
  SocketPoller poller;
  Pair pair;
  ASSERT_TRUE(poller.add(pair.ours.get(), pair.member));
  settle(poller, pair);
  poller.again(pair.member);
  EXPECT_EQ(poller.serve(8), 1u);
  EXPECT_EQ(pair.member.events, static_cast<std::uint32_t>(EPOLLIN));
  EXPECT_EQ(poller.serve(8), 0u);
}

TEST(SocketPoller, AForgottenMemberIsNotCalled) {
  SocketPoller poller;
  Pair pair;
  ASSERT_TRUE(poller.add(pair.ours.get(), pair.member));
  settle(poller, pair);
  poller.again(pair.member);
  pair.send("a");
  pair.ours = Fd();
  poller.forget(pair.member);
  EXPECT_EQ(poller.serve(8), 0u);
}

TEST(SocketPoller, AMemberForgottenWithItsEventOnTheWayIsNotCalled) {
  SocketPoller poller;
  std::vector<Pair> pairs(20);
  for (Pair& pair : pairs) ASSERT_TRUE(poller.add(pair.ours.get(), pair.member));
  EXPECT_EQ(poller.serve(8), 8u);
  int called = 0;
  for (Pair& pair : pairs) {
    called += pair.member.calls;
    pair.ours = Fd();
    poller.forget(pair.member);
  }
  poller.serve(64);
  for (const Pair& pair : pairs) called -= pair.member.calls;
  EXPECT_EQ(called, 0);
}

TEST(SocketPoller, SaysWhenThePeerHasGone) {
  SocketPoller poller;
  Pair pair;
  ASSERT_TRUE(poller.add(pair.ours.get(), pair.member));
  settle(poller, pair);
  pair.theirs = Fd();
  EXPECT_EQ(poller.serve(8), 1u);
  EXPECT_NE(pair.member.events & EPOLLRDHUP, 0u);
}

TEST(SocketPoller, ServesAsManyAsAskedAndKeepsTheRest) {
  SocketPoller poller;
  std::vector<Pair> pairs(100);
  for (Pair& pair : pairs) ASSERT_TRUE(poller.add(pair.ours.get(), pair.member));
  std::size_t served = 0;
  for (int slice = 0; slice < 12; ++slice) {
    EXPECT_EQ(poller.serve(8), 8u);
    served += 8;
  }
  EXPECT_EQ(poller.serve(8), 100 - served);
  for (const Pair& pair : pairs) EXPECT_EQ(pair.member.calls, 1);
}

TEST(SocketPoller, ASocketThatCannotBeWatchedIsAnError) {
  SocketPoller poller;
  Counted member;
  const auto added = poller.add(-1, member);
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().message().find("watch a client's socket"), std::string::npos);
}

}  // namespace
}  // namespace minod
