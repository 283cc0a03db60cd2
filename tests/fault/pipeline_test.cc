// Pipelines to a node with several shards: each shard gets its part of a pipeline at once, and the client must not be
// able to tell, neither by the order of the replies nor by what they say.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "tests/fault/node.h"

namespace minod::live {
namespace {

class PipelineTest : public testing::Test {
 protected:
  void start(const Options& options = {"--shards", "3", "--partitions", "8"}) {
    if (minod_path().empty()) return;
    server_ = std::make_unique<ServerProcess>(minod_command(directory_ / "data", options), directory_ / "log");
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    wire_ = Wire::connect(server_->port());
    ASSERT_TRUE(wire_.has_value());
  }
  static std::string key(std::uint64_t i) { return "key" + std::to_string(i); }

  // Sends all at once and compares reply by reply.
  void expect(const std::vector<Arguments>& requests, const std::vector<std::string>& replies) {
    for (const Arguments& request : requests) wire_->queue(request);
    ASSERT_TRUE(wire_->flush());
    for (std::size_t i = 0; i < replies.size(); ++i) {
      ASSERT_EQ(wire_->receive().value_or("the connection broke"), replies[i]) << shown(requests[i]);
    }
  }

  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::optional<Wire> wire_;
};

// Keys of all shards, with commands of the connection and errors between them, so that every kind of border comes up.
TEST_F(PipelineTest, RepliesStandInTheOrderOfTheRequestsAndSeeThoseBeforeThem) {
  SKIP_WITHOUT_MINOD();
  start();
  Random random(5);
  std::vector<std::string> values(50);
  for (int round = 0; round < 60; ++round) {
    std::vector<Arguments> requests;
    std::vector<std::string> replies;
    const std::uint64_t size = 1 + random.below(100);
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::uint64_t at = random.below(values.size());
      switch (random.below(12)) {
        case 0:
          requests.push_back({"PING", std::to_string(i)});
          replies.push_back(bulk(std::to_string(i)));
          break;
        case 1:
          requests.push_back({"GET"});
          replies.push_back("-ERR wrong number of arguments for 'get' command\r\n");
          break;
        case 2:
          requests.push_back({"LPOPS", key(at)});
          replies.push_back("-ERR unknown command 'LPOPS', with args beginning with: '" + key(at) + "' \r\n");
          break;
        case 3:  // the same key twice, so one partition, which may be another shard's
          requests.push_back({"MGET", key(at), key(at)});
          replies.push_back("*2\r\n" + (values[at].empty() ? std::string(kNull) + std::string(kNull)
                                                           : bulk(values[at]) + bulk(values[at])));
          break;
        case 4:
          requests.push_back({"DEL", key(at)});
          replies.push_back(values[at].empty() ? ":0\r\n" : ":1\r\n");
          values[at].clear();
          break;
        case 5:
        case 6:
        case 7:
          requests.push_back({"GET", key(at)});
          replies.push_back(values[at].empty() ? std::string(kNull) : bulk(values[at]));
          break;
        default:
          values[at] = std::to_string(round) + "." + std::to_string(i);
          requests.push_back({"SET", key(at), values[at]});
          replies.emplace_back(kOk);
      }
    }
    expect(requests, replies);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST_F(PipelineTest, TransactionsAndSilencedRepliesEndWhatIsSpread) {
  SKIP_WITHOUT_MINOD();
  start();
  std::vector<Arguments> requests;
  std::vector<std::string> replies;
  for (int i = 0; i < 8; ++i) {
    requests.push_back({"SET", key(static_cast<std::uint64_t>(i)), "1"});
    replies.emplace_back(kOk);
  }
  requests.insert(requests.end(), {{"WATCH", key(0)}, {"MULTI"}, {"INCR", key(0)}, {"INCR", key(1)}, {"EXEC"}});
  replies.insert(replies.end(), {"+OK\r\n", "+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n:2\r\n:2\r\n"});
  requests.push_back({"CLIENT", "REPLY", "SKIP"});
  requests.push_back({"INCR", key(2)});
  for (int i = 0; i < 8; ++i) {
    requests.push_back({"INCR", key(static_cast<std::uint64_t>(i))});
    replies.push_back(i < 3 ? ":3\r\n" : ":2\r\n");
  }
  requests.push_back({"HELLO", "3"});
  requests.push_back({"GET", "none1"});
  for (const Arguments& request : requests) wire_->queue(request);
  ASSERT_TRUE(wire_->flush());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    ASSERT_EQ(wire_->receive().value_or(""), replies[i]) << "reply " << i;
  }
  EXPECT_TRUE(wire_->receive().value_or("").starts_with("%"));
  EXPECT_EQ(wire_->receive().value_or(""), "_\r\n");
}

// Replies of more than a shard keeps for one pipeline: it stops and goes on.
TEST_F(PipelineTest, LargeRepliesComeWholeAndInOrder) {
  SKIP_WITHOUT_MINOD();
  start();
  constexpr int kKeys = 12;
  std::vector<Arguments> requests;
  std::vector<std::string> replies;
  const auto value = [](int i) { return std::string(700'000, static_cast<char>('a' + i)); };
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_EQ(wire_->call({"SET", key(static_cast<std::uint64_t>(i)), value(i)}), kOk);
  }
  for (int i = 0; i < 60; ++i) {
    requests.push_back({"GET", key(static_cast<std::uint64_t>(i % kKeys))});
    replies.push_back(bulk(value(i % kKeys)));
  }
  for (const Arguments& request : requests) wire_->queue(request);
  ASSERT_TRUE(wire_->flush());
  for (std::size_t i = 0; i < replies.size(); ++i) ASSERT_TRUE(wire_->receive() == replies[i]) << "reply " << i;
}

// Values that are only on disk: parts of a pipeline are parked, on this shard and on others.
TEST_F(PipelineTest, ValuesOnDiskAreReadInTheirTurn) {
  SKIP_WITHOUT_MINOD();
  start({"--shards", "3", "--partitions", "8", "--maxmemory", "24mb", "--segment-bytes", "1mb"});
  constexpr std::uint64_t kKeys = 20'000;
  const auto value = [](std::uint64_t i) { return std::to_string(i) + std::string(4000, 'v'); };
  for (std::uint64_t i = 0; i < kKeys;) {
    for (int n = 0; n < 200; ++n, ++i) wire_->queue(Arguments{"SET", key(i), value(i)});
    ASSERT_TRUE(wire_->flush());
    for (int n = 0; n < 200; ++n) ASSERT_EQ(wire_->receive(), kOk);
  }
  Random random(6);
  for (int round = 0; round < 20; ++round) {
    std::vector<Arguments> requests;
    std::vector<std::string> replies;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t at = random.below(kKeys);
      requests.push_back({"GET", key(at)});
      replies.push_back(bulk(value(at)));
    }
    expect(requests, replies);
    ASSERT_FALSE(HasFailure());
  }
}

// The connection goes while other shards still read its requests; the node lives on, and what they did is done.
TEST_F(PipelineTest, AClientThatLeavesTakesNothingWithIt) {
  SKIP_WITHOUT_MINOD();
  start();
  for (int round = 0; round < 200; ++round) {
    auto wire = Wire::connect(server_->port());
    ASSERT_TRUE(wire.has_value());
    for (std::uint64_t i = 0; i < 30; ++i) wire->queue(Arguments{"SET", key(i), std::string(1000, 'x')});
    ASSERT_TRUE(wire->flush());
    wire->close();
  }
  for (std::uint64_t i = 0; i < 30; ++i) EXPECT_EQ(wire_->call({"STRLEN", key(i)}), ":1000\r\n");
  EXPECT_EQ(server_->terminate(), 0) << server_->log_tail();
}

}  // namespace
}  // namespace minod::live
