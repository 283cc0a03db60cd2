#include "store/reply.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace minod {
namespace {

// What `build` makes in a protocol.
template <class Build>
std::string encoded(Protocol protocol, Build build) {
  ByteQueue out;
  Reply reply(out, protocol);
  build(reply);
  return std::string(out.view());
}

template <class Build>
void expect(Build build, std::string_view resp2, std::string_view resp3) {
  EXPECT_EQ(encoded(Protocol::kResp2, build), resp2);
  EXPECT_EQ(encoded(Protocol::kResp3, build), resp3);
}

template <class Build>
void expect(Build build, std::string_view both) {
  expect(build, both, both);
}

TEST(Reply, TheSameInBothProtocols) {
  expect([](Reply& r) { r.ok(); }, "+OK\r\n");
  expect([](Reply& r) { r.simple("PONG"); }, "+PONG\r\n");
  expect([](Reply& r) { r.bulk("hello"); }, "$5\r\nhello\r\n");
  expect([](Reply& r) { r.bulk({}); }, "$0\r\n\r\n");
  expect([](Reply& r) { r.bulk(std::string_view("\0\r\n", 3)); }, std::string_view("$3\r\n\0\r\n\r\n", 9));
  expect([](Reply& r) { r.array(0); }, "*0\r\n");
  expect([](Reply& r) { r.array(12); }, "*12\r\n");
}

TEST(Reply, Integers) {
  expect([](Reply& r) { r.integer(0); }, ":0\r\n");
  expect([](Reply& r) { r.integer(9); }, ":9\r\n");
  expect([](Reply& r) { r.integer(10); }, ":10\r\n");
  expect([](Reply& r) { r.integer(-1); }, ":-1\r\n");
  expect([](Reply& r) { r.integer(std::numeric_limits<std::int64_t>::max()); }, ":9223372036854775807\r\n");
  expect([](Reply& r) { r.integer(std::numeric_limits<std::int64_t>::min()); }, ":-9223372036854775808\r\n");
}

TEST(Reply, ProtocolsDiffer) {
  expect([](Reply& r) { r.null(); }, "$-1\r\n", "_\r\n");
  expect([](Reply& r) { r.null_array(); }, "*-1\r\n", "_\r\n");
  expect([](Reply& r) { r.map(7); }, "*14\r\n", "%7\r\n");
  expect([](Reply& r) { r.set(3); }, "*3\r\n", "~3\r\n");
  expect([](Reply& r) { r.push(2); }, "*2\r\n", ">2\r\n");
  expect([](Reply& r) { r.boolean(true); }, ":1\r\n", "#t\r\n");
  expect([](Reply& r) { r.boolean(false); }, ":0\r\n", "#f\r\n");
  expect([](Reply& r) { r.verbatim("a\nb"); }, "$3\r\na\nb\r\n", "=7\r\ntxt:a\nb\r\n");
  expect([](Reply& r) { r.verbatim({}); }, "$0\r\n\r\n", "=4\r\ntxt:\r\n");
}

TEST(Reply, Doubles) {
  expect([](Reply& r) { r.real(1.5); }, "$3\r\n1.5\r\n", ",1.5\r\n");
  expect([](Reply& r) { r.real(0.1); }, "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n");
  expect([](Reply& r) { r.real(3); }, "$1\r\n3\r\n", ",3\r\n");
  expect([](Reply& r) { r.real(-1e300); }, "$24\r\n-1.0000000000000001e+300\r\n", ",-1.0000000000000001e+300\r\n");
  expect([](Reply& r) { r.real(INFINITY); }, "$3\r\ninf\r\n", ",inf\r\n");
  expect([](Reply& r) { r.real(-INFINITY); }, "$4\r\n-inf\r\n", ",-inf\r\n");
  expect([](Reply& r) { r.real(-NAN); }, "$3\r\nnan\r\n", ",nan\r\n");
}

TEST(Reply, ErrorsStayOnOneLineAndAreCounted) {
  ByteQueue out;
  Reply reply(out, Protocol::kResp2);
  EXPECT_EQ(reply.errors(), 0u);
  reply.error("ERR syntax error");
  reply.error("ERR a\r\n+OK\n");
  reply.error({});
  EXPECT_EQ(out.view(), "-ERR syntax error\r\n-ERR a  +OK \r\n-\r\n");
  EXPECT_EQ(reply.errors(), 3u);
}

TEST(Reply, ProtocolChangesInTheMiddle) {
  ByteQueue out;
  Reply reply(out, Protocol::kResp2);
  reply.null();
  reply.set_protocol(Protocol::kResp3);
  reply.null();
  EXPECT_EQ(reply.protocol(), Protocol::kResp3);
  EXPECT_EQ(out.view(), "$-1\r\n_\r\n");
}

TEST(Reply, LargeBulk) {
  const std::string value(5 << 20, 'x');
  expect([&](Reply& r) { r.bulk(value); }, "$5242880\r\n" + value + "\r\n");
}

}  // namespace
}  // namespace minod
