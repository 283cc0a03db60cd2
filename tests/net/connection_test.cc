// A connection on its shard, step by step: what is read, what is parsed and when it runs, over one end of a socket
// pair.
#include "net/connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "net/resp/client.h"
#include "net/shard.h"

namespace minod {
namespace {

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest()
      : directory_(std::filesystem::path(testing::TempDir()) / ("connection." + std::to_string(::getpid()))),
        random_(1),
        node_(config(directory_), random_),
        shard_(node_, 0, 2) {
    std::filesystem::create_directories(directory_);
    StoreOptions options;
    options.directory = directory_;
    options.segment_bytes = 1 << 20;
    EXPECT_TRUE(shard_.open(options, WriteWay::kBuffered));
    EXPECT_TRUE(shard_.store().make_database_now(0, 0));
  }
  ~ConnectionTest() override {
    clients_.clear();
    while (!shard_.store().idle() || shard_.disk().in_flight() != 0) shard_.disk().poll();
    std::filesystem::remove_all(directory_);
  }

  static Config config(const std::string& directory) {
    Config made;
    made.dir = directory;
    return made;
  }

  // A client, and what there is to read on its connection read.
  Fd& connect() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    shard_.client_promised();
    shard_.adopt_socket(fds[0], true, "test");
    clients_.emplace_back(fds[1]);
    read_sockets();
    return clients_.back();
  }
  static void send(const Fd& client, std::string_view bytes) {
    ASSERT_EQ(::write(client.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  static std::string received(const Fd& client) {
    std::string bytes(1 << 20, '\0');
    const ssize_t got = ::read(client.get(), bytes.data(), bytes.size());
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

  // The two halves of a turn of the shard.
  void read_sockets() { shard_.sockets().serve(8); }
  void run() { shard_.arrivals().serve(shard_.store()); }

  static std::string echo(const std::string& text) {
    ByteQueue request;
    resp::append_request(request, std::vector<std::string_view>{"ECHO", text});
    return std::string(request.view());
  }
  static std::string reply(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }

  std::string directory_;
  Random random_;
  Node node_;
  Shard shard_;
  std::vector<Fd> clients_;
};

TEST_F(ConnectionTest, ARequestRunsAfterThoseOfOthersAreParsed) {
  connect();
  connect();
  send(clients_[0], echo("one"));
  send(clients_[1], echo("two"));
  read_sockets();
  EXPECT_EQ(received(clients_[0]), "");
  EXPECT_EQ(received(clients_[1]), "");
  run();
  EXPECT_EQ(received(clients_[0]), reply("one"));
  EXPECT_EQ(received(clients_[1]), reply("two"));
}

// Also those of a pipeline, which runs as soon as it is parsed.
TEST_F(ConnectionTest, RepliesLeaveWhenTheRequestsOfAllHaveRun) {
  connect();
  connect();
  send(clients_[0], echo("one") + echo("two"));
  send(clients_[1], echo("three"));
  read_sockets();
  EXPECT_EQ(received(clients_[0]), "");
  run();
  EXPECT_EQ(received(clients_[0]), reply("one") + reply("two"));
  EXPECT_EQ(received(clients_[1]), reply("three"));
}

TEST_F(ConnectionTest, AClientThatSendsNoMoreGetsItsReplies) {
  for (const std::string& requests : {echo("one"), echo("one") + echo("two")}) {
    Fd& client = connect();
    send(client, requests);
    ASSERT_EQ(::shutdown(client.get(), SHUT_WR), 0);
    std::string replies;
    for (int i = 0; i < 4; ++i) {
      read_sockets();
      run();
      replies += received(client);
    }
    EXPECT_EQ(replies, requests == echo("one") ? reply("one") : reply("one") + reply("two"));
  }
}

// A request of which a part came before is parsed, and more input comes before it runs: it would be read into the same
// memory, which is moved for that.
TEST_F(ConnectionTest, NothingIsReadIntoInputThatAParsedRequestIsAViewOf) {
  Fd& client = connect();
  const std::string request = echo(std::string(100, 'a'));
  send(client, request.substr(0, 40));
  read_sockets();
  run();
  send(client, request.substr(40));
  read_sockets();
  std::string wanted = reply(std::string(100, 'a'));
  for (int i = 0; i < 40; ++i) {
    const std::string text(1000, static_cast<char>('b' + i % 20));
    send(client, echo(text));
    wanted += reply(text);
  }
  read_sockets();
  EXPECT_EQ(received(client), "");
  std::string replies;
  for (int i = 0; i < 50; ++i) {
    run();
    read_sockets();
    replies += received(client);
  }
  EXPECT_EQ(replies, wanted);
}

// Whatever the pieces are in which requests come, and whenever they run between them.
TEST_F(ConnectionTest, RequestsMayComeInAnyPieces) {
  for (int i = 0; i < 12; ++i) connect();
  std::vector<std::string> to_send(clients_.size());
  std::vector<std::string> wanted(clients_.size());
  std::vector<std::string> replies(clients_.size());
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    for (int n = 0; n < 60; ++n) {
      const std::uint64_t size = random_.below(random_.below(8) == 0 ? 20'000 : 300);
      const std::string text(size, static_cast<char>('a' + random_.below(26)));
      to_send[i] += echo(text);
      wanted[i] += reply(text);
    }
  }
  for (bool sending = true; sending;) {
    sending = false;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const std::size_t piece =
          std::min<std::size_t>(to_send[i].size(), 1 + random_.below(random_.below(2) == 0 ? 200 : 9000));
      if (random_.below(3) != 0) {
        send(clients_[i], std::string_view(to_send[i]).substr(0, piece));
        to_send[i].erase(0, piece);
      }
      sending = sending || !to_send[i].empty();
    }
    shard_.sockets().serve(1 + random_.below(12));
    if (random_.below(3) != 0) run();
    for (std::size_t i = 0; i < clients_.size(); ++i) replies[i] += received(clients_[i]);
  }
  for (int i = 0; i < 1000; ++i) {
    read_sockets();
    run();
  }
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    replies[i] += received(clients_[i]);
    EXPECT_TRUE(replies[i] == wanted[i]) << "client " << i;
  }
}

}  // namespace
}  // namespace minod
