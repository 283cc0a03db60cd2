#include "net/resp/value.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"

namespace minod::resp {
namespace {

using Type = Value::Type;

const std::vector<std::string>& valid_values() {
  static const std::vector<std::string> values = {"+OK\r\n",
                                                  "-ERR x\r\n",
                                                  ":-12\r\n",
                                                  ":+3\r\n",
                                                  "$-1\r\n",
                                                  "$0\r\n\r\n",
                                                  "$3\r\na\r\n\r\n",
                                                  "*-1\r\n",
                                                  "*0\r\n",
                                                  "*2\r\n:1\r\n*2\r\n$1\r\na\r\n_\r\n",
                                                  "%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n",
                                                  "~2\r\n:1\r\n#t\r\n",
                                                  ">1\r\n+m\r\n",
                                                  ",1.5\r\n",
                                                  ",-inf\r\n",
                                                  "#f\r\n",
                                                  "=7\r\ntxt:abc\r\n",
                                                  "(123\r\n",
                                                  "!5\r\nERR x\r\n",
                                                  "_\r\n",
                                                  "|1\r\n+a\r\n*1\r\n:1\r\n:5\r\n",
                                                  "*2\r\n|1\r\n+a\r\n:1\r\n:5\r\n|0\r\n:6\r\n"};
  return values;
}

Value parsed(std::string_view text) {
  std::size_t used = 0;
  auto value = parse_value(text, used);
  EXPECT_TRUE(value.has_value()) << text;
  EXPECT_EQ(used, text.size());
  return value ? *value : Value{};
}

Errc failure_of(std::string_view text) {
  std::size_t used = 0;
  const auto value = parse_value(text, used);
  return value ? Errc::kNotFound : value.error().code;
}

Errc scan_failure_of(std::string_view text) {
  ValueScanner scanner;
  const auto size = scanner.scan(text);
  return size ? Errc::kNotFound : size.error().code;
}

void expect_text(std::string_view reply, Type type, std::string_view text) {
  const Value value = parsed(reply);
  EXPECT_EQ(value.type, type) << reply;
  EXPECT_EQ(value.text, text) << reply;
}

TEST(Value, Scalars) {
  expect_text("+OK\r\n", Type::kSimple, "OK");
  expect_text("-ERR x\r\n", Type::kError, "ERR x");
  expect_text("!5\r\nERR x\r\n", Type::kError, "ERR x");
  expect_text("$3\r\na\r\n\r\n", Type::kBulk, "a\r\n");
  expect_text(",-inf\r\n", Type::kDouble, "-inf");
  expect_text("=7\r\ntxt:abc\r\n", Type::kVerbatim, "abc");
  expect_text("(123\r\n", Type::kBigNumber, "123");
  for (const char* null : {"$-1\r\n", "*-1\r\n", "_\r\n"}) expect_text(null, Type::kNull, "");
  EXPECT_EQ(parsed(":-12\r\n").integer, -12);
  EXPECT_EQ(parsed(":9223372036854775807\r\n").integer, 9223372036854775807);
  EXPECT_EQ(parsed("#t\r\n").integer, 1);
  EXPECT_EQ(parsed("#f\r\n").type, Type::kBoolean);
  EXPECT_TRUE(parsed("-x\r\n").is_error());
}

TEST(Value, Aggregates) {
  const Value map = parsed("%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n>1\r\n*0\r\n");
  EXPECT_EQ(map.type, Type::kMap);
  ASSERT_EQ(map.elements.size(), 4u);
  EXPECT_EQ(map.elements[2].text, "b");
  EXPECT_EQ(map.elements[3].type, Type::kSet);
  EXPECT_EQ(map.elements[3].elements[0].type, Type::kPush);
  EXPECT_EQ(map.elements[3].elements[0].elements[0].type, Type::kArray);
}

TEST(Value, AttributesAreDropped) {
  EXPECT_EQ(parsed("|1\r\n+a\r\n*1\r\n:1\r\n:5\r\n").integer, 5);
  EXPECT_EQ(parsed("*2\r\n|1\r\n+a\r\n:1\r\n:5\r\n:6\r\n").elements.size(), 2u);
}

TEST(Value, EveryBeginningIsIncomplete) {
  for (const std::string& value : valid_values()) {
    for (std::size_t size = 0; size != value.size(); ++size) {
      EXPECT_EQ(failure_of(value.substr(0, size)), Errc::kEnd) << value << " cut at " << size;
      EXPECT_EQ(scan_failure_of(value.substr(0, size)), Errc::kEnd) << value << " cut at " << size;
    }
  }
}

TEST(Value, WhatIsNotRespIsRefused) {
  for (const char* text : {"x\r\n", ":\r\n", ":1x\r\n", ":9223372036854775808\r\n", "$-2\r\n", "*-2\r\n", "%-1\r\n",
                           "$1\r\nabc", "+a\rb", "#x\r\n", "_x\r\n", "=2\r\nab\r\n", "=-1\r\n", "$?\r\n",
                           "*9223372036854775807\r\n", "%4611686018427387905\r\n"}) {
    EXPECT_EQ(failure_of(text), Errc::kInvalid) << text;
  }
}

TEST(Value, NestingIsLimited) {
  std::string deep;
  for (int i = 0; i != 32; ++i) deep += "*1\r\n";
  EXPECT_EQ(failure_of(deep + ":1\r\n"), Errc::kNotFound);
  EXPECT_EQ(failure_of("*1\r\n" + deep + ":1\r\n"), Errc::kInvalid);
  EXPECT_EQ(scan_failure_of(deep + deep + ":1\r\n"), Errc::kInvalid);
  std::string many_attributes;
  for (int i = 0; i != 10'000; ++i) many_attributes += "|1\r\n";
  EXPECT_EQ(failure_of(many_attributes), Errc::kInvalid);
  EXPECT_EQ(scan_failure_of(many_attributes), Errc::kInvalid);
}

TEST(ValueScanner, ContinuesWhereItStopped) {
  std::string all;
  for (const std::string& value : valid_values()) all += value;
  ValueScanner scanner;
  std::string come;
  std::vector<std::string> found;
  for (const char byte : all) {
    come += byte;
    const auto size = scanner.scan(come);
    if (!size) {
      ASSERT_EQ(size.error().code, Errc::kEnd);
      continue;
    }
    found.push_back(come.substr(0, *size));
    come.erase(0, *size);
  }
  EXPECT_EQ(found, valid_values());
}

// The scanner finds the end that the parser finds.
TEST(ValueScanner, AgreesWithTheParserOnDamagedValues) {
  constexpr std::uint64_t kSeed = 7;
  Random random(kSeed);
  for (int round = 0; round != 50'000; ++round) {
    std::string text = valid_values()[random.below(valid_values().size())];
    text[random.below(text.size())] = "0123*$:+-%|_\r\n,(!~>#="[random.below(22)];
    std::size_t used = 0;
    const auto value = parse_value(text, used);
    ValueScanner scanner;
    const auto size = scanner.scan(text);
    if (value) {
      ASSERT_TRUE(size.has_value()) << text << " seed " << kSeed << " round " << round;
      ASSERT_EQ(*size, used) << text;
    } else if (!size) {
      ASSERT_EQ(size.error().code, value.error().code) << text;
    }
  }
}

}  // namespace
}  // namespace minod::resp
