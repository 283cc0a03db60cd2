#include "tools/cli_repl.h"

#include <gtest/gtest.h>

#include "net/resp/words.h"
#include "tools/cli_commands.h"

namespace minod {
namespace {

using Words = std::vector<std::string>;

bool secret(std::string_view line) {
  Words words;
  EXPECT_TRUE(resp::split_words(line, words));
  return is_secret(words);
}

resp::Value value_of(std::string_view reply) {
  std::size_t used = 0;
  auto value = resp::parse_value(reply, used);
  EXPECT_TRUE(value.has_value());
  return value ? *value : resp::Value{};
}

TEST(CliWords, SplitsQuotedLines) {
  const std::vector<std::pair<const char*, Words>> expected = {
      {"", {}},
      {"  \t ", {}},
      {"get key", {"get", "key"}},
      {"set \"a b\" 'c d'", {"set", "a b", "c d"}},
      {R"(set k "\x00\xff\n\"")", {"set", "k", std::string("\0\xff\n\"", 4)}},
      {R"(set k '\x00\'')", {"set", "k", "\\x00'"}},
      {R"(set k "")", {"set", "k", ""}},
      {"set k a\"b\"", {"set", "k", "ab"}},
  };
  for (const auto& [line, words] : expected) {
    Words split = {"left", "over"};
    EXPECT_TRUE(resp::split_words(line, split)) << line;
    EXPECT_EQ(split, words) << line;
  }
}

TEST(CliWords, RefusesUnbalancedQuotes) {
  Words words;
  for (const char* line : {"\"", "'", "get \"a", "get 'a", "get \"a\"b", "get 'a'b", "get \"a\\\"", "get \"a\\"}) {
    EXPECT_FALSE(resp::split_words(line, words)) << line;
  }
}

TEST(CliRepl, PasswordsAreNotKept) {
  EXPECT_TRUE(secret("AUTH x"));
  EXPECT_TRUE(secret("auth user x"));
  EXPECT_TRUE(secret("hello 3 AUTH default x"));
  EXPECT_TRUE(secret("config set requirepass x"));
  EXPECT_TRUE(secret("acl setuser a >x"));
  EXPECT_FALSE(secret("hello 3"));
  EXPECT_FALSE(secret("config get requirepass"));
  EXPECT_FALSE(secret("get auth"));
  EXPECT_FALSE(secret(""));
}

TEST(CliRepl, CompletesInTheCaseThatIsTyped) {
  EXPECT_EQ(completion_of("ge", {"get", "getdel"}), "t");
  EXPECT_EQ(completion_of("GETD", {"getdel"}), "EL ");
  EXPECT_EQ(completion_of("get", {"get", "getdel"}), "");
  EXPECT_EQ(completion_of("config g", {"config get"}), "et ");
  EXPECT_EQ(completion_of("x", {}), "");
  EXPECT_EQ(completion_of("", {"get"}), "");
}

// Shaped as redis-server 7.0.15 answers COMMAND DOCS SET, with fewer arguments.
TEST(CliCommands, LearnsFromDocsInBothProtocols) {
  const std::string key = "*6\r\n+name\r\n+key\r\n+type\r\n+key\r\n+flags\r\n*1\r\n+multiple\r\n";
  const std::string expiry =
      "*8\r\n+name\r\n+e\r\n+type\r\n+oneof\r\n+flags\r\n*1\r\n+optional\r\n+arguments\r\n*2\r\n"
      "*6\r\n+name\r\n+seconds\r\n+type\r\n+integer\r\n+token\r\n+EX\r\n"
      "*6\r\n+name\r\n+keepttl\r\n+type\r\n+pure-token\r\n+token\r\n+KEEPTTL\r\n";
  const std::string subcommands = "+subcommands\r\n*2\r\n+x|get\r\n*0\r\n";
  for (const char* outer : {"*2\r\n", "%1\r\n"}) {
    CliCommands commands;
    commands.learn_docs(value_of(outer + std::string("+x\r\n*4\r\n+arguments\r\n*2\r\n") + key + expiry + subcommands));
    EXPECT_EQ(commands.arguments_of("X"), "key [key ...] [EX seconds|KEEPTTL]");
    EXPECT_EQ(commands.beginning_with("X "), Words{"x get"});
    EXPECT_EQ(commands.beginning_with(""), Words{"x"});
    EXPECT_TRUE(commands.beginning_with("y").empty());
  }
}

TEST(CliCommands, NamesAreTakenFromCommandAlone) {
  CliCommands commands;
  commands.learn_names(value_of("*2\r\n*2\r\n$3\r\nGET\r\n:2\r\n*2\r\n$3\r\nset\r\n:-3\r\n"));
  EXPECT_EQ(commands.beginning_with(""), (Words{"get", "set"}));
}

}  // namespace
}  // namespace minod
