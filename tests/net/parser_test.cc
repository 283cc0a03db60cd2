#include "net/resp/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "net/resp/client.h"
#include "store/limits.h"

namespace minod::resp {
namespace {

using Status = RequestParser::Status;
using Command = std::vector<std::string>;

struct Outcome {
  std::vector<Command> commands;
  std::string error;
  std::size_t used = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// A connection's read loop: the bytes come in pieces, and each is parsed as far as it goes.
class Peer {
 public:
  explicit Peer(bool authenticated = true) : authenticated_(authenticated), parser_(limits) {}

  void receive(std::string_view piece) {
    input_.append(piece);
    while (outcome.error.empty()) {
      const Status status = parser_.parse(input_, authenticated_);
      if (status == Status::kIncomplete) {
        EXPECT_GT(parser_.missing(), 0u);
        return;
      }
      if (status == Status::kError) {
        outcome.error = parser_.error();
        silent = parser_.silent();
        return;
      }
      if (status == Status::kCommand) {
        EXPECT_FALSE(parser_.arguments().empty());
        outcome.commands.emplace_back(parser_.arguments().begin(), parser_.arguments().end());
      }
      outcome.used += parser_.consumed();
      // A new block, so that a view kept across calls would be found by AddressSanitizer.
      input_ = std::string(input_.substr(parser_.consumed()));
    }
  }

  RespLimits limits;
  Outcome outcome;
  bool silent = false;

 private:
  bool authenticated_;
  RequestParser parser_;
  std::string input_;
};

Outcome parsed(std::string_view request, bool authenticated = true) {
  Peer peer(authenticated);
  peer.receive(request);
  return peer.outcome;
}

std::string error_of(std::string_view request, bool authenticated = true) {
  Outcome outcome = parsed(request, authenticated);
  EXPECT_TRUE(outcome.commands.empty());
  return outcome.error;
}

// However the bytes are cut, what comes out is the same.
void expect_same_in_pieces(std::string_view request) {
  const Outcome whole = parsed(request);
  for (std::size_t cut = 0; cut <= request.size(); ++cut) {
    Peer peer;
    peer.receive(request.substr(0, cut));
    peer.receive(request.substr(cut));
    EXPECT_EQ(peer.outcome, whole) << request << " cut at " << cut;
  }
  Peer slow;
  for (const char& byte : request) slow.receive({&byte, 1});
  EXPECT_EQ(slow.outcome, whole) << request;
}

TEST(RequestParser, Multibulk) {
  const Outcome outcome = parsed(std::string_view("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n\0\r\n*\r\n", 30));
  EXPECT_EQ(outcome.commands, (std::vector<Command>{{"SET", "a", std::string("\0\r\n*", 4)}}));
  EXPECT_EQ(outcome.used, 30u);
}

TEST(RequestParser, InlineWithQuotes) {
  const std::vector<std::pair<std::string_view, Command>> expected = {
      {"PING\n", {"PING"}},
      {"  SET a\t1 \r\n", {"SET", "a", "1"}},
      {"ECHO \"a\\x41\\n\\q\"\r\n", {"ECHO", "aA\nq"}},
      {"ECHO \"\\x4\"\n", {"ECHO", "x4"}},
      {"ECHO 'a\\'b\\n'\n", {"ECHO", "a'b\\n"}},
      {"ECHO a\"b c\"\n", {"ECHO", "ab c"}},
      {"ECHO a\vb\n", {"ECHO", "a\vb"}},
      {"\vPING\n", {"PING"}},
      {"ECHO \"\"\n", {"ECHO", ""}},
  };
  for (const auto& [request, command] : expected) {
    EXPECT_EQ(parsed(request).commands, std::vector<Command>{command}) << request;
    expect_same_in_pieces(request);
  }
}

TEST(RequestParser, EmptyRequestsAreNoCommands) {
  const Outcome outcome = parsed("\n\r\n \t\n*0\r\n*-5\r\n*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(outcome.commands, std::vector<Command>{{"PING"}});
}

TEST(RequestParser, PipelineOfBothKinds) {
  const std::string_view pipeline =
      "*2\r\n$3\r\nGET\r\n$5\r\nhello\r\nSET \"x y\" "
      "12\r\n*1\r\n$0\r\n\r\n\r\nPING\n*3\r\n$1\r\na\r\n$10\r\n0123456789\r\n$1\r\nb\r\n";
  EXPECT_EQ(parsed(pipeline).commands,
            (std::vector<Command>{{"GET", "hello"}, {"SET", "x y", "12"}, {""}, {"PING"}, {"a", "0123456789", "b"}}));
  expect_same_in_pieces(pipeline);
}

// What is whole is parsed in another way than what comes in pieces.
TEST(RequestParser, LengthsAtTheBordersOfWhatIsUsual) {
  for (const char* request :
       {"*9\r\n$1\r\na\r\n$0\r\n\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n$1\r\nf\r\n$1\r\ng\r\n$1\r\nh\r\n$1\r\ni\r\n",
        "*1\r\n$00\r\n\r\n", "*1\r\n$01\r\na\r\n", "*1\r\n$-1\r\n", "*1\r\n$\r\n", "*1\r\n$1 \r\na\r\n",
        "*01\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n!1\r\nb\r\n", "*1\r\n$99999999999999999999\r\na\r\n",
        "*1\r\n$67108865\r\na\r\n", "*2\r\n$1\r\na\r\n$2\r\nbc\r\n*1\r\n$1\r\nd\r", "*1\r\n$4\r\nPOST\r\n"}) {
    expect_same_in_pieces(request);
  }
}

// Each text was taken from redis-server 7.0.15.
TEST(RequestParser, ErrorTexts) {
  const std::string multibulk_length = "ERR Protocol error: invalid multibulk length";
  const std::string bulk_length = "ERR Protocol error: invalid bulk length";
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"*2147483648\r\n", multibulk_length},
      {"*9223372036854775808\r\n", multibulk_length},
      {"*+1\r\n", multibulk_length},
      {"*01\r\n", multibulk_length},
      {"*-0\r\n", multibulk_length},
      {"*\r\n", multibulk_length},
      {"* 1\r\n", multibulk_length},
      {"*1 \r\n", multibulk_length},
      {"*1048577\r\n", multibulk_length},
      {"*1\r\n$-1\r\n", bulk_length},
      {"*1\r\n$04\r\n", bulk_length},
      {"*1\r\n$x\r\n", bulk_length},
      {"*1\r\n$9223372036854775807\r\n", bulk_length},
      {"*1\r\n$9223372036854775808\r\n", bulk_length},
      {"*1\r\n$67108865\r\n", bulk_length},
      {"*1\r\n:4\r\n", "ERR Protocol error: expected '$', got ':'"},
      {"*1\r\n\r\n", "ERR Protocol error: expected '$', got '\r'"},
      {"ECHO \"a\n", "ERR Protocol error: unbalanced quotes in request"},
      {"ECHO \"a\"b\n", "ERR Protocol error: unbalanced quotes in request"},
      {"ECHO \"\\\"\n", "ERR Protocol error: unbalanced quotes in request"},
      {std::string(65537, 'a'), "ERR Protocol error: too big inline request"},
      {std::string(65537, 'a') + "\n", "ERR Protocol error: too big inline request"},
      {"*" + std::string(65536, '1'), "ERR Protocol error: too big mbulk count string"},
      {"*1\r\n$" + std::string(65536, '1'), "ERR Protocol error: too big bulk count string"},
  };
  for (const auto& [request, text] : expected) {
    EXPECT_EQ(error_of(request), text) << request.substr(0, 40);
    if (request.size() < 100) expect_same_in_pieces(request);
  }
}

// The byte after a CR is not looked at, in Redis neither.
TEST(RequestParser, AsLenientAsRedis) {
  EXPECT_EQ(parsed("*1\rX$4\rYPINGab").commands, std::vector<Command>{{"PING"}});
  EXPECT_EQ(parsed("*1\n$4\nPING\n"), Outcome{});
  EXPECT_EQ(parsed(std::string(65536, 'a') + "\n").commands.size(), 1u);
}

TEST(RequestParser, CommandsBeforeAnErrorStand) {
  const Outcome outcome = parsed("PING\n*1\r\n!\r\n");
  EXPECT_EQ(outcome.commands, std::vector<Command>{{"PING"}});
  EXPECT_EQ(outcome.error, "ERR Protocol error: expected '$', got '!'");
}

TEST(RequestParser, BeforeAuthenticationLittleIsTaken) {
  EXPECT_EQ(error_of("*11\r\n", false), "ERR Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(error_of("*1\r\n$16385\r\n", false), "ERR Protocol error: unauthenticated bulk length");
  EXPECT_EQ(parsed("*10\r\n$16384\r\n", false), Outcome{});
  EXPECT_EQ(parsed("*0\r\nAUTH a\n", false).commands, (std::vector<Command>{{"AUTH", "a"}}));
}

TEST(RequestParser, BrowsersAreCutOffSilently) {
  for (const char* request : {"POST / HTTP/1.1\r\n", "host: x\r\n", "*1\r\n$4\r\nPoSt\r\n", "\"HOST:\"\n"}) {
    Peer peer;
    peer.receive(request);
    EXPECT_EQ(peer.outcome.error.find("Possible SECURITY ATTACK detected."), 0u) << request;
    EXPECT_TRUE(peer.silent);
  }
  Peer peer;
  peer.receive("PSST\r\nHost\r\n*1\r\n!\r\n");
  EXPECT_EQ(peer.outcome.commands, (std::vector<Command>{{"PSST"}, {"Host"}}));
  EXPECT_FALSE(peer.silent);
}

TEST(RequestParser, LimitsAreSettings) {
  Peer peer;
  peer.limits.bulk_bytes_max = 3;
  peer.limits.argument_count_max = 2;
  peer.receive("*2\r\n$3\r\nabc\r\n$3\r\nabc\r\n*2\r\n$4\r\n");
  EXPECT_EQ(peer.outcome.commands, (std::vector<Command>{{"abc", "abc"}}));
  EXPECT_EQ(peer.outcome.error, "ERR Protocol error: invalid bulk length");
  Peer other;
  other.limits.argument_count_max = 2;
  other.receive("*3\r\n");
  EXPECT_EQ(other.outcome.error, "ERR Protocol error: invalid multibulk length");
}

TEST(RequestParser, DeclaredLengthsAreNotAllocated) {
  RespLimits limits;
  limits.bulk_bytes_max = kValueSizeCeiling;
  RequestParser parser(limits);
  EXPECT_EQ(parser.parse("*1048576\r\n$536870912\r\nabc", true), Status::kIncomplete);
  EXPECT_EQ(parser.missing(), kValueSizeCeiling + 2 - 3);
  EXPECT_EQ(parser.arguments().capacity(), 0u);
}

TEST(RequestParser, StartsAfreshAfterAnError) {
  RespLimits limits;
  RequestParser parser(limits);
  EXPECT_EQ(parser.parse("*2\r\n$1\r\na\r\n!\r\n", true), Status::kError);
  EXPECT_EQ(parser.parse("PING\r\n", true), Status::kCommand);
  EXPECT_EQ(parser.consumed(), 6u);
}

TEST(RequestParser, ManyArgumentsByteByByte) {
  ByteQueue request;
  const std::vector<std::string_view> words(1000, "0123456789abcdef");
  append_request(request, words);
  Peer peer;
  for (const char& byte : request.view()) peer.receive({&byte, 1});
  ASSERT_EQ(peer.outcome.commands.size(), 1u);
  EXPECT_EQ(peer.outcome.commands[0], Command(words.begin(), words.end()));
}

// What the client encodes, the parser decodes; with any byte changed it decodes something or fails, and never crashes.
TEST(RequestParser, ReadsWhatClientsWriteAndSurvivesDamage) {
  ByteQueue request;
  append_request(request, std::vector<std::string_view>{"SET", "", std::string_view("k\0\r\n", 4), "value"});
  append_request(request, std::vector<std::string_view>{"GET", "0123456789"});
  EXPECT_EQ(parsed(request.view()).commands,
            (std::vector<Command>{{"SET", "", std::string("k\0\r\n", 4), "value"}, {"GET", "0123456789"}}));
  for (std::size_t at = 0; at != request.size(); ++at) {
    for (int value = 0; value < 256; value += 5) {
      std::string damaged(request.view());
      damaged[at] = static_cast<char>(value);
      parsed(damaged);
    }
  }
}

TEST(RequestParser, RandomBytesInRandomPieces) {
  constexpr std::uint64_t kSeed = 20240607;
  constexpr std::string_view kAlphabet = "**$$\r\n\r\n0123459-\"'\\x aPp\0";
  Random random(kSeed);
  for (int round = 0; round != 20'000; ++round) {
    std::string bytes;
    const std::uint64_t size = random.below(60);
    for (std::uint64_t i = 0; i != size; ++i) {
      bytes += random.one_in(20) ? static_cast<char>(random.next()) : kAlphabet[random.below(kAlphabet.size())];
    }
    const Outcome whole = parsed(bytes);
    Peer peer;
    for (std::string_view rest = bytes; !rest.empty();) {
      const std::string_view piece = rest.substr(0, 1 + random.below(8));
      peer.receive(piece);
      rest.remove_prefix(piece.size());
    }
    ASSERT_EQ(peer.outcome, whole) << "seed " << kSeed << " round " << round;
  }
}

}  // namespace
}  // namespace minod::resp
