#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cmath>
#include <string>

#include "base/clock.h"
#include "tools/bench_connection.h"
#include "tools/bench_ledger.h"
#include "tools/bench_values.h"

namespace minod::bench {
namespace {

std::string stamped_value(std::size_t size, Stamp stamp) {
  std::string value(size, '\0');
  Random random(1);
  fill_value(value.data(), size, 0.5, random);
  stamp_value(value.data(), size, stamp);
  return value;
}

TEST(Stamp, ComesBackAndNoByteMayChange) {
  std::string value = stamped_value(100, {42, 7});
  ASSERT_TRUE(read_stamp(value).has_value());
  EXPECT_EQ(read_stamp(value)->key, 42u);
  EXPECT_EQ(read_stamp(value)->version, 7u);
  for (char& byte : value) {
    byte = static_cast<char>(byte ^ 0x10);
    EXPECT_FALSE(read_stamp(value).has_value());
    byte = static_cast<char>(byte ^ 0x10);
  }
  for (std::size_t size = 0; size < value.size(); ++size) EXPECT_FALSE(read_stamp(value.substr(0, size)).has_value());
  EXPECT_TRUE(read_stamp(stamped_value(kStampBytes, {1, 2})).has_value());
}

TEST(Ledger, Verdicts) {
  Ledger ledger(10, 5, false);
  const std::uint32_t older = ledger.next_version();
  const std::uint32_t newer = ledger.next_version();
  const std::string old_value = stamped_value(50, {3, ledger.stamped(older)});
  const std::string new_value = stamped_value(50, {3, ledger.stamped(newer)});

  EXPECT_EQ(ledger.check(3, std::nullopt), Verdict::kMiss);
  EXPECT_EQ(ledger.check(3, old_value), Verdict::kRight);  // left by somebody before
  ledger.written(3, newer);
  EXPECT_EQ(ledger.check(3, new_value), Verdict::kRight);
  EXPECT_EQ(ledger.check(3, old_value), Verdict::kStale);
  EXPECT_EQ(ledger.check(3, std::nullopt), Verdict::kLost);
  EXPECT_EQ(ledger.check(4, new_value), Verdict::kForeign);
  EXPECT_EQ(ledger.check(3, "junk"), Verdict::kCorrupt);
  ledger.removed(3);
  EXPECT_EQ(ledger.check(3, std::nullopt), Verdict::kMiss);
  EXPECT_EQ(ledger.check(3, new_value), Verdict::kStale);
  ledger.unclear(3);
  EXPECT_EQ(ledger.check(3, new_value), Verdict::kRight);
  EXPECT_EQ(ledger.check(3, std::nullopt), Verdict::kMiss);
}

TEST(Ledger, KeysThatExpireMayBeGone) {
  Ledger ledger(10, 5, true);
  ledger.written(3, ledger.next_version());
  EXPECT_EQ(ledger.check(3, std::nullopt), Verdict::kMiss);
}

TEST(ValueSizes, DistributionsHaveTheirShape) {
  Random random(1);
  const auto uniform = *ValueSizes::parse("uniform:16-1kb");
  EXPECT_NEAR(uniform.mean(), 520, 1);
  EXPECT_EQ(uniform.largest(), 1024u);
  const auto lognormal = *ValueSizes::parse("lognormal:200-0.5");
  EXPECT_NEAR(lognormal.mean(), 200 * std::exp(0.125), 2);
  EXPECT_EQ(ValueSizes::parse("4kb")->pick(random), 4096u);
  for (const char* text :
       {"", "x", "17mb", "uniform:9-3", "uniform:3", "lognormal:200", "lognormal:200-9", "other:1-2"}) {
    EXPECT_FALSE(ValueSizes::parse(text).has_value()) << text;
  }
}

// A verifying connection; the test plays the server.
class Verified : public testing::Test {
 protected:
  void open(Operation operation) {
    options_.mix = Mix::of(operation);
    options_.keys = 1;
    options_.mget_keys = 2;
    int sockets[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    server_ = Fd(sockets[1]);
    RequestSource source({options_, newest_, &ledger_}, Stripe{}, 1000);
    connection_.emplace(Fd(sockets[0]), std::move(source), 4, &ledger_);
  }

  std::string request() {
    connection_->request(MonotonicNanos(0));
    return sent();
  }
  std::string sent() {
    EXPECT_TRUE(connection_->flush().has_value());
    std::string text(4096, '\0');
    const ssize_t size = ::recv(server_.get(), text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }
  void answer(std::string_view reply) {
    std::array<std::byte, 64> scratch;  // smaller than a reply: it comes in pieces
    ASSERT_EQ(::send(server_.get(), reply.data(), reply.size(), 0), static_cast<ssize_t>(reply.size()));
    for (std::size_t i = 0; i <= reply.size() / scratch.size(); ++i) {
      ASSERT_TRUE(connection_->receive(clock_, scratch, tally_).has_value());
    }
  }
  static std::string bulk(const std::string& value) {
    return "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
  }

  SystemClock clock_;
  Options options_;
  std::atomic<std::uint64_t> newest_{1};
  Ledger ledger_{1, 9, false};
  Tally tally_{{MonotonicNanos(0), MonotonicNanos(0), MonotonicNanos(1)}};
  Fd server_;
  std::optional<Connection> connection_;
};

TEST_F(Verified, GetsAreCheckedAgainstTheAcknowledgedSet) {
  open(Operation::kRmw);
  EXPECT_EQ(request(), "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n");
  answer("$-1\r\n");
  const std::string set = sent();
  const std::string head = "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$100\r\n";
  ASSERT_EQ(set.substr(0, head.size()), head);
  ASSERT_EQ(set.size(), head.size() + 102);
  const std::string value = set.substr(head.size(), 100);
  answer("+OK\r\n");
  EXPECT_EQ(tally_.latency(Operation::kRmw).count(), 1u);

  request();
  answer(bulk(value));
  EXPECT_EQ(tally_.errors(), 0u);
  sent();
  answer("-OOM full\r\n");  // now nobody knows what the key holds
  request();
  answer(bulk(value));
  EXPECT_EQ(tally_.wrong_reads(), 0u);
  sent();
  answer("+OK\r\n");
  request();
  answer(bulk(value));
  EXPECT_EQ(tally_.failures().at("verify:stale").count, 1u);
  sent();
  answer("+OK\r\n");
  request();
  answer("$-1\r\n");
  EXPECT_EQ(tally_.failures().at("verify:lost").count, 1u);
  EXPECT_EQ(tally_.failures().at("OOM").count, 1u);
  EXPECT_EQ(tally_.wrong_reads(), 2u);
}

TEST_F(Verified, EveryKeyOfAnMgetIsChecked) {
  open(Operation::kMget);
  ledger_.written(0, 77);
  const std::string value = stamped_value(90, {0, ledger_.stamped(77)});
  request();
  answer("*2\r\n" + bulk(value) + bulk("junk"));
  EXPECT_EQ(tally_.failures().at("verify:corrupt").count, 1u);
  request();
  answer("*1\r\n" + bulk(value));
  EXPECT_EQ(tally_.failures().at("verify:shape").count, 1u);
  request();
  answer("*2\r\n" + bulk(value) + bulk(value));
  EXPECT_EQ(tally_.wrong_reads(), 2u);
}

TEST(Options, YcsbAndWhatDoesNotFitTogether) {
  Options options;
  ASSERT_TRUE(apply_ycsb(options, "B", false).has_value());
  EXPECT_EQ(mix_text(options.mix), "get=95,set=5");
  EXPECT_EQ(options.distribution.kind, KeyDistribution::Kind::kZipfian);
  ASSERT_TRUE(apply_ycsb(options, "F", true).has_value());
  EXPECT_EQ(mix_text(options.mix), "get=50,rmw=50");
  EXPECT_NE(apply_ycsb(options, "E", false).error().detail.find("not applicable"), std::string::npos);
  EXPECT_FALSE(apply_ycsb(options, "Z", false).has_value());

  options.poisson = true;
  EXPECT_FALSE(settle(options).has_value());
  options.rate = 10;
  EXPECT_TRUE(settle(options).has_value());
  options.connections = 0;
  EXPECT_FALSE(settle(options).has_value());
}

}  // namespace
}  // namespace minod::bench
