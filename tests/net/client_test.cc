#include "net/resp/client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace minod::resp {
namespace {

using std::chrono::milliseconds;

// A server that accepts once and sends a fixed reply when as many bytes have come as it is told, or as it expects; then
// it reads on. With an empty reply it never answers.
class OneShotServer {
 public:
  OneShotServer(std::string expected, std::string reply, std::size_t answer_after = std::string::npos)
      : expected_(std::move(expected)), reply_(std::move(reply)), answer_after_(answer_after) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listen_at(AF_INET, reinterpret_cast<sockaddr*>(&where), sizeof where);
    socklen_t size = sizeof where;
    EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&where), &size), 0);
    address.port = ntohs(where.sin_port);
    start();
  }

  OneShotServer(const std::string& path, std::string expected, std::string reply)
      : expected_(std::move(expected)), reply_(std::move(reply)) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, path.data(), path.size());
    unlink(path.c_str());
    listen_at(AF_UNIX, reinterpret_cast<sockaddr*>(&where), sizeof where);
    address.unix_path = path;
    start();
  }

  ~OneShotServer() {
    thread_.join();
    EXPECT_TRUE(received_ == expected_) << received_.substr(0, 200);
  }

  Address address;

 private:
  void listen_at(int family, const sockaddr* where, socklen_t size) {
    listener_ = Fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(bind(listener_.get(), where, size), 0);
    ASSERT_EQ(listen(listener_.get(), 1), 0);
  }

  void start() {
    thread_ = std::thread([this] { serve(); });
  }

  // Does not read while it answers, so that a client that does not read while it sends stands still.
  void serve() {
    const Fd peer(accept(listener_.get(), nullptr, nullptr));
    const timeval patience{20, 0};  // a broken test fails instead of standing still
    setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::vector<char> chunk(4096);
    bool answered = false;
    for (;;) {
      if (!answered && received_.size() >= std::min(answer_after_, expected_.size()) && !reply_.empty()) {
        answered = true;
        for (std::size_t at = 0; at < reply_.size();) {
          const ssize_t sent = send(peer.get(), reply_.data() + at, reply_.size() - at, MSG_NOSIGNAL);
          if (sent <= 0) return;
          at += static_cast<std::size_t>(sent);
        }
      }
      if (answered && received_.size() >= expected_.size()) shutdown(peer.get(), SHUT_WR);
      const ssize_t count = recv(peer.get(), chunk.data(), chunk.size(), 0);
      if (count <= 0) return;
      received_.append(chunk.data(), static_cast<std::size_t>(count));
    }
  }

  std::string expected_;
  std::string reply_;
  std::size_t answer_after_ = std::string::npos;
  std::string received_;
  Fd listener_;
  std::thread thread_;
};

TEST(Address, Urls) {
  const auto plain = parse_address("redis://");
  EXPECT_EQ(plain->host, "127.0.0.1");
  EXPECT_EQ(plain->port, 6379);

  const auto whole = parse_address("redis://us%40er:p%3a%2Fw@example.org:7000/12");
  EXPECT_EQ(whole->host, "example.org");
  EXPECT_EQ(whole->port, 7000);
  EXPECT_EQ(whole->user, "us@er");
  EXPECT_EQ(whole->password, "p:/w");
  EXPECT_EQ(whole->db, 12);

  EXPECT_EQ(parse_address("redis://:secret@h")->password, "secret");
  EXPECT_EQ(parse_address("redis://secret@h")->password, "secret");
  EXPECT_EQ(parse_address("redis://h/")->db, 0);

  const auto v6 = parse_address("redis://[::1]:7/3");
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 7);
  EXPECT_EQ(parse_address("redis://[fe80::1]")->host, "fe80::1");

  const auto local = parse_address("unix:///run/mi%20nod.sock?db=4");
  EXPECT_EQ(local->unix_path, "/run/mi nod.sock");
  EXPECT_EQ(local->db, 4);
}

TEST(Address, WrongUrlsSayWhatIsRight) {
  for (const char* url : {"", "example.org", "http://h", "redis://h:x", "redis://h:65536", "redis://h:", "redis://[::1",
                          "redis://[::1]7", "redis://h/x", "redis://h/-1", "redis://a%4@h", "redis://h%zz",
                          "unix://relative", "unix:///p?x=1", "unix:///p?db=x"}) {
    const auto address = parse_address(url);
    ASSERT_FALSE(address.has_value()) << url;
    EXPECT_EQ(address.error().code, Errc::kInvalid);
    EXPECT_NE(address.error().message().find("redis://[[user]:password@]host"), std::string::npos);
  }
  EXPECT_EQ(parse_address("rediss://h").error().code, Errc::kUnsupported);
}

TEST(Client, CallsAndBinaryArguments) {
  OneShotServer server(std::string("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n\0\n\r\n", 27), "$3\r\nabc\r\n");
  auto client = Client::connect(server.address);
  ASSERT_TRUE(client.has_value());
  const auto reply = client->call({"SET", "", std::string_view("\0\n", 2)});
  EXPECT_EQ(reply->text, "abc");
  const auto closed = client->receive();
  EXPECT_EQ(closed.error().message(), "the server closed the connection");
}

TEST(Client, GreetsAsTheAddressAsks) {
  OneShotServer server("*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$1\r\np\r\n", "%0\r\n");
  server.address.password = "p";
  EXPECT_TRUE(Client::connect(server.address, 3).has_value());
}

TEST(Client, LogsInAndSelects) {
  const std::string auth = "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n";
  OneShotServer server(auth + "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n", "+OK\r\n+OK\r\n", auth.size());
  server.address.db = 3;
  server.address.user = "u";
  server.address.password = "p";
  const auto client = Client::connect(server.address);
  EXPECT_TRUE(client.has_value());
}

TEST(Client, RefusedLoginIsAnError) {
  OneShotServer server("*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n", "-WRONGPASS no\r\n");
  server.address.password = "p";
  const auto client = Client::connect(server.address);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().code, Errc::kInvalid);
  EXPECT_EQ(client.error().message(), "AUTH: WRONGPASS no");
}

TEST(Client, RefusedDatabaseIsAnError) {
  OneShotServer server("*2\r\n$6\r\nSELECT\r\n$2\r\n99\r\n", "-ERR DB index is out of range\r\n");
  server.address.db = 99;
  EXPECT_EQ(Client::connect(server.address).error().message(), "SELECT: ERR DB index is out of range");
}

TEST(Client, HostnamesAndUnixSockets) {
  {
    OneShotServer server("*1\r\n$4\r\nPING\r\n", "+PONG\r\n");
    server.address.host = "localhost";
    EXPECT_EQ(Client::connect(server.address)->call({"PING"})->text, "PONG");
  }
  const std::string path = testing::TempDir() + "minod_client_test_" + std::to_string(getpid()) + ".sock";
  {
    OneShotServer server(path, "*1\r\n$4\r\nPING\r\n", "+PONG\r\n");
    EXPECT_EQ(Client::connect(server.address)->call({"PING"})->text, "PONG");
  }
  unlink(path.c_str());
}

TEST(Client, FailuresSayWhere) {
  Address address;
  address.port = 1;
  EXPECT_EQ(Client::connect(address).error().message(), "connect to 127.0.0.1:1: Connection refused");
  address.host = "::1";
  EXPECT_EQ(Client::connect(address).error().message().find("connect to [::1]:1: "), 0u);
  address.unix_path = "/nonexistent/socket";
  EXPECT_EQ(Client::connect(address).error().code, Errc::kNotFound);
  address.unix_path = std::string(200, 'x');
  EXPECT_FALSE(Client::connect(address).has_value());
}

// A server that accepts but never answers.
TEST(Client, GreetingTimesOut) {
  OneShotServer server("*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", "");
  const auto client = Client::connect(server.address, 3, milliseconds(50));
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().message(), "receive from the server: Connection timed out");
}

// Requests and replies are both more than the sockets' buffers hold.
TEST(Client, LargePipelinesDoNotStandStill) {
  constexpr std::size_t kCount = 200;
  const std::string value(100'000, 'v');
  ByteQueue requests;
  std::string replies;
  for (std::size_t i = 0; i != kCount; ++i) {
    append_request(requests, std::vector<std::string_view>{"ECHO", value});
    replies += "$100000\r\n" + value + "\r\n";
  }
  OneShotServer server(std::string(requests.view()), replies, 1);
  auto client = Client::connect(server.address);
  for (std::size_t i = 0; i != kCount; ++i) client->queue(std::vector<std::string_view>{"ECHO", value});
  EXPECT_EQ(client->queued_bytes(), requests.size());
  ASSERT_TRUE(client->flush().has_value());
  for (std::size_t i = 0; i != kCount; ++i) ASSERT_TRUE(client->receive()->text == value);
}

TEST(Client, BrokenRepliesAreErrors) {
  OneShotServer server("*1\r\n$4\r\nPING\r\n", "HTTP/1.1 400 Bad Request\r\n");
  auto client = Client::connect(server.address);
  EXPECT_EQ(client->call({"PING"}).error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace minod::resp
