#include "replay/log_walk.h"

#include <gtest/gtest.h>

#include "tests/replay/log_directory.h"

namespace minod {
namespace {

using test::batch_of;
using test::LogDirectory;
using test::vouching_batch;

struct Walked {
  std::vector<std::int64_t> offsets;
  std::vector<LogDamage> damages;
  Offset end;
};

Walked walk(LogDirectory& directory, LogRange range = {}, const std::vector<LogSegment>* given = nullptr) {
  Walked walked;
  const auto listed = list_segments(directory.disk(), directory.partition());
  EXPECT_TRUE(listed);
  const auto clean_end = read_clean_end(directory.disk(), directory.partition());
  EXPECT_TRUE(clean_end);
  LogVisitor visitor;
  visitor.record = [&](const BatchHeader&, const RecordView& record) {
    walked.offsets.push_back(record.offset.value());
    return true;
  };
  visitor.damage = [&](const LogDamage& damage) {
    walked.damages.push_back(damage);
    return true;
  };
  LogWalk log_walk(directory.disk(), range, visitor);
  EXPECT_TRUE(log_walk.run(given != nullptr ? *given : *listed, *clean_end));
  walked.end = log_walk.end();
  return walked;
}

using Offsets = std::vector<std::int64_t>;

TEST(LogWalk, ShowsTheRecordsOfTheRange) {
  LogDirectory directory;
  directory.put_segment(directory.partition(), 5, {batch_of(5, 1, {"a", "b", "c"}), batch_of(8, 1, {"d"})});
  directory.put_segment(directory.partition(), 9, {batch_of(9, 1, {"e", "f"})}, 5000);
  EXPECT_EQ(walk(directory).offsets, (Offsets{5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(walk(directory).end, Offset(11));
  EXPECT_EQ(walk(directory, {Offset(7), Offset(10)}).offsets, (Offsets{7, 8, 9}));
  EXPECT_EQ(walk(directory, {Offset(10), Offset(99)}).offsets, (Offsets{10}));
  EXPECT_TRUE(walk(directory, {Offset(0), Offset(5)}).offsets.empty());
  EXPECT_TRUE(walk(directory).damages.empty());
}

TEST(LogWalk, GoesOnBehindDamage) {
  LogDirectory directory;
  const auto first = batch_of(0, 1, {"a", "b"});
  const auto bad = batch_of(2, 1, {"c"});
  directory.put_segment(directory.partition(), 0, {first, bad, vouching_batch(3, "k")});
  directory.flip(directory.segment(0), first.size() + bad.size() - 2);

  const Walked walked = walk(directory);
  EXPECT_EQ(walked.offsets, (Offsets{0, 1, 3}));
  ASSERT_EQ(walked.damages.size(), 1u);
  const LogDamage& damage = walked.damages.front();
  EXPECT_FALSE(damage.torn);
  EXPECT_EQ(damage.position, FilePosition(static_cast<std::int64_t>(first.size())));
  EXPECT_EQ(damage.expected, Offset(2));
  ASSERT_TRUE(damage.crc);
  EXPECT_EQ(damage.crc->expected, read_batch_header(bad)->crc);
  EXPECT_NE(damage.crc->expected, damage.crc->actual);
  ASSERT_TRUE(damage.next);
  EXPECT_EQ(damage.next->header.base_offset, Offset(3));
  EXPECT_EQ(damage.skipped_bytes, static_cast<std::int64_t>(bad.size()));
}

TEST(LogWalk, FindsTheNextBatchWhenTheLengthIsDamagedToo) {
  LogDirectory directory;
  const auto first = batch_of(0, 1, {"a"});
  directory.put_segment(directory.partition(), 0, {first, batch_of(1, 1, {"b"}), vouching_batch(2, "k")});
  directory.flip(directory.segment(0), batch_field::kLength);
  const Walked walked = walk(directory);
  EXPECT_EQ(walked.offsets, (Offsets{1, 2}));
  ASSERT_EQ(walked.damages.size(), 1u);
  EXPECT_EQ(walked.damages.front().skipped_bytes, static_cast<std::int64_t>(first.size()));
}

TEST(LogWalk, DoesNotTakeABatchInAValueForTheNextOne) {
  LogDirectory directory;
  const auto decoy = batch_of(1, 1, {"decoy"});
  const auto bad = batch_of(0, 1, {std::string(as_text(decoy))});
  directory.put_segment(directory.partition(), 0, {bad, vouching_batch(1, "k")});
  directory.flip(directory.segment(0), bad.size() - 1);
  const Walked walked = walk(directory);
  ASSERT_EQ(walked.damages.size(), 1u);
  EXPECT_EQ(walked.damages.front().skipped_bytes, static_cast<std::int64_t>(bad.size()));
}

TEST(LogWalk, KnowsATornEndFromDamage) {
  LogDirectory directory;
  const auto whole = batch_of(0, 1, {"a"});
  auto torn = batch_of(1, 1, {"bbbb"});
  torn.resize(torn.size() - 3);
  directory.put_segment(directory.partition(), 0, {whole, torn}, 4096);
  Walked walked = walk(directory);
  EXPECT_EQ(walked.end, Offset(1));
  ASSERT_EQ(walked.damages.size(), 1u);
  EXPECT_TRUE(walked.damages.front().torn);

  directory.write(directory.partition() + "/clean-end-offset", "2\n");
  walked = walk(directory);
  ASSERT_EQ(walked.damages.size(), 1u);
  EXPECT_FALSE(walked.damages.front().torn);
}

TEST(LogWalk, ASegmentThatWasOnlyNamedIsNoDamage) {
  LogDirectory directory;
  directory.put_segment(directory.partition(), 0, {batch_of(0, 1, {"a"})}, 4096);
  directory.put_segment(directory.partition(), 3, {}, 4096);
  const Walked walked = walk(directory);
  ASSERT_EQ(walked.damages.size(), 1u);
  EXPECT_TRUE(walked.damages.front().torn);
  EXPECT_EQ(walked.end, Offset(1));
}

TEST(LogWalk, ATruncatedSealedSegmentIsDamage) {
  LogDirectory directory;
  const auto first = batch_of(0, 1, {"a"});
  directory.put_segment(directory.partition(), 0, {first});
  directory.put_segment(directory.partition(), 2, {vouching_batch(2, "k")});
  Walked walked = walk(directory);
  EXPECT_EQ(walked.offsets, (Offsets{0, 2}));
  ASSERT_EQ(walked.damages.size(), 1u);
  EXPECT_FALSE(walked.damages.front().torn);
  EXPECT_EQ(walked.damages.front().position, FilePosition(static_cast<std::int64_t>(first.size())));

  directory.write(directory.segment(0), LogDirectory::read(directory.segment(0)).substr(0, first.size() - 1));
  walked = walk(directory);
  EXPECT_EQ(walked.offsets, (Offsets{2}));
  EXPECT_EQ(walked.damages.size(), 1u);
}

TEST(LogWalk, ACleanEndFurtherOnIsDamage) {
  LogDirectory directory;
  directory.put_segment(directory.partition(), 0, {batch_of(0, 1, {"a"})}, 4096);
  directory.write(directory.partition() + "/clean-end-offset", "1\n");
  EXPECT_TRUE(walk(directory).damages.empty());
  directory.write(directory.partition() + "/clean-end-offset", "7\n");
  EXPECT_EQ(walk(directory).damages.size(), 1u);
}

TEST(LogWalk, WithoutSomebodyToTellDamageIsAnError) {
  LogDirectory directory;
  directory.put_segment(directory.partition(), 0, {batch_of(0, 1, {"a"}), vouching_batch(1, "k")});
  directory.flip(directory.segment(0), kBatchHeaderSize + 2);
  const auto segments = list_segments(directory.disk(), directory.partition());
  const auto walked = LogWalk(directory.disk(), {}, {}).run(*segments, std::nullopt);
  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().code, Errc::kCorrupt);
  EXPECT_NE(walked.error().detail.find("computed"), std::string::npos);
}

TEST(SegmentAt, IsActiveWhenNoLaterOneIsThere) {
  LogDirectory directory;
  directory.put_segment(directory.partition(), 0, {batch_of(0, 1, {"a"})});
  directory.put_segment(directory.partition(), 1, {batch_of(1, 1, {"b"})});
  EXPECT_FALSE(segment_at(directory.disk(), directory.segment(0))->active);
  EXPECT_TRUE(segment_at(directory.disk(), directory.segment(1))->active);
  const std::string renamed = directory.partition() + "/copy.log";
  std::filesystem::copy(directory.segment(1), renamed);
  EXPECT_EQ(segment_at(directory.disk(), renamed)->base, Offset(1));
  EXPECT_EQ(segment_at(directory.disk(), "/nowhere/0.log").error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace minod
