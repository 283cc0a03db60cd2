#include "tools/bench_reply.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace minod::bench {
namespace {

using Status = ReplySkipper::Status;

// Feeds the pieces in order; the position of each reply's end in all bytes together.
std::vector<std::size_t> reply_ends(const std::vector<std::string_view>& pieces) {
  ReplySkipper skipper;
  std::vector<std::size_t> ends;
  std::size_t position = 0;
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      std::size_t used = 0;
      const Status status = skipper.skip(piece, used);
      EXPECT_NE(status, Status::kMalformed);
      EXPECT_GT(used, 0u);
      position += used;
      piece.remove_prefix(used);
      if (status == Status::kReply) ends.push_back(position);
    }
  }
  return ends;
}

const std::vector<std::string> kReplies{
    "+OK\r\n",
    "+\r\n",
    "-ERR unknown command\r\n",
    ":-12\r\n",
    "$5\r\nhello\r\n",
    "$0\r\n\r\n",
    "$-1\r\n",
    "$8\r\n\r\n$3\r\n\r\n\r\n",
    "*0\r\n",
    "*-1\r\n",
    "*3\r\n$1\r\na\r\n$-1\r\n:3\r\n",
    "*2\r\n*2\r\n+a\r\n*0\r\n*1\r\n$2\r\n\r\n\r\n",
    "%1\r\n+key\r\n#t\r\n",
    "~2\r\n_\r\n,1.5\r\n",
    "=7\r\ntxt:abc\r\n",
    "(12345678901234567890\r\n",
};

TEST(ReplySkipper, FindsTheEndOfEveryReplyAtEverySplit) {
  std::string all;
  std::vector<std::size_t> expected;
  for (const std::string& reply : kReplies) {
    all += reply;
    expected.push_back(all.size());
  }
  const std::string_view bytes = all;
  EXPECT_EQ(reply_ends({bytes}), expected);
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    for (std::size_t j = i; j <= bytes.size(); ++j) {
      ASSERT_EQ(reply_ends({bytes.substr(0, i), bytes.substr(i, j - i), bytes.substr(j)}), expected) << i << ' ' << j;
    }
  }
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
  EXPECT_EQ(reply_ends(single), expected);
}

TEST(ReplySkipper, KeepsTheErrorAtEverySplit) {
  const std::string_view reply = "-OOM command not allowed\r\n";
  for (std::size_t i = 1; i < reply.size(); ++i) {
    ReplySkipper skipper;
    std::size_t used = 0;
    ASSERT_EQ(skipper.skip(reply.substr(0, i), used), Status::kMore);
    ASSERT_EQ(skipper.skip(reply.substr(i), used), Status::kReply);
    EXPECT_TRUE(skipper.is_error());
    EXPECT_EQ(skipper.error(), "OOM command not allowed");
    ASSERT_EQ(skipper.skip("+OK\r\n", used), Status::kReply);
    EXPECT_FALSE(skipper.is_error());
  }
}

TEST(ReplySkipper, CutsALongError) {
  const std::string reply = "-ERR " + std::string(10'000, 'x') + "\r\n";
  ReplySkipper skipper;
  std::size_t used = 0;
  ASSERT_EQ(skipper.skip(reply, used), Status::kReply);
  EXPECT_EQ(used, reply.size());
  EXPECT_LT(skipper.error().size(), 200u);
}

TEST(ReplySkipper, AnEmptyErrorIsAnError) {
  ReplySkipper skipper;
  std::size_t used = 0;
  ASSERT_EQ(skipper.skip("-\r\n", used), Status::kReply);
  EXPECT_TRUE(skipper.is_error());
}

TEST(ReplySkipper, CountsNulls) {
  ReplySkipper skipper;
  std::size_t used = 0;
  ASSERT_EQ(skipper.skip("*4\r\n$1\r\na\r\n$-1\r\n_\r\n:1\r\n", used), Status::kReply);
  EXPECT_EQ(skipper.null_count(), 2u);
  ASSERT_EQ(skipper.skip("$1\r\na\r\n", used), Status::kReply);
  EXPECT_EQ(skipper.null_count(), 0u);
}

TEST(ReplySkipper, RefusesWhatIsNotAReply) {
  for (const char* bytes : {"HTTP/1.1 200 OK\r\n", "\r\n", "$x\r\n", "$99999999999\r\n", "*4294967296\r\n",
                            "*4000000000\r\n*4000000000\r\n"}) {
    ReplySkipper skipper;
    std::size_t used = 0;
    EXPECT_EQ(skipper.skip(bytes, used), Status::kMalformed) << bytes;
  }
}

TEST(BulkStrings, OfGetAndMget) {
  const auto get = bulk_strings("$5\r\nhello\r\n");
  ASSERT_EQ(get.size(), 1u);
  EXPECT_EQ(get[0], "hello");
  EXPECT_EQ(bulk_strings("$-1\r\n"), std::vector<std::optional<std::string_view>>{std::nullopt});
  const auto mget = bulk_strings("*3\r\n$4\r\na\r\nb\r\n$-1\r\n$0\r\n\r\n");
  ASSERT_EQ(mget.size(), 3u);
  EXPECT_EQ(mget[0], "a\r\nb");
  EXPECT_FALSE(mget[1].has_value());
  EXPECT_EQ(mget[2], "");
  EXPECT_TRUE(bulk_strings("+OK\r\n").empty());
}

}  // namespace
}  // namespace minod::bench
