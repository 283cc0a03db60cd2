// Connections between members by TLS, with certificates that the test makes.
#include "tests/net/peer/certificates.h"
#include "tests/net/peer/endpoint.h"

namespace minod {
namespace {

using namespace test;

class PeersTlsTest : public PeersTest {
 protected:
  std::unique_ptr<PeerTls> load(const Certificates& from, const std::string& name, bool check_name = true) {
    auto tls = PeerTls::load({from.file(name + ".pem"), from.file(name + ".key"), from.file("ca.pem"), check_name});
    EXPECT_TRUE(tls) << tls.error().message();
    return tls ? std::move(*tls) : nullptr;
  }
  Certificates good{{"a", "IP:127.0.0.1"}, {"elsewhere", "DNS:other.example"}};
  Certificates foreign{{"a", "IP:127.0.0.1"}};
};

TEST_F(PeersTlsTest, MembersOfOneAuthorityTalk) {
  const auto tls = load(good, "a");
  Endpoint a(kA, kGroup, clock, 1, tls.get());
  Endpoint b(kB, kNobody, clock, 1, tls.get());
  ASSERT_TRUE(connect(b, a)) << b.trouble;
  const auto batches = std::make_shared<const std::vector<std::byte>>(std::size_t{3} << 20, std::byte{7});
  for (int i = 0; i < 10; ++i) a.peers->send(kB, LogName(), Answer(), batches);
  b.peers->send(kA, LogName(), Refusal{leadership(1)}, nullptr);
  ASSERT_TRUE(turn_until([&] { return b.arrived.size() == 10 && a.arrived.size() == 1; }, {&a, &b}));
  EXPECT_EQ(b.arrived.back().batches.size(), batches->size());
}

TEST_F(PeersTlsTest, AForeignCertificateIsRefusedByEitherEnd) {
  const auto ours = load(good, "a");
  const auto theirs = load(foreign, "a");
  Endpoint a(kA, kGroup, clock, 1, ours.get());
  Endpoint b(kB, kNobody, clock, 1, theirs.get());
  b.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return !b.trouble.empty(); }, {&a, &b}));
  EXPECT_NE(b.trouble.find("certificate"), std::string::npos) << b.trouble;
  EXPECT_TRUE(a.connected.empty());
}

TEST_F(PeersTlsTest, ACertificateOfAnotherHostIsRefused) {
  const auto tls = load(good, "elsewhere");
  Endpoint a(kA, kGroup, clock, 1, tls.get());
  Endpoint b(kB, kNobody, clock, 1, tls.get());
  b.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return !b.trouble.empty(); }, {&a, &b}));
  EXPECT_NE(b.trouble.find("certificate"), std::string::npos) << b.trouble;
  const auto lax = load(good, "elsewhere", false);
  Endpoint c(kB, kNobody, clock, 1, lax.get());
  EXPECT_TRUE(connect(c, a)) << c.trouble;
}

TEST_F(PeersTlsTest, PlainAndTlsDoNotTalk) {
  const auto tls = load(good, "a");
  Endpoint a(kA, kGroup, clock, 1, tls.get());
  Endpoint plain(kB, kNobody, clock);
  plain.peers->seek(a.address);
  ASSERT_TRUE(turn_until([&] { return !plain.trouble.empty(); }, {&a, &plain}));
  EXPECT_TRUE(a.connected.empty());
}

TEST_F(PeersTlsTest, BadFilesAreNamed) {
  const auto key = PeerTls::load({good.file("a.pem"), foreign.file("a.key"), good.file("ca.pem"), true});
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().message().find("peer-tls-key-file"), std::string::npos) << key.error().message();
  const auto missing = PeerTls::load({good.file("nothing.pem"), good.file("a.key"), good.file("ca.pem"), true});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("peer-tls-cert-file"), std::string::npos);
}

}  // namespace
}  // namespace minod
