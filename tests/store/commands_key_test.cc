#include "store/limits.h"
#include "tests/store/commands_fixture.h"

namespace minod {
namespace {

class KeyCommandsTest : public CommandsTest {};

INSTANTIATE_TEST_SUITE_P(Store, KeyCommandsTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Cold" : "Warm"; });

TEST_P(KeyCommandsTest, DelAndUnlink) {
  EXPECT_EQ(run({"MSET", "a", "1", "b", "2", "c", "3"}), kOk);
  EXPECT_EQ(run({"DEL", "a", "none", "a", "b"}), integer(2));
  EXPECT_EQ(run({"UNLINK", "c", "none"}), integer(1));
  EXPECT_EQ(run({"DEL", "c"}), integer(0));
  EXPECT_EQ(run({"MGET", "a", "b", "c"}), array({kNull, kNull, kNull}));
}

TEST_P(KeyCommandsTest, ExistsTouchType) {
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"EXISTS", "k", "none", "k"}), integer(2));
  EXPECT_EQ(run({"TOUCH", "k", "none"}), integer(1));
  EXPECT_EQ(run({"TYPE", "k"}), "+string\r\n");
  EXPECT_EQ(run({"TYPE", "none"}), "+none\r\n");
}

TEST_P(KeyCommandsTest, ExpiredKeysAreGone) {
  EXPECT_EQ(run({"SET", "k", "v", "PX", "100"}), kOk);
  advance(Millis(99));
  EXPECT_EQ(run({"GET", "k"}), bulk("v"));
  EXPECT_EQ(run({"PTTL", "k"}), integer(1));
  advance(Millis(1));
  EXPECT_EQ(run({"GET", "k"}), kNull);
  EXPECT_EQ(run({"TTL", "k"}), integer(-2));
  EXPECT_EQ(run({"TYPE", "k"}), "+none\r\n");
  EXPECT_EQ(run({"DEL", "k"}), integer(0));
  EXPECT_EQ(run({"SETNX", "k", "new"}), integer(1));
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
}

TEST_P(KeyCommandsTest, ExpiredValuesAreNotAppendedTo) {
  EXPECT_EQ(run({"SET", "k", "10", "PX", "100"}), kOk);
  EXPECT_EQ(run({"SET", "s", "abc", "PX", "100"}), kOk);
  advance(Millis(100));
  EXPECT_EQ(run({"INCR", "k"}), integer(1));
  EXPECT_EQ(run({"APPEND", "s", "x"}), integer(1));
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
  EXPECT_EQ(run({"TTL", "s"}), integer(-1));
}

// Found by the differential test, seed 2272872881: the index keeps 48 bits of a time, the record all of them.
TEST_P(KeyCommandsTest, TimesBeyondThoseOfTheIndexAreExact) {
  ASSERT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"EXPIREAT", "k", "9223372036854775"}), integer(1));
  EXPECT_EQ(run({"PEXPIRETIME", "k"}), integer(9223372036854775000));
  EXPECT_EQ(run({"EXPIREAT", "k", "9223372036854775", "LT"}), integer(0));
  EXPECT_EQ(run({"EXPIREAT", "k", "9223372036854774", "LT"}), integer(1));
  EXPECT_EQ(run({"EXPIRETIME", "k"}), integer(9223372036854774));
  EXPECT_EQ(run({"EXISTS", "k", "k"}), integer(2));
  EXPECT_EQ(run({"SET", "k", "w", "KEEPTTL"}), kOk);
  EXPECT_EQ(run({"EXPIRETIME", "k"}), integer(9223372036854774));
}

TEST_P(KeyCommandsTest, Expire) {
  EXPECT_EQ(run({"EXPIRE", "k", "10"}), integer(0));
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"EXPIRE", "k", "10"}), integer(1));
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
  EXPECT_EQ(run({"PEXPIRE", "k", "12345"}), integer(1));
  EXPECT_EQ(run({"PTTL", "k"}), integer(12345));
  EXPECT_EQ(run({"EXPIREAT", "k", "33177117420"}), integer(1));
  EXPECT_EQ(run({"EXPIRETIME", "k"}), integer(33177117420));
  EXPECT_EQ(run({"PEXPIREAT", "k", "33177117420123"}), integer(1));
  EXPECT_EQ(run({"PEXPIRETIME", "k"}), integer(33177117420123));
  EXPECT_EQ(run({"GET", "k"}), bulk("v"));
}

TEST_P(KeyCommandsTest, ExpireInThePastDeletes) {
  for (const char* command : {"EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"}) {
    EXPECT_EQ(run({"SET", "k", "v"}), kOk);
    EXPECT_EQ(run({command, "k", "-1"}), integer(1)) << command;
    EXPECT_EQ(run({"GET", "k"}), kNull);
    EXPECT_EQ(run({command, "k", "-1"}), integer(0)) << command;
  }
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"EXPIRE", "k", "0"}), integer(1));
  EXPECT_EQ(run({"EXISTS", "k"}), integer(0));
}

TEST_P(KeyCommandsTest, ExpireNxXx) {
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"EXPIRE", "k", "10", "XX"}), integer(0));
  EXPECT_EQ(run({"EXPIRE", "k", "10", "NX"}), integer(1));
  EXPECT_EQ(run({"EXPIRE", "k", "20", "nx"}), integer(0));
  EXPECT_EQ(run({"TTL", "k"}), integer(10));
  EXPECT_EQ(run({"EXPIRE", "k", "20", "xx"}), integer(1));
  EXPECT_EQ(run({"TTL", "k"}), integer(20));
}

TEST_P(KeyCommandsTest, ExpireGtLt) {
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"EXPIRE", "k", "10", "GT"}), integer(0));  // no time counts as the latest
  EXPECT_EQ(run({"EXPIRE", "k", "10", "LT"}), integer(1));
  EXPECT_EQ(run({"EXPIRE", "k", "10", "GT"}), integer(0));
  EXPECT_EQ(run({"EXPIRE", "k", "10", "LT"}), integer(0));
  EXPECT_EQ(run({"EXPIRE", "k", "20", "LT"}), integer(0));
  EXPECT_EQ(run({"EXPIRE", "k", "20", "GT"}), integer(1));
  EXPECT_EQ(run({"EXPIRE", "k", "15", "XX", "LT"}), integer(1));
  EXPECT_EQ(run({"TTL", "k"}), integer(15));
  EXPECT_EQ(run({"EXPIRE", "k", "-1", "GT"}), integer(0));
  EXPECT_EQ(run({"EXPIRE", "k", "-1", "LT"}), integer(1));
  EXPECT_EQ(run({"EXISTS", "k"}), integer(0));
}

TEST_P(KeyCommandsTest, ExpireOptionsThatExclude) {
  const std::string nx = "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n";
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"EXPIRE", "k", "10", "NX", "XX"}), nx);
  EXPECT_EQ(run({"EXPIRE", "k", "10", "NX", "GT"}), nx);
  EXPECT_EQ(run({"EXPIRE", "k", "10", "LT", "NX"}), nx);
  EXPECT_EQ(run({"EXPIRE", "k", "10", "GT", "LT"}), "-ERR GT and LT options at the same time are not compatible\r\n");
  EXPECT_EQ(run({"EXPIRE", "k", "10", "nx", "foo"}), "-ERR Unsupported option foo\r\n");
  EXPECT_EQ(run({"EXPIRE", "k", "abc", "foo"}), "-ERR Unsupported option foo\r\n");
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
}

TEST_P(KeyCommandsTest, ExpireTimesThatAreNone) {
  EXPECT_EQ(run({"EXPIRE", "none", "x"}), kNotInteger);
  EXPECT_EQ(run({"EXPIRE", "none", "9223372036854775807"}), bad_time("expire"));
  EXPECT_EQ(run({"EXPIRE", "none", "-9223372036854775807"}), bad_time("expire"));
  EXPECT_EQ(run({"PEXPIRE", "none", "9223372036854775807"}), bad_time("pexpire"));
  EXPECT_EQ(run({"EXPIREAT", "none", "9223372036854775807"}), bad_time("expireat"));
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"PEXPIREAT", "k", "9223372036854775807"}), integer(1));
  EXPECT_EQ(run({"PEXPIREAT", "k", "-9223372036854775808"}), integer(1));
  EXPECT_EQ(run({"EXISTS", "k"}), integer(0));
}

TEST_P(KeyCommandsTest, TimesOfKeysThatHaveNone) {
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  for (const char* command : {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"}) {
    EXPECT_EQ(run({command, "none"}), integer(-2)) << command;
    EXPECT_EQ(run({command, "k"}), integer(-1)) << command;
  }
}

TEST_P(KeyCommandsTest, SecondsAreRounded) {
  EXPECT_EQ(run({"SET", "k", "v", "PX", "1499"}), kOk);
  EXPECT_EQ(run({"TTL", "k"}), integer(1));
  EXPECT_EQ(run({"SET", "k", "v", "PX", "1500"}), kOk);
  EXPECT_EQ(run({"TTL", "k"}), integer(2));
  EXPECT_EQ(run({"SET", "k", "v", "PXAT", "33177117420499"}), kOk);
  EXPECT_EQ(run({"EXPIRETIME", "k"}), integer(33177117420));
  EXPECT_EQ(run({"SET", "k", "v", "PXAT", "33177117420500"}), kOk);
  EXPECT_EQ(run({"EXPIRETIME", "k"}), integer(33177117421));
}

TEST_P(KeyCommandsTest, Persist) {
  EXPECT_EQ(run({"PERSIST", "none"}), integer(0));
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"PERSIST", "k"}), integer(0));
  EXPECT_EQ(run({"EXPIRE", "k", "10"}), integer(1));
  EXPECT_EQ(run({"PERSIST", "k"}), integer(1));
  EXPECT_EQ(run({"TTL", "k"}), integer(-1));
  EXPECT_EQ(run({"GET", "k"}), bulk("v"));
}

TEST_P(KeyCommandsTest, RenameCarriesTheTime) {
  EXPECT_EQ(run({"SET", "a", "1", "EX", "10"}), kOk);
  EXPECT_EQ(run({"SET", "b", "2"}), kOk);
  EXPECT_EQ(run({"RENAME", "a", "b"}), kOk);
  EXPECT_EQ(run({"MGET", "a", "b"}), array({kNull, bulk("1")}));
  EXPECT_EQ(run({"TTL", "b"}), integer(10));
  EXPECT_EQ(run({"SET", "c", "3"}), kOk);
  EXPECT_EQ(run({"RENAME", "c", "b"}), kOk);
  EXPECT_EQ(run({"TTL", "b"}), integer(-1));
}

TEST_P(KeyCommandsTest, RenameToItselfAndOfNothing) {
  const std::string no_such_key = "-ERR no such key\r\n";
  EXPECT_EQ(run({"RENAME", "none", "none"}), no_such_key);
  EXPECT_EQ(run({"RENAMENX", "none", "k"}), no_such_key);
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"RENAME", "k", "k"}), kOk);
  EXPECT_EQ(run({"RENAMENX", "k", "k"}), integer(0));
  EXPECT_EQ(run({"GET", "k"}), bulk("v"));
}

TEST_P(KeyCommandsTest, Renamenx) {
  EXPECT_EQ(run({"MSET", "a", "1", "b", "2"}), kOk);
  EXPECT_EQ(run({"RENAMENX", "a", "b"}), integer(0));
  EXPECT_EQ(run({"RENAMENX", "a", "c"}), integer(1));
  EXPECT_EQ(run({"MGET", "a", "b", "c"}), array({kNull, bulk("2"), bulk("1")}));
}

TEST_P(KeyCommandsTest, Copy) {
  EXPECT_EQ(run({"COPY", "none", "b"}), integer(0));
  EXPECT_EQ(run({"SET", "a", "1", "EX", "10"}), kOk);
  EXPECT_EQ(run({"COPY", "a", "b"}), integer(1));
  EXPECT_EQ(run({"MGET", "a", "b"}), array({bulk("1"), bulk("1")}));
  EXPECT_EQ(run({"TTL", "b"}), integer(10));
  EXPECT_EQ(run({"SET", "a", "2"}), kOk);
  EXPECT_EQ(run({"COPY", "a", "b"}), integer(0));
  EXPECT_EQ(run({"COPY", "a", "b", "replace"}), integer(1));
  EXPECT_EQ(run({"GET", "b"}), bulk("2"));
  EXPECT_EQ(run({"TTL", "b"}), integer(-1));
}

TEST_P(KeyCommandsTest, CopyToAnotherDatabase) {
  EXPECT_EQ(run({"SET", "a", "1"}), kOk);
  EXPECT_EQ(run({"COPY", "a", "a", "DB", "1"}), integer(1));
  EXPECT_EQ(run({"COPY", "a", "a", "DB", "1"}), integer(0));
  EXPECT_EQ(run({"COPY", "a", "a", "REPLACE", "DB", "1"}), integer(1));
  EXPECT_EQ(run({"COPY", "a", "b", "DB", "0"}), integer(1));
}

TEST_P(KeyCommandsTest, CopyRefusals) {
  EXPECT_EQ(run({"COPY", "a", "a"}), kSameObject);
  EXPECT_EQ(run({"COPY", "a", "a", "DB", "0"}), kSameObject);
  EXPECT_EQ(run({"COPY", "a", "b", "DB"}), kSyntax);
  EXPECT_EQ(run({"COPY", "a", "b", "FOO"}), kSyntax);
  EXPECT_EQ(run({"COPY", "a", "a", "DB", "16"}), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(run({"COPY", "a", "b", "DB", "x"}), kNotInteger);
  EXPECT_EQ(run({"COPY", "a", "b", "DB", "99999999999"}),
            "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
}

TEST_P(KeyCommandsTest, Move) {
  EXPECT_EQ(run({"MOVE", "a", "1"}), integer(0));
  EXPECT_EQ(run({"SET", "a", "1", "EX", "10"}), kOk);
  EXPECT_EQ(run({"MOVE", "a", "1"}), integer(1));
  EXPECT_EQ(run({"GET", "a"}), kNull);
  EXPECT_EQ(run({"SET", "a", "2"}), kOk);
  EXPECT_EQ(run({"MOVE", "a", "1"}), integer(0));
  EXPECT_EQ(run({"GET", "a"}), bulk("2"));
}

TEST_P(KeyCommandsTest, MoveRefusals) {
  EXPECT_EQ(run({"MOVE", "a", "0"}), kSameObject);
  EXPECT_EQ(run({"MOVE", "a", "16"}), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(run({"MOVE", "a", "-1"}), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(run({"MOVE", "a", "x"}), kNotInteger);
}

TEST_P(KeyCommandsTest, ObjectEncoding) {
  EXPECT_EQ(run({"OBJECT", "ENCODING", "none"}), kNull);
  EXPECT_EQ(run({"MSET", "i", "-12", "e", "012", "44", std::string(44, 'x'), "45", std::string(45, 'x')}), kOk);
  EXPECT_EQ(run({"OBJECT", "ENCODING", "i"}), bulk("int"));
  EXPECT_EQ(run({"object", "encoding", "e"}), bulk("embstr"));
  EXPECT_EQ(run({"OBJECT", "ENCODING", "44"}), bulk("embstr"));
  EXPECT_EQ(run({"OBJECT", "ENCODING", "45"}), bulk("raw"));
}

TEST_P(KeyCommandsTest, ObjectOthers) {
  EXPECT_EQ(run({"SET", "k", "v"}), kOk);
  EXPECT_EQ(run({"OBJECT", "REFCOUNT", "k"}), integer(1));
  EXPECT_EQ(run({"OBJECT", "IDLETIME", "k"}), integer(0));
  EXPECT_EQ(run({"OBJECT", "IDLETIME", "none"}), kNull);
  EXPECT_EQ(run({"OBJECT", "FREQ", "none"}), kNull);
  EXPECT_TRUE(run({"OBJECT", "FREQ", "k"}).starts_with("-ERR An LFU maxmemory policy is not selected"));
  EXPECT_TRUE(run({"OBJECT", "HELP"}).starts_with("*11\r\n+OBJECT <subcommand>"));
}

TEST_P(KeyCommandsTest, LargeValuesComeBackWhole) {
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(run({"SET", "k", large}), kOk);
  EXPECT_EQ(run({"APPEND", "k", "y"}), integer((1 << 20) + 1));
  EXPECT_EQ(run({"GETRANGE", "k", "-2", "-1"}), bulk("xy"));
  EXPECT_EQ(run({"RENAME", "k", "l"}), kOk);
  EXPECT_EQ(run({"STRLEN", "l"}), integer((1 << 20) + 1));
}

TEST_P(KeyCommandsTest, KeysHaveALimit) {
  const std::string longest(kKeySizeMax, 'k');
  const std::string longer = longest + 'k';
  const std::string refusal = "-ERR key is 65537 bytes, more than the limit of 65536 (key size limit)\r\n";
  EXPECT_EQ(run({"SET", longest, "v"}), kOk);
  EXPECT_EQ(run({"GET", longest}), bulk("v"));
  EXPECT_EQ(run({"GET", longer}), refusal);
  EXPECT_EQ(run({"SET", longer, "v"}), refusal);
  EXPECT_EQ(run({"SET", longer, "v", "GET"}), refusal);
  EXPECT_EQ(run({"INCR", longer}), refusal);
  EXPECT_EQ(run({"RENAME", longest, longer}), refusal);
  EXPECT_EQ(run({"GET", longest}), bulk("v"));
  EXPECT_EQ(run({"MSET", "a", "1", longer, "2"}), refusal);
  EXPECT_EQ(run({"MSETNX", "a", "1", longer, "2"}), refusal);
  EXPECT_EQ(run({"EXISTS", "a"}), integer(0));
}

}  // namespace
}  // namespace minod
