#include "tools/cli_format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/resp/words.h"

namespace minod {
namespace {

resp::Value value_of(std::string_view reply) {
  std::size_t used = 0;
  auto value = resp::parse_value(reply, used);
  EXPECT_TRUE(value.has_value()) << reply;
  EXPECT_EQ(used, reply.size());
  return value ? *value : resp::Value{};
}

struct Case {
  std::string reply;
  std::string readable;  // what redis-cli 7.0.15 --no-raw printed
  std::string raw;       // what redis-cli 7.0.15 --raw printed, without the last newline
  std::string json;
};

const std::vector<Case>& scalars() {
  static const std::vector<Case> cases = {
      {"+OK\r\n", "OK\n", "OK", "\"OK\""},
      {"-ERR bad\r\n", "(error) ERR bad\n", "ERR bad\n", "{\"error\":\"ERR bad\"}"},
      {":12\r\n", "(integer) 12\n", "12", "12"},
      {"$-1\r\n", "(nil)\n", "", "null"},
      {"*-1\r\n", "(nil)\n", "", "null"},
      {"_\r\n", "(nil)\n", "", "null"},
      {"$0\r\n\r\n", "\"\"\n", "", "\"\""},
      {"$5\r\na\"\\\n\x01\r\n", "\"a\\\"\\\\\\n\\x01\"\n", "a\"\\\n\x01", "\"a\\\"\\\\\\n\\u0001\""},
      {"$4\r\n\xc3\xa9\x7f\xff\r\n", "\"\\xc3\\xa9\\x7f\\xff\"\n", "\xc3\xa9\x7f\xff", "{\"b64\":\"w6l//w==\"}"},
      {"$5\r\n\a\b\t\r \r\n", "\"\\a\\b\\t\\r \"\n", "\a\b\t\r ", "\"\\u0007\\u0008\\t\\r \""},
      {"$4\r\na\nb\n\r\n", "\"a\\nb\\n\"\n", "a\nb\n", "\"a\\nb\\n\""},
      {",1.5\r\n", "(double) 1.5\n", "1.5", "1.5"},
      {",inf\r\n", "(double) inf\n", "inf", "\"inf\""},
      {"#t\r\n", "(true)\n", "(true)", "true"},
      {"#f\r\n", "(false)\n", "(false)", "false"},
      {"=7\r\ntxt:a\nb\r\n", "a\nb\n", "a\nb", "\"a\\nb\""},
  };
  return cases;
}

const std::vector<Case>& aggregates() {
  static const std::vector<Case> cases = {
      {"*0\r\n", "(empty array)\n", "", "[]"},
      {"%0\r\n", "(empty hash)\n", "", "{}"},
      {"~0\r\n", "(empty set)\n", "", "[]"},
      {"*2\r\n:1\r\n$1\r\na\r\n", "1) (integer) 1\n2) \"a\"\n", "1\na", "[1,\"a\"]"},
      {"*3\r\n$-1\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n", "1) (nil)\n2) \"a\"\n3) 1) (integer) 1\n   2) (integer) 2\n",
       "\na\n1\n2", "[null,\"a\",[1,2]]"},
      {"*2\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n*0\r\n", "1) 1) (integer) 1\n   2) 1) \"x\"\n2) (empty array)\n", "1\nx\n",
       "[[1,[\"x\"]],[]]"},
      {"~2\r\n:1\r\n:2\r\n", "1~ (integer) 1\n2~ (integer) 2\n", "1\n2", "[1,2]"},
      {"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*2\r\n:1\r\n%1\r\n+k\r\n~1\r\n#t\r\n",
       "1# \"a\" => (integer) 1\n2# \"b\" => \n   1) (integer) 1\n   2) 1# k => 1~ (true)\n", "a 1\nb 1\nk (true)",
       "{\"a\":1,\"b\":[1,{\"k\":[true]}]}"},
      {"%1\r\n+a\r\n*0\r\n", "1# a => (empty array)\n", "a ", "{\"a\":[]}"},
      {"%1\r\n+a\r\n%2\r\n+b\r\n:1\r\n+c\r\n:1\r\n", "1# a => \n   1# b => (integer) 1\n   2# c => (integer) 1\n",
       "a b 1\nc 1", "{\"a\":{\"b\":1,\"c\":1}}"},
      {"%1\r\n+a\r\n*1\r\n*2\r\n:1\r\n:2\r\n", "1# a => \n   1) 1) (integer) 1\n      2) (integer) 2\n", "a 1\n2",
       "{\"a\":[[1,2]]}"},
      {"%1\r\n+a\r\n=7\r\ntxt:x\ny\r\n", "1# a => x\ny\n", "a x\ny", "{\"a\":\"x\\ny\"}"},
      {"%1\r\n*2\r\n:1\r\n:2\r\n*2\r\n:3\r\n:4\r\n",
       "1# 1) (integer) 1\n   2) (integer) 2 => \n   1) (integer) 3\n   2) (integer) 4\n", "1\n2 3\n4",
       "{\"[1,2]\":[3,4]}"},
      {"*2\r\n%1\r\n$1\r\na\r\n*2\r\n%1\r\n+x\r\n~2\r\n:1\r\n:2\r\n:3\r\n:4\r\n",
       "1) 1# \"a\" => \n      1) 1# x => \n            1~ (integer) 1\n            2~ (integer) 2\n      2) (integer) "
       "3\n"
       "2) (integer) 4\n",
       "a x 1\n2\n3\n4", "[{\"a\":[{\"x\":[1,2]},3]},4]"},
      {"*11\r\n*2\r\n:1\r\n:2\r\n:3\r\n:3\r\n:3\r\n:3\r\n:3\r\n:3\r\n:3\r\n:3\r\n:3\r\n*1\r\n*2\r\n$-1\r\n-ERR x\r\n",
       " 1) 1) (integer) 1\n    2) (integer) 2\n 2) (integer) 3\n 3) (integer) 3\n 4) (integer) 3\n 5) (integer) 3\n"
       " 6) (integer) 3\n 7) (integer) 3\n 8) (integer) 3\n 9) (integer) 3\n10) (integer) 3\n"
       "11) 1) 1) (nil)\n       2) (error) ERR x\n",
       "1\n2\n3\n3\n3\n3\n3\n3\n3\n3\n3\n\nERR x\n", "[[1,2],3,3,3,3,3,3,3,3,3,[[null,{\"error\":\"ERR x\"}]]]"},
  };
  return cases;
}

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const resp::Value value = value_of(c.reply);
    EXPECT_EQ(readable_text(value), c.readable) << c.reply;
    EXPECT_EQ(raw_text(value), c.raw) << c.reply;
    EXPECT_EQ(json_text(value), c.json) << c.reply;
  }
}

TEST(CliFormat, Scalars) { expect_all(scalars()); }

TEST(CliFormat, Aggregates) { expect_all(aggregates()); }

// redis-cli 7.0 can't read these two.
TEST(CliFormat, BigNumbersAndBulkErrors) {
  expect_all({{"(12345678901234567890123\r\n", "12345678901234567890123\n", "12345678901234567890123",
               "12345678901234567890123"},
              {"!5\r\nERR x\r\n", "(error) ERR x\n", "ERR x\n", "{\"error\":\"ERR x\"}"}});
}

TEST(CliFormat, JsonTellsUtf8FromBytes) {
  const auto json_of = [](std::string text) {
    resp::Value value;
    value.type = resp::Value::Type::kBulk;
    value.text = std::move(text);
    return json_text(value);
  };
  EXPECT_EQ(json_of("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
  EXPECT_EQ(json_of("\x7f"), "\"\\u007f\"");
  for (const char* text : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                           "\xf0\x8f\xbf\xbf", "\xc3", "\xe2\x82", "\342a\x80"}) {
    EXPECT_EQ(json_of(text).find("{\"b64\":"), 0u) << readable_text(value_of("+x\r\n"));
  }
  EXPECT_EQ(json_of("\xff"), "{\"b64\":\"/w==\"}");
  EXPECT_EQ(json_of("\xff\xfe"), "{\"b64\":\"//4=\"}");
  EXPECT_EQ(json_of("\xff\xfe\xfd"), "{\"b64\":\"//79\"}");
}

// What is printed in quotes can be typed again.
TEST(CliFormat, QuotedBytesAreReadBack) {
  std::string all;
  for (int byte = 0; byte != 256; ++byte) all += static_cast<char>(byte);
  std::vector<std::string> words;
  ASSERT_TRUE(resp::split_words("SET " + quoted_text(all), words));
  EXPECT_EQ(words, (std::vector<std::string>{"SET", all}));
}

}  // namespace
}  // namespace minod
