#include "tools/dump_run.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/replay/log_directory.h"
#include "tools/dump_text.h"

namespace minod {
namespace {

using dump::Mode;
using dump::Options;
using test::batch_of;
using test::batch_with;
using test::kSomeTime;
using test::LogDirectory;

constexpr Epoch kEpoch{7};  // of the golden batch

class Dump : public testing::Test {
 protected:
  // Lines of the dump; its exit code goes to code_.
  std::vector<std::string> lines(Options options) {
    if (options.paths.empty()) options.paths = {directory_.path()};
    std::vector<std::string> lines;
    const auto code = dump::run(directory_.disk(), options, [&](const std::string& line) {
      lines.push_back(line);
      return true;
    });
    EXPECT_TRUE(code) << (code ? "" : code.error().message());
    code_ = code ? *code : -1;
    return lines;
  }
  std::string text(const Options& options) {
    std::string all;
    for (const std::string& line : lines(options)) all += line;
    return all;
  }
  static Options of(Mode mode, bool json = false) {
    Options options;
    options.mode = mode;
    options.json = json;
    return options;
  }

  // Two segments: a sealed one with its index files and an active one; the second partition of another database.
  void fill() {
    const std::vector<test::Blob> sealed = {
        test::golden_batch(),
        batch_with(44, {NewRecord{.key = "bin\xff", .value = std::string(100, 'x')}}, kSomeTime, false, kEpoch)};
    directory_.put_segment(directory_.partition(), 42, sealed);
    directory_.put_index_files(42, sealed);
    directory_.put_segment(directory_.partition(), 45,
                           {test::log_start_batch(45, kEpoch),
                            test::compressed(batch_with(46, {NewRecord{.key = "z", .value = std::string(900, 'y')}},
                                                        kSomeTime + Millis(60'000), false, kEpoch))},
                           8192);
    directory_.put_segment(directory_.partition(3, 1), 0, {batch_of(0, 1, {"other"})});
  }

  LogDirectory directory_;
  int code_ = -1;
};

TEST_F(Dump, ListsSegments) {
  fill();
  const auto found = lines(of(Mode::kSegments));
  ASSERT_EQ(found.size(), 4u);
  EXPECT_NE(found[1].find("db0-0/00000000000000000042.log"), std::string::npos);
  EXPECT_NE(found[1].find("42..44"), std::string::npos);
  EXPECT_NE(found[1].find("sealed  ok"), std::string::npos);
  EXPECT_NE(found[2].find("45..46"), std::string::npos);
  EXPECT_NE(found[2].find("mixed  active  ok"), std::string::npos);
  EXPECT_EQ(code_, dump::kExitClean);
}

TEST_F(Dump, ListsRecordsUnderTheirBatches) {
  fill();
  Options options = of(Mode::kRecords);
  options.db = 0;
  const auto found = lines(options);
  ASSERT_EQ(found.size(), 10u);  // a heading, four batches, five records
  EXPECT_TRUE(found[1].starts_with("batch 42..43 at 0 in db0-0/")) << found[1];
  EXPECT_NE(found[1].find("crc 53c085b4"), std::string::npos);
  EXPECT_EQ(found[2],
            "          42          0  2023-11-14T22:13:20.000Z  SET    1m0s until 2023-11-14T22:14:20.000Z  "
            "\"user:1\"  \"alice\"\n");
  EXPECT_EQ(found[3], "          43          0  2023-11-14T22:13:20.005Z  DEL    -  \"user:2\"\n");
  EXPECT_NE(found[5].find("\"bin\\xff\"  \"" + std::string(64, 'x') + "\"... 100 bytes"), std::string::npos)
      << found[5];
  EXPECT_NE(found[7].find("FLUSH  everything below offset 45"), std::string::npos) << found[7];
}

TEST_F(Dump, FiltersRecords) {
  fill();
  Options options = of(Mode::kKeys);
  EXPECT_EQ(text(options), "\"user:1\"\n\"user:2\"\n\"bin\\xff\"\n\"z\"\n\"k0\"\n");
  options.keys.prefix = "user:";
  EXPECT_EQ(text(options), "\"user:1\"\n\"user:2\"\n");
  options.keys.match = "*2";
  EXPECT_EQ(text(options), "\"user:2\"\n");
  options = of(Mode::kKeys);
  options.range = {Offset(43), Offset(46)};
  EXPECT_EQ(text(options), "\"user:2\"\n\"bin\\xff\"\n");
  options = of(Mode::kKeys);
  options.start_time = kSomeTime + Millis(5);
  options.end_time = kSomeTime + Millis(60'000);
  EXPECT_EQ(text(options), "\"user:2\"\n");
  options = of(Mode::kKeys);
  options.limit = 1;
  EXPECT_EQ(text(options), "\"user:1\"\n");
  options = of(Mode::kKeys);
  options.db = 3;
  EXPECT_EQ(text(options), "\"k0\"\n");
}

TEST_F(Dump, JsonIsBinarySafe) {
  fill();
  Options options = of(Mode::kRecords, true);
  options.db = 0;
  std::vector<boost::json::object> records;
  for (const std::string& line : lines(options)) records.push_back(boost::json::parse(line).as_object());
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[0].at("key").as_string(), "user:1");
  EXPECT_EQ(records[0].at("value").as_string(), "alice");
  EXPECT_EQ(records[0].at("expires_unix_ms").as_int64(), 1'700'000'060'000);
  EXPECT_EQ(records[1].at("op").as_string(), "del");
  EXPECT_FALSE(records[1].contains("value"));
  EXPECT_EQ(records[2].at("key").as_object().at("b64").as_string(), "Ymlu/w==");
  EXPECT_EQ(records[2].at("value").as_string().size(), 100u);
  EXPECT_EQ(records[3].at("op").as_string(), "flush");
  EXPECT_EQ(records[3].at("below").as_int64(), 45);

  for (const Mode mode : {Mode::kSegments, Mode::kBatches, Mode::kKeys}) {
    for (const std::string& line : lines(of(mode, true))) EXPECT_TRUE(boost::json::parse(line).is_object());
  }
}

TEST_F(Dump, JsonKnowsUtf8) {
  const std::string valid = "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
  std::vector<NewRecord> records = {{.key = valid, .value = "v"}};
  for (const std::string_view bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xf5"}) {
    records.push_back({.key = bad, .value = "v"});
  }
  directory_.put_segment(directory_.partition(), 0, {batch_with(0, records)});
  const auto found = lines(of(Mode::kKeys, true));
  ASSERT_EQ(found.size(), 7u);
  EXPECT_EQ(boost::json::parse(found[0]).at("key").as_string(), valid);
  for (std::size_t i = 1; i < found.size(); ++i) EXPECT_NE(found[i].find("b64"), std::string::npos) << i;
}

TEST_F(Dump, VerifyIsSilentOnSuccess) {
  fill();
  Options options = of(Mode::kVerify);
  EXPECT_EQ(text(options), "3 segments, 5 batches, 6 records: ok\n");
  options.quiet = true;
  EXPECT_EQ(text(options), "");
  EXPECT_EQ(code_, dump::kExitClean);
}

TEST_F(Dump, VerifyTellsDamage) {
  fill();
  directory_.flip(directory_.segment(45), batch_field::kBaseTimestamp);
  directory_.write(directory_.partition() + "/clean-end-offset", "47\n");
  const auto found = lines(of(Mode::kVerify));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NE(found[0].find("! "), std::string::npos);
  EXPECT_NE(found[0].find("00000000000000000045.log at 0 (offset 45): batch CRC does not match: expected "),
            std::string::npos)
      << found[0];
  EXPECT_NE(found[0].find("(offset 46)"), std::string::npos) << found[0];
  EXPECT_EQ(code_, dump::kExitDamage);

  const auto as_json = lines(of(Mode::kVerify, true));
  ASSERT_EQ(as_json.size(), 1u);
  const auto damage = boost::json::parse(as_json[0]).as_object();
  EXPECT_EQ(damage.at("type").as_string(), "damage");
  EXPECT_EQ(damage.at("next_offset").as_int64(), 46);
  EXPECT_EQ(damage.at("crc_expected").as_string().size(), 8u);

  EXPECT_NE(text(of(Mode::kSegments)).find("DAMAGED"), std::string::npos);
  Options records = of(Mode::kKeys);
  EXPECT_NE(text(records).find("\"z\""), std::string::npos) << "goes on behind the damage";
}

TEST_F(Dump, VerifyComparesIndexFiles) {
  fill();
  directory_.flip(directory_.segment(42, kTimeIndexSuffix), 7);
  EXPECT_NE(text(of(Mode::kVerify)).find("00000000000000000042.timeindex"), std::string::npos);
  EXPECT_EQ(code_, dump::kExitDamage);
  EXPECT_EQ(lines(of(Mode::kSegments)).size(), 4u) << "only --verify reads them";
  EXPECT_EQ(code_, dump::kExitClean);
}

TEST_F(Dump, ATornEndHasAnExitCodeOfItsOwn) {
  auto torn = batch_of(1, 1, {"bbbb"});
  torn.resize(torn.size() - 3);
  directory_.put_segment(directory_.partition(), 0, {batch_of(0, 1, {"a"}), torn}, 4096);
  EXPECT_NE(text(of(Mode::kVerify)).find("a write that did not finish"), std::string::npos);
  EXPECT_EQ(code_, dump::kExitTorn);
  EXPECT_NE(text(of(Mode::kSegments)).find("active  torn"), std::string::npos);
}

TEST_F(Dump, TakesPartitionsAndFiles) {
  fill();
  Options options = of(Mode::kKeys);
  options.paths = {directory_.partition(3, 1) + "/"};
  EXPECT_EQ(text(options), "\"k0\"\n");
  options.paths = {directory_.segment(45)};
  EXPECT_EQ(text(options), "\"z\"\n");
  options.paths = {directory_.path() + "/minod.meta"};
  EXPECT_EQ(dump::run(directory_.disk(), options, {}).error().code, Errc::kInvalid);
  options.paths = {directory_.path() + "/nowhere"};
  EXPECT_EQ(dump::run(directory_.disk(), options, {}).error().code, Errc::kNotFound);
}

TEST(Quoted, EscapesWhatATerminalMustNotSee) {
  EXPECT_EQ(dump::quoted("a\"b\\\n\x1b[2J\xff"), "\"a\\\"b\\\\\\n\\x1b[2J\\xff\"");
  EXPECT_EQ(dump::quoted("abcdef", 3), "\"abc\"... 6 bytes");
}

}  // namespace
}  // namespace minod
