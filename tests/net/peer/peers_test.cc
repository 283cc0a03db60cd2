// Two shards' connections to each other, and what others may send to a peer port.
#include "tests/net/peer/endpoint.h"

namespace minod {
namespace {

using namespace test;

TEST_F(PeersTest, WhoIsSoughtIsFoundAndEachKnowsTheOther) {
  Endpoint a(kA, kGroup, clock);
  Endpoint b(kB, kNobody, clock);
  ASSERT_TRUE(connect(b, a));
  EXPECT_EQ(a.connected, std::vector<MemberId>{kB});
  EXPECT_EQ(b.connected, std::vector<MemberId>{kA});
  EXPECT_EQ(b.book.group(), kGroup);
  EXPECT_EQ(b.book.find(kA), (PeerEntry{kA, a.address, 7000}));
  EXPECT_EQ(a.book.find(kB), (PeerEntry{kB, b.address, 7000}));
}

TEST_F(PeersTest, MessagesTravelBothWaysInOrderWithTheirBatches) {
  Endpoint a(kA, kGroup, clock);
  Endpoint b(kB, kNobody, clock);
  ASSERT_TRUE(connect(b, a));
  constexpr int kCount = 200;
  const auto batches = std::make_shared<const std::vector<std::byte>>(std::size_t{300} << 10, std::byte{7});
  for (int i = 0; i < kCount; ++i) {
    b.peers->send(kA, LogName{3, 0}, Refusal{leadership(i)}, nullptr);
    Answer answer;
    answer.next = Offset(i);
    a.peers->send(kB, LogName{0, 0}, answer, i % 2 == 0 ? batches : nullptr);
  }
  EXPECT_GT(a.peers->backlog(kB), std::size_t{10} << 20);
  ASSERT_TRUE(turn_until([&] { return a.arrived.size() == kCount && b.arrived.size() == kCount; }, {&a, &b}));
  for (int i = 0; i < kCount; ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(a.arrived[at].message, Message(Refusal{leadership(i)}));
    EXPECT_EQ(a.arrived[at].from, kB);
    EXPECT_EQ(a.arrived[at].log, (LogName{3, 0}));
    EXPECT_EQ(std::get<Answer>(b.arrived[at].message).next, Offset(i));
    EXPECT_EQ(b.arrived[at].batches.size(), i % 2 == 0 ? batches->size() : 0);
  }
  EXPECT_EQ(a.peers->backlog(kB), 0u);
}

TEST_F(PeersTest, WhatIsUnsentIsBounded) {
  Endpoint a(kA, kGroup, clock);
  Endpoint b(kB, kNobody, clock);
  ASSERT_TRUE(connect(b, a));
  const auto batches = std::make_shared<const std::vector<std::byte>>(std::size_t{16} << 20, std::byte{7});
  for (int i = 0; i < 20; ++i) a.peers->send(kB, LogName(), Answer(), batches);
  EXPECT_LE(a.peers->backlog(kB), kLinkUnsentMax);
  EXPECT_GT(a.peers->backlog(kB), kLinkUnsentMax / 2);
}

TEST_F(PeersTest, WhoIsToldSomethingIsCalledWhereItWasSeenLast) {
  Endpoint a(kA, kGroup, clock);
  Endpoint b(kB, kGroup, clock);
  a.book.note(PeerEntry{kB, b.address, 0});
  a.peers->send(kB, LogName(), Promise{leadership(5)}, nullptr);
  ASSERT_TRUE(turn_until([&] { return !b.arrived.empty(); }, {&a, &b}));
  EXPECT_EQ(b.arrived.front().message, Message(Promise{leadership(5)}));
}

TEST_F(PeersTest, WhoLeadsGathersAllThatAreKnown) {
  Endpoint a(kA, kGroup, clock);
  Endpoint b(kB, kGroup, clock);
  a.book.note(PeerEntry{kB, b.address, 0});
  EXPECT_FALSE(turn_until([&] { return !a.connected.empty(); }, {&a, &b}));
  a.peers->gather(true);
  EXPECT_TRUE(turn_until([&] { return !a.connected.empty() && !b.connected.empty(); }, {&a, &b}));
}

TEST_F(PeersTest, AThirdIsHeardOf) {
  constexpr MemberId kC{5, 6};
  Endpoint a(kA, kGroup, clock);
  Endpoint b(kB, kNobody, clock);
  Endpoint c(kC, kNobody, clock);
  ASSERT_TRUE(connect(b, a));
  c.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return b.book.find(kC) && c.book.find(kB); }, {&a, &b, &c}));
  EXPECT_EQ(b.book.find(kC)->address, c.address);
  EXPECT_EQ(c.book.find(kB)->address, b.address);
}

TEST_F(PeersTest, WhoHasGoneIsCalledAgain) {
  Endpoint b(kB, kNobody, clock);
  auto a = std::make_unique<Endpoint>(kA, kGroup, clock);
  ASSERT_TRUE(connect(b, *a));
  a->peers->close_all();
  ASSERT_TRUE(turn_until([&] { return b.connected.size() == 2; }, {a.get(), &b}));
  EXPECT_EQ(b.disconnected, std::vector<MemberId>{kA});
}

TEST_F(PeersTest, WhoSaysNothingIsGivenUpAndWhoSaysLittleIsNot) {
  Endpoint a(kA, kGroup, clock);
  Endpoint b(kB, kNobody, clock);
  ASSERT_TRUE(connect(b, a));
  for (int i = 0; i < 100; ++i) {
    clock.at += Nanos(200'000'000);
    a.turn();
    b.turn();
    ::usleep(1000);
  }
  EXPECT_TRUE(b.disconnected.empty());
  // As if the network swallowed all.
  for (int i = 0; i < 30; ++i) {
    clock.at += Nanos(200'000'000);
    b.peers->tick();
  }
  EXPECT_EQ(b.disconnected, std::vector<MemberId>{kA});
}

TEST_F(PeersTest, AnotherGroupIsTurnedAwayAndToldWhy) {
  Endpoint a(kA, kGroup, clock);
  Endpoint b(kB, MemberId{9, 9}, clock);
  b.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return !b.trouble.empty(); }, {&a, &b}));
  EXPECT_NE(b.trouble.find("that one of group 00000000000000090000000000000009"), std::string::npos) << b.trouble;
  EXPECT_TRUE(a.connected.empty());
  b.book.leave();
  EXPECT_TRUE(turn_until([&] { return !b.connected.empty(); }, {&a, &b}));
}

TEST_F(PeersTest, AnotherNumberOfPartitionsIsTurnedAway) {
  Endpoint a(kA, kGroup, clock, 2);
  Endpoint b(kB, kNobody, clock, 1);
  b.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return !b.trouble.empty(); }, {&a, &b}));
  EXPECT_NE(b.trouble.find("that one 1; start the new one"), std::string::npos) << b.trouble;
}

TEST_F(PeersTest, OneThatCallsItselfIsToldSo) {
  Endpoint a(kA, kGroup, clock);
  a.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return !a.trouble.empty(); }, {&a}));
  EXPECT_NE(a.trouble.find("the same node"), std::string::npos) << a.trouble;
}

TEST_F(PeersTest, AConnectionAboutAnothersPartitionIsHandedOn) {
  Endpoint a(kA, kGroup, clock);
  std::vector<std::unique_ptr<PeerLink>> handed;
  Endpoint other(kA, kGroup, clock, 2);
  PeersOptions options;
  options.self = PeerEntry{kA, {"", a.address.port}, 0};
  options.partitions = 2;
  options.own = {0};
  PeersEvents events;
  events.elsewhere = [&](std::unique_ptr<PeerLink> link) { handed.push_back(std::move(link)); };
  a.peers = std::make_unique<Peers>(a.poller, clock, a.random, a.book, std::move(options), std::move(events));

  Endpoint b(kB, kNobody, clock, 2);
  b.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return !handed.empty(); }, {&a, &b}));
  EXPECT_EQ(handed.front()->hello().partition, 1);
  b.peers->send(kA, LogName{0, 1}, Refusal{leadership(1)}, nullptr);  // before it is welcome
  other.peers->adopt(std::move(handed.front()));
  ASSERT_TRUE(turn_until([&] { return b.connected.size() == 2; }, {&a, &b, &other}));
  b.peers->send(kA, LogName{0, 1}, Refusal{leadership(2)}, nullptr);
  ASSERT_TRUE(turn_until([&] { return other.arrived.size() == 2; }, {&a, &b, &other}));
  EXPECT_EQ(other.arrived.front().message, Message(Refusal{leadership(1)}));
}

// ---- what nobody should send

TEST_F(PeersTest, WhatIsNoHelloEndsTheConnection) {
  Endpoint a(kA, kGroup, clock);
  const auto refusal = encode_frame(LogName(), Refusal{leadership(1)});
  const auto ping = encode_link_frame(Ping());
  for (const std::string_view bytes :
       {std::string_view("*1\r\n$4\r\nPING\r\n"), std::string_view("GET / HTTP/1.1\r\n\r\n"),
        std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9), as_text(Bytes(refusal)), as_text(Bytes(ping))}) {
    EXPECT_NE(answer_to(a, bytes), "still open");
  }
  EXPECT_TRUE(a.connected.empty());
  EXPECT_EQ(a.peers->count(), 0u);
}

// A valid conversation with bytes changed, cut or repeated: never a crash, and never a message that was not sent.
TEST_F(PeersTest, DamagedFramesEndTheConnection) {
  Endpoint a(kA, kGroup, clock);
  Hello hello;
  hello.self = PeerEntry{kB, {"", 0}, 0};
  std::vector<std::byte> good = encode_link_frame(hello);
  for (const auto& more : {encode_link_frame(Members{{PeerEntry{MemberId{7, 7}, {"10.0.0.1", 1}, 2}}}),
                           encode_frame(LogName(), Refusal{leadership(1)}), encode_link_frame(Ping())}) {
    good.insert(good.end(), more.begin(), more.end());
  }
  Random random(7);
  int whole = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> bytes = good;
    const std::uint64_t how = random.below(3);
    const auto at = static_cast<std::ptrdiff_t>(random.below(bytes.size()));
    if (how == 0) bytes[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1 + random.below(255));
    if (how == 1) bytes.erase(bytes.begin() + at);
    if (how == 2) bytes.insert(bytes.begin() + at, static_cast<std::byte>(random.below(256)));
    // A frame that cannot be one ends it, if the change only made the last incomplete.
    bytes.insert(bytes.end(), 64, std::byte{0xff});
    EXPECT_NE(answer_to(a, as_text(Bytes(bytes))), "still open") << "round " << round;
    for (const Arrived& one : a.arrived) EXPECT_EQ(one.message, Message(Refusal{leadership(1)}));
    whole += static_cast<int>(a.arrived.size());
    a.arrived.clear();
    for (const PeerEntry& one : a.book.members()) EXPECT_TRUE(one.member == kB || one.member == (MemberId{7, 7}));
  }
  EXPECT_GT(whole, 0);  // damage behind the message
  EXPECT_EQ(a.peers->count(), 0u);
}

TEST_F(PeersTest, AMessageAboutAnotherPartitionEndsTheConnection) {
  Endpoint a(kA, kGroup, clock, 2);
  Endpoint b(kB, kNobody, clock, 2);
  b.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return b.connected.size() == 2 && a.connected.size() == 2; }, {&a, &b}));
  Hello hello;
  hello.partitions = 2;
  hello.self = PeerEntry{MemberId{7, 7}, {"", 0}, 0};
  std::vector<std::byte> bytes = encode_link_frame(hello);
  const auto wrong = encode_frame(LogName{0, 1}, Refusal{leadership(1)});
  bytes.insert(bytes.end(), wrong.begin(), wrong.end());
  EXPECT_NE(answer_to(a, as_text(Bytes(bytes))).find("came over the connection of partition 0"), std::string::npos);
  EXPECT_TRUE(a.arrived.empty());
}

TEST_F(PeersTest, StrangersThatSayNothingAreClosed) {
  Endpoint a(kA, kGroup, clock);
  std::vector<Fd> silent;
  for (int i = 0; i < 20; ++i) {
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));
    const auto at = numeric_address(a.address);
    ASSERT_EQ(::connect(silent.back().get(), reinterpret_cast<const sockaddr*>(&at->bytes), at->size), 0);
    a.turn();
  }
  ASSERT_TRUE(turn_until([&] { return a.peers->count() == 20; }, {&a}));
  clock.at += kLinkGreetingMax + Nanos(1);
  a.turn();
  EXPECT_EQ(a.peers->count(), 0u);
}

}  // namespace
}  // namespace minod
