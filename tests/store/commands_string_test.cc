#include "tests/store/commands_fixture.h"

namespace minod {
namespace {

class StringCommandsTest : public CommandsTest {};

INSTANTIATE_TEST_SUITE_P(Store, StringCommandsTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Cold" : "Warm"; });

TEST_P(StringCommandsTest, SetAndGet) {
  EXPECT_EQ(run({"GET", "k"}), kNull);
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"GET", "k"}), bulk("v"));
  EXPECT_EQ(run({"SET", "k", ""}), kOk);
  EXPECT_EQ(run({"GET", "k"}), bulk(""));
  EXPECT_EQ(run({"SET", "", "empty key"}), kOk);
  EXPECT_EQ(run({"GET", ""}), bulk("empty key"));
}

TEST_P(StringCommandsTest, ValuesAreBytes) {
  const std::string bytes("a\0\r\n\xff", 5);
  EXPECT_EQ(run({"SET", bytes, bytes}), kOk);
  EXPECT_EQ(run({"GET", bytes}), bulk(bytes));
}

TEST_P(StringCommandsTest, SetNxXx) {
  EXPECT_EQ(run({"SET", "k", "a", "XX"}), kNull);
  EXPECT_EQ(run({"SET", "k", "a", "NX"}), kOk);
  EXPECT_EQ(run({"SET", "k", "b", "nx"}), kNull);
  EXPECT_EQ(run({"SET", "k", "b", "nx", "NX"}), kNull);
  EXPECT_EQ(run({"GET", "k"}), bulk("a"));
  EXPECT_EQ(run({"SET", "k", "c", "xx"}), kOk);
  EXPECT_EQ(run({"GET", "k"}), bulk("c"));
}

TEST_P(StringCommandsTest, SetGet) {
  EXPECT_EQ(run({"SET", "k", "a", "GET"}), kNull);
  EXPECT_EQ(run({"SET", "k", "b", "GET"}), bulk("a"));
  EXPECT_EQ(run({"SET", "k", "c", "NX", "GET"}), bulk("b"));
  EXPECT_EQ(run({"SET", "k", "d", "GET", "XX"}), bulk("b"));
  EXPECT_EQ(run({"GET", "k"}), bulk("d"));
  EXPECT_EQ(run({"SET", "n", "a", "XX", "GET"}), kNull);
  EXPECT_EQ(run({"EXISTS", "n"}), integer(0));
  EXPECT_EQ(run({"SET", "n", "a", "NX", "GET"}), kNull);
  EXPECT_EQ(run({"GET", "n"}), bulk("a"));
}

TEST_P(StringCommandsTest, SetTimes) {
  EXPECT_EQ(run({"SET", "k", "v", "EX", "10"}), kOk);
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
  EXPECT_EQ(run({"SET", "k", "v", "PX", "1500"}), kOk);
  EXPECT_EQ(run({"PTTL", "k"}), integer(1500));
  EXPECT_EQ(run({"SET", "k", "v", "EXAT", "33177117420"}), kOk);
  EXPECT_EQ(run({"EXPIRETIME", "k"}), integer(33177117420));
  EXPECT_EQ(run({"SET", "k", "v", "PXAT", "33177117420123"}), kOk);
  EXPECT_EQ(run({"PEXPIRETIME", "k"}), integer(33177117420123));
  EXPECT_EQ(run({"SET", "k", "v", "EX", "10", "EX", "20"}), kOk);
  EXPECT_EQ(run({"TTL", "k"}), integer(20));
}

TEST_P(StringCommandsTest, SetInThePastDeletes) {
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"SET", "k", "v", "EXAT", "1"}), kOk);
  EXPECT_EQ(run({"GET", "k"}), kNull);
  EXPECT_EQ(run({"EXISTS", "k"}), integer(0));
}

TEST_P(StringCommandsTest, SetDiscardsTheTimeUnlessKept) {
  EXPECT_EQ(run({"SET", "k", "a", "EX", "10"}), kOk);
  EXPECT_EQ(run({"SET", "k", "b", "KEEPTTL"}), kOk);
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
  EXPECT_EQ(run({"SET", "k", "c", "KEEPTTL", "GET"}), bulk("b"));
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
  EXPECT_EQ(run({"SET", "k", "d"}), kOk);
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
  EXPECT_EQ(run({"SET", "new", "v", "KEEPTTL"}), kOk);
  EXPECT_EQ(run({"TTL", "new"}), integer(-1));
}

TEST_P(StringCommandsTest, SetOptionsThatExclude) {
  EXPECT_EQ(run({"SET", "k", "v", "NX", "XX"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v", "EX", "1", "PX", "1"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v", "EXAT", "1", "PXAT", "1"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v", "KEEPTTL", "EX", "1"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v", "EX", "1", "KEEPTTL"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v", "EX"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v", "PERSIST"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v", "FOO"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v", ""}), kSyntax);
  EXPECT_EQ(run({"EXISTS", "k"}), integer(0));
}

TEST_P(StringCommandsTest, SetTimesThatAreNone) {
  EXPECT_EQ(run({"SET", "k", "v", "EX", "0"}), bad_time("set"));
  EXPECT_EQ(run({"SET", "k", "v", "EX", "-1"}), bad_time("set"));
  EXPECT_EQ(run({"SET", "k", "v", "EX", "a"}), kNotInteger);
  EXPECT_EQ(run({"SET", "k", "v", "EX", "9223372036854775807"}), bad_time("set"));
  EXPECT_EQ(run({"SET", "k", "v", "PX", "9223372036854775807"}), bad_time("set"));
  EXPECT_EQ(run({"SET", "k", "v", "EXAT", "9223372036854775807"}), bad_time("set"));
  EXPECT_EQ(run({"SETEX", "k", "0", "v"}), bad_time("setex"));
  EXPECT_EQ(run({"pSetEx", "k", "-1", "v"}), bad_time("psetex"));
  EXPECT_EQ(run({"EXISTS", "k"}), integer(0));
}

TEST_P(StringCommandsTest, SetnxSetexPsetex) {
  EXPECT_EQ(run({"SETNX", "k", "a"}), integer(1));
  EXPECT_EQ(run({"SETNX", "k", "b"}), integer(0));
  EXPECT_EQ(run({"GET", "k"}), bulk("a"));
  EXPECT_EQ(run({"SETEX", "k", "7", "c"}), kOk);
  EXPECT_EQ(run({"TTL", "k"}), integer(7));
  EXPECT_EQ(run({"PSETEX", "k", "700", "d"}), kOk);
  EXPECT_EQ(run({"PTTL", "k"}), integer(700));
  EXPECT_EQ(run({"GET", "k"}), bulk("d"));
}

TEST_P(StringCommandsTest, GetsetDiscardsTheTime) {
  EXPECT_EQ(run({"GETSET", "k", "a"}), kNull);
  EXPECT_EQ(run({"EXPIRE", "k", "10"}), integer(1));
  EXPECT_EQ(run({"GETSET", "k", "b"}), bulk("a"));
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
  EXPECT_EQ(run({"GET", "k"}), bulk("b"));
}

TEST_P(StringCommandsTest, Getdel) {
  EXPECT_EQ(run({"GETDEL", "k"}), kNull);
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"GETDEL", "k"}), bulk("v"));
  EXPECT_EQ(run({"GET", "k"}), kNull);
}

TEST_P(StringCommandsTest, Getex) {
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"GETEX", "k"}), bulk("v"));
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
  EXPECT_EQ(run({"GETEX", "k", "EX", "10"}), bulk("v"));
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
  EXPECT_EQ(run({"GETEX", "k"}), bulk("v"));
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
  EXPECT_EQ(run({"GETEX", "k", "PXAT", "33177117420123"}), bulk("v"));
  EXPECT_EQ(run({"PEXPIRETIME", "k"}), integer(33177117420123));
  EXPECT_EQ(run({"GETEX", "k", "PERSIST", "persist"}), bulk("v"));
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
  EXPECT_EQ(run({"GETEX", "k", "EXAT", "1"}), bulk("v"));
  EXPECT_EQ(run({"GETEX", "k"}), kNull);
}

TEST_P(StringCommandsTest, GetexRefusals) {
  EXPECT_EQ(run({"GETEX", "none", "EX", "0"}), kNull);
  EXPECT_EQ(run({"GETEX", "none", "EX", "0", "PX", "1"}), kSyntax);
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"GETEX", "k", "EX", "-1"}), bad_time("getex"));
  EXPECT_EQ(run({"GETEX", "k", "EX", "x"}), kNotInteger);
  EXPECT_EQ(run({"GETEX", "k", "EX"}), kSyntax);
  EXPECT_EQ(run({"GETEX", "k", "EX", "1", "PERSIST"}), kSyntax);
  EXPECT_EQ(run({"GETEX", "k", "KEEPTTL"}), kSyntax);
  EXPECT_EQ(run({"GETEX", "k", "NX"}), kSyntax);
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
}

TEST_P(StringCommandsTest, Strlen) {
  EXPECT_EQ(run({"STRLEN", "k"}), integer(0));
  EXPECT_EQ(run({"SET", "k", "hello"}), kOk);
  EXPECT_EQ(run({"STRLEN", "k"}), integer(5));
}

TEST_P(StringCommandsTest, MgetMset) {
  EXPECT_EQ(run({"MSET", "a", "1", "b", "2", "a", "3"}), kOk);
  EXPECT_EQ(run({"MGET", "a", "none", "b", "a", "b", "a"}),
            array({bulk("3"), kNull, bulk("2"), bulk("3"), bulk("2"), bulk("3")}));
  EXPECT_EQ(run({"MSET", "a"}), "-ERR wrong number of arguments for 'mset' command\r\n");
  EXPECT_EQ(run({"MSET", "a", "1", "b"}), "-ERR wrong number of arguments for 'mset' command\r\n");
}

TEST_P(StringCommandsTest, MsetDiscardsTimes) {
  EXPECT_EQ(run({"SET", "a", "1", "EX", "10"}), kOk);
  EXPECT_EQ(run({"MSET", "a", "2"}), kOk);
  EXPECT_EQ(run({"TTL", "a"}), integer(-1));
}

TEST_P(StringCommandsTest, MsetnxIsAllOrNothing) {
  EXPECT_EQ(run({"MSETNX", "a", "1", "b", "2"}), integer(1));
  EXPECT_EQ(run({"MSETNX", "c", "3", "b", "4"}), integer(0));
  EXPECT_EQ(run({"MGET", "a", "b", "c"}), array({bulk("1"), bulk("2"), kNull}));
  EXPECT_EQ(run({"MSETNX", "d", "1", "d", "2"}), integer(1));
  EXPECT_EQ(run({"GET", "d"}), bulk("2"));
  EXPECT_EQ(run({"MSETNX", "a", "1", "b"}), "-ERR wrong number of arguments for 'msetnx' command\r\n");
}

TEST_P(StringCommandsTest, Getrange) {
  EXPECT_EQ(run({"SET", "k", "This is a string"}), kOk);
  EXPECT_EQ(run({"GETRANGE", "k", "0", "3"}), bulk("This"));
  EXPECT_EQ(run({"GETRANGE", "k", "-3", "-1"}), bulk("ing"));
  EXPECT_EQ(run({"GETRANGE", "k", "0", "-1"}), bulk("This is a string"));
  EXPECT_EQ(run({"GETRANGE", "k", "10", "100"}), bulk("string"));
  EXPECT_EQ(run({"GETRANGE", "k", "5", "3"}), bulk(""));
  EXPECT_EQ(run({"GETRANGE", "k", "-1", "-5"}), bulk(""));
  EXPECT_EQ(run({"GETRANGE", "k", "-100", "-50"}), bulk("T"));
  EXPECT_EQ(run({"GETRANGE", "k", "16", "20"}), bulk(""));
  EXPECT_EQ(run({"SUBSTR", "k", "-9223372036854775808", "9223372036854775807"}), bulk("This is a string"));
  EXPECT_EQ(run({"GETRANGE", "none", "0", "-1"}), bulk(""));
  EXPECT_EQ(run({"GETRANGE", "k", "a", "1"}), kNotInteger);
  EXPECT_EQ(run({"GETRANGE", "k", "0", "1.0"}), kNotInteger);
}

TEST_P(StringCommandsTest, Setrange) {
  EXPECT_EQ(run({"SETRANGE", "k", "3", "abc"}), integer(6));
  EXPECT_EQ(run({"GET", "k"}), bulk(std::string_view("\0\0\0abc", 6)));
  EXPECT_EQ(run({"SETRANGE", "k", "1", "XY"}), integer(6));
  EXPECT_EQ(run({"GET", "k"}), bulk(std::string_view("\0XYabc", 6)));
  EXPECT_EQ(run({"SETRANGE", "k", "100", ""}), integer(6));
  EXPECT_EQ(run({"SETRANGE", "none", "100", ""}), integer(0));
  EXPECT_EQ(run({"EXISTS", "none"}), integer(0));
}

TEST_P(StringCommandsTest, SetrangeRefusals) {
  EXPECT_EQ(run({"SETRANGE", "k", "-1", "x"}), "-ERR offset is out of range\r\n");
  EXPECT_EQ(run({"SETRANGE", "k", "x", "x"}), kNotInteger);
  EXPECT_EQ(run({"SETRANGE", "k", "999999999999", "x"}), kTooLong);
  EXPECT_EQ(run({"SETRANGE", "k", "9223372036854775807", "x"}), kTooLong);
  EXPECT_EQ(run({"SETRANGE", "k", "999999999999", ""}), integer(0));
}

TEST_P(StringCommandsTest, AppendAndSetrangeKeepTheTime) {
  EXPECT_EQ(run({"APPEND", "k", "a"}), integer(1));
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
  EXPECT_EQ(run({"EXPIRE", "k", "10"}), integer(1));
  EXPECT_EQ(run({"APPEND", "k", "bc"}), integer(3));
  EXPECT_EQ(run({"SETRANGE", "k", "0", "A"}), integer(3));
  EXPECT_EQ(run({"GET", "k"}), bulk("Abc"));
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
}

TEST_P(StringCommandsTest, AppendNothingMakesAKey) {
  EXPECT_EQ(run({"APPEND", "k", ""}), integer(0));
  EXPECT_EQ(run({"EXISTS", "k"}), integer(1));
}

TEST_P(StringCommandsTest, Counters) {
  EXPECT_EQ(run({"INCR", "k"}), integer(1));
  EXPECT_EQ(run({"INCRBY", "k", "41"}), integer(42));
  EXPECT_EQ(run({"DECR", "k"}), integer(41));
  EXPECT_EQ(run({"DECRBY", "k", "50"}), integer(-9));
  EXPECT_EQ(run({"INCRBY", "k", "-1"}), integer(-10));
  EXPECT_EQ(run({"GET", "k"}), bulk("-10"));
}

TEST_P(StringCommandsTest, CountersKeepTheTime) {
  EXPECT_EQ(run({"SET", "k", "1", "EX", "10"}), kOk);
  EXPECT_EQ(run({"INCR", "k"}), integer(2));
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "0.5"}), bulk("2.5"));
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
}

TEST_P(StringCommandsTest, CounterRefusals) {
  const std::string overflow = "-ERR increment or decrement would overflow\r\n";
  EXPECT_EQ(run({"SET", "k", "9223372036854775807"}), kOk);
  EXPECT_EQ(run({"INCR", "k"}), overflow);
  EXPECT_EQ(run({"SET", "k", "-9223372036854775808"}), kOk);
  EXPECT_EQ(run({"DECR", "k"}), overflow);
  EXPECT_EQ(run({"DECRBY", "k", "-9223372036854775808"}), "-ERR decrement would overflow\r\n");
  EXPECT_EQ(run({"INCRBY", "k", "9223372036854775808"}), kNotInteger);
  for (const char* value : {"", " 1", "1 ", "01", "+1", "1.0", "abc"}) {
    EXPECT_EQ(run({"SET", "k", value}), kOk);
    EXPECT_EQ(run({"INCR", "k"}), kNotInteger) << value;
    EXPECT_EQ(run({"GET", "k"}), bulk(value));
  }
}

TEST_P(StringCommandsTest, Incrbyfloat) {
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "10.50"}), bulk("10.5"));
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "0.1"}), bulk("10.6"));
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "-10.6"}), bulk("0"));
  EXPECT_EQ(run({"SET", "k", "5.0e3"}), kOk);
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "2.0e2"}), bulk("5200"));
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "x"}), kNotReal);
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "nan"}), kNotReal);
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "inf"}), "-ERR increment would produce NaN or Infinity\r\n");
  EXPECT_EQ(run({"SET", "k", "abc"}), kOk);
  EXPECT_EQ(run({"INCRBYFLOAT", "k", "1"}), kNotReal);
}

}  // namespace
}  // namespace minod
