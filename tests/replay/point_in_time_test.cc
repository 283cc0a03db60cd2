#include "replay/point_in_time.h"

#include <gtest/gtest.h>

#include "log/epoch_file.h"
#include "replay/batch_cut.h"
#include "replay/recovery.h"
#include "tests/replay/log_directory.h"

namespace minod {
namespace {

using test::batch_of;
using test::batch_with;
using test::Blob;
using test::kSomeTime;
using test::LogDirectory;

struct Change {
  std::int64_t offset;
  std::string key;
  std::string value;
  std::int64_t time;
  std::int64_t expires_at;
  bool operator==(const Change&) const = default;
};

std::vector<Change> changes_in(Disk& disk, const std::string& directory, LogRange range = {}) {
  std::vector<Change> changes;
  const auto segments = list_segments(disk, directory);
  EXPECT_TRUE(segments);
  LogVisitor visitor;
  visitor.record = [&](const BatchHeader&, const RecordView& record) {
    changes.push_back({record.offset.value(), std::string(record.key),
                       record.has_value ? std::string(record.value) : "(deleted)", record.timestamp.value(),
                       record.expires_at.value()});
    return true;
  };
  EXPECT_TRUE(LogWalk(disk, range, visitor).run(*segments, std::nullopt));
  return changes;
}

CopyReport copy(LogDirectory& from, const std::string& to, LogRange range, UnixMillis until_time = kNeverExpires) {
  const auto survey = survey_log(from.disk(), from.partition(), range, until_time);
  EXPECT_TRUE(survey) << (survey ? "" : survey.error().message());
  const auto report = copy_partition(from.disk(), from.partition(), to, *survey);
  EXPECT_TRUE(report) << (report ? "" : report.error().message());
  return report ? *report : CopyReport();
}

void fill(LogDirectory& directory) {
  const UnixMillis later = kSomeTime + Millis(1000);
  directory.put_segment(
      directory.partition(), 0,
      {batch_of(0, 1, {"a", "b", "c"}),
       test::compressed(batch_with(
           3, {NewRecord{.key = "long", .value = std::string(500, 'x')}, NewRecord{.key = "gone", .has_value = false},
               NewRecord{.key = "ttl", .value = "t", .expires_at = UnixMillis(7)}}))});
  directory.put_segment(directory.partition(), 6, {batch_with(6, {NewRecord{.key = "k", .value = "v"}}, later)}, 4096);
  ASSERT_TRUE(write_epochs(directory.disk(), directory.partition(), {{Epoch{1}, Offset(0)}, {Epoch{2}, Offset(6)}}));
}

TEST(PointInTime, EveryEndGivesTheRecordsBelowIt) {
  LogDirectory directory;
  fill(directory);
  for (std::int64_t until = 0; until <= 7; ++until) {
    const std::string to = directory.path() + "/copy-" + std::to_string(until);
    const LogRange range{Offset(0), Offset(until)};
    copy(directory, to, range);
    EXPECT_EQ(changes_in(directory.disk(), to), changes_in(directory.disk(), directory.partition(), range)) << until;
    EXPECT_EQ(*read_clean_end(directory.disk(), to), Offset(until));
    EXPECT_EQ(read_epochs(directory.disk(), to)->size(), until == 0 ? 0u : until <= 6 ? 1u : 2u);
  }
}

TEST(PointInTime, EveryBeginningKeepsOffsets) {
  LogDirectory directory;
  fill(directory);
  for (std::int64_t from = 0; from <= 7; ++from) {
    const std::string to = directory.path() + "/copy-" + std::to_string(from);
    const LogRange range{Offset(from), Offset(7)};
    copy(directory, to, range);
    EXPECT_EQ(changes_in(directory.disk(), to), changes_in(directory.disk(), directory.partition(), range)) << from;
    EXPECT_EQ(list_segments(directory.disk(), to)->front().base, Offset(from));
  }
}

TEST(PointInTime, WholeBatchesStayAsTheyAre) {
  LogDirectory directory;
  fill(directory);
  const std::string to = directory.path() + "/copy";
  const CopyReport report = copy(directory, to, {});
  EXPECT_EQ(report.segments, 2);
  EXPECT_EQ(report.records, 7);
  const std::string sealed = "/" + segment_name(Offset(0), kLogSuffix);
  EXPECT_EQ(LogDirectory::read(to + sealed), LogDirectory::read(directory.partition() + sealed));
  const auto active = list_segments(directory.disk(), to)->back();
  EXPECT_EQ(active.size % static_cast<std::int64_t>(kIoAlignment), 0);
  EXPECT_TRUE(std::filesystem::exists(to + "/" + segment_name(Offset(0), kTimeIndexSuffix)));
}

TEST(PointInTime, ATimeEndsBeforeItsFirstRecord) {
  LogDirectory directory;
  fill(directory);
  const std::string to = directory.path() + "/copy";
  EXPECT_EQ(copy(directory, to, {}, kSomeTime + Millis(1000)).records, 6);
  EXPECT_EQ(*read_clean_end(directory.disk(), to), Offset(6));
  EXPECT_EQ(copy(directory, to + "2", {}, kSomeTime + Millis(1001)).records, 7);
  EXPECT_EQ(copy(directory, to + "3", {}, kSomeTime).records, 0);
  EXPECT_EQ(copy(directory, to + "4", LogRange{Offset(6)}, kSomeTime).records, 0);
}

TEST(PointInTime, ARestartGoesOnBehindIt) {
  LogDirectory directory;
  fill(directory);
  for (std::int64_t until = 0; until <= 7; ++until) {
    const std::string to = directory.path() + "/copy-" + std::to_string(until);
    copy(directory, to, {Offset(0), Offset(until)});
    Partition partition(0, 0, 0);
    RecoveryReport report;
    const auto start = recover(directory.disk(), to, KeyHasher(1, 2), partition, {}, report);
    ASSERT_TRUE(start) << start.error().message();
    EXPECT_EQ(start->end, Offset(until));
    EXPECT_TRUE(report.cuts.empty());
    const SystemClock clock;
    LogOptions options;
    options.directory = to;
    EXPECT_TRUE(Log::open(directory.disk(), clock, options, *start, {})) << until;
  }
}

TEST(PointInTime, DamageInTheRangeIsAnErrorAndBehindItIsNot) {
  LogDirectory directory;
  const Blob first = batch_of(0, 1, {"a"});
  directory.put_segment(directory.partition(), 0, {first, batch_of(1, 1, {"b"}), test::vouching_batch(2, "k")});
  directory.flip(directory.segment(0), first.size() + kBatchHeaderSize + 1);
  EXPECT_EQ(survey_log(directory.disk(), directory.partition(), {}, kNeverExpires).error().code, Errc::kCorrupt);
  EXPECT_EQ(copy(directory, directory.path() + "/copy", {Offset(0), Offset(1)}).records, 1);
}

TEST(CutBatch, KeepsForeignHeaders) {
  // The golden batch's second record has a header d; the cut keeps its bytes.
  const Blob golden = test::golden_batch();
  const auto view = BatchView::open(golden);
  ASSERT_TRUE(view);
  Decompressor decompressor;
  const auto cut = cut_batch(*view, decompressor, {Offset(43), Offset(44)});
  ASSERT_TRUE(cut);
  const auto part = BatchView::open(*cut);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->header().base_offset, Offset(43));
  EXPECT_EQ(part->header().record_count, 1);
  EXPECT_EQ(part->header().epoch, Epoch{7});
  EXPECT_TRUE(for_each_record(*part, decompressor, [](const RecordView& record) {
    EXPECT_EQ(record.key, "user:2");
    EXPECT_EQ(record.durable_upto, Offset(42));
    EXPECT_EQ(record.timestamp, kSomeTime + Millis(5));
    return true;
  }));
  EXPECT_TRUE(cut_batch(*view, decompressor, {Offset(44), Offset(50)})->empty());
}

}  // namespace
}  // namespace minod
