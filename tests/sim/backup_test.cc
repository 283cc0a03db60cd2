// A backup on the simulated disk: what it holds is the state at one moment, whatever is written meanwhile, and after a
// power loss at any step it is there as a whole or not at all.
#include <gtest/gtest.h>

#include <cerrno>
#include <optional>

#include "replay/backup.h"
#include "tests/sim/seeds.h"
#include "tests/sim/sim_disk_verbs.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

constexpr const char* kName = "20261121T143243.123Z";

class Backup : public StoreFixture {
 protected:
  void begin(std::uint64_t seed) {
    options_ = StoreOptions();
    options_.segment_bytes = std::int64_t{1} << 20;
    use_disk({.seed = seed, .delay_max = 1 + static_cast<unsigned>(seed % 5)});
    check(replace_file(*disk_, "data", "minod.meta", as_bytes(std::string_view("format 1\n"))).has_value(), "meta");
  }

  void set(const std::string& key, const std::string& value) { ASSERT_EQ(run({"SET", key, value}), "+OK\r\n"); }
  void fill(int keys) {
    for (int i = 0; i < keys; ++i)
      set("key" + std::to_string(i), "old" + std::string(20'000, static_cast<char>('a' + i % 26)));
  }

  // All of a backup, while `meanwhile` is run between its jobs.
  Result<BackupReport> back_up(const std::function<void()>& meanwhile) {
    std::optional<Result<BackupReport>> copied;
    std::optional<Result<void>> step;
    disk_->run_aside([&] { step = begin_backup(*disk_, "data", kName); }, [] {});
    while (!step && !disk_->crashed()) turn();
    if (!step) return Error{Errc::kStopped, 0, "crash"};
    if (!*step) return step->error();
    StoreBackup backup(*disk_, *store_, partial_backup_path("data", kName),
                       [&](const Result<BackupReport>& result) { copied = result; });
    backup.start();
    while (!copied && !disk_->crashed()) {
      meanwhile();
      turn();
    }
    if (!copied || !*copied) return copied ? *copied : Error{Errc::kStopped, 0, "crash"};
    step.reset();
    disk_->run_aside([&] { step = finish_backup(*disk_, "data", kName); }, [] {});
    while (!step && !disk_->crashed()) turn();
    if (!step) return Error{Errc::kStopped, 0, "crash"};
    if (!*step) return step->error();
    return **copied;
  }

  bool is_there() { return disk_->list(backup_path("data", kName)).has_value(); }

  // The store that starts on the backup.
  Result<void> start_on_backup() {
    stop();
    return try_start(false, backup_path("data", kName));
  }
};

TEST_F(Backup, HoldsTheStateOfItsMomentWhileWritesGoOn) {
  begin(1);
  fill(120);  // two sealed segments and a bit
  select(3);
  set("other", "database");
  select(0);
  int written = 0;
  const auto report = back_up([&] {
    const std::string key = "key" + std::to_string(written % 120);
    set(key, "new" + std::string(15'000, 'n'));
    if (written % 7 == 0) set("later" + std::to_string(written), "x");
    ++written;
  });
  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->logs, 2);
  EXPECT_GT(report->linked_bytes, 2'000'000);
  EXPECT_GE(written, 1) << "writes went on";
  EXPECT_EQ(run({"GET", "key0"}).substr(8, 3), "new");
  ASSERT_TRUE(start_on_backup().has_value());
  EXPECT_EQ(run({"DBSIZE"}), ":120\r\n");
  for (int i = 0; i < 120; ++i) {
    EXPECT_EQ(run({"GET", "key" + std::to_string(i)}).substr(8, 4),
              std::string("old") + static_cast<char>('a' + i % 26));
  }
  EXPECT_EQ(run({"SET", "and", "on"}), "+OK\r\n");
  select(3);
  EXPECT_EQ(run({"GET", "other"}), "$8\r\ndatabase\r\n");
}

TEST_F(Backup, ALaterOneAndTheLogItselfDoNotChangeAnEarlierOne) {
  begin(2);
  fill(120);
  ASSERT_TRUE(back_up([] {}).has_value());
  ASSERT_EQ(run({"FLUSHDB"}), "+OK\r\n");
  fill(200);
  evict_all();
  lose_power();
  ASSERT_TRUE(start_on_backup().has_value());
  EXPECT_EQ(run({"DBSIZE"}), ":120\r\n");
}

TEST_F(Backup, ACutCopyIsDamageNotATornWrite) {
  begin(3);
  fill(10);
  ASSERT_TRUE(back_up([] {}).has_value());
  stop();
  const std::string path = backup_path("data", kName) + "/db0-0/00000000000000000000.log";
  auto file = disk_->open(path, OpenMode::kReadWrite);
  ASSERT_TRUE(file.has_value());
  const auto size = (*file)->size_now();
  ASSERT_TRUE(size.has_value());
  ASSERT_TRUE((*file)->truncate_now(*size / 2).has_value());
  file->reset();
  const auto started = start_on_backup();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, Errc::kCorrupt);
}

TEST_F(Backup, PowerLossAtAnyStepLeavesNoneOrAWholeOne) {
  int whole = 0;
  int none = 0;
  for (std::uint64_t step = 1; step < 400; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    begin(step);
    fill(60);
    const std::uint64_t before = disk_->operations();
    disk_->crash_at_operation(before + step);
    int written = 0;
    const auto report = back_up([&] {
      if (written < 3) run({"SET", "later" + std::to_string(written), "x"});
      ++written;
    });
    const bool ended = report.has_value() && !disk_->crashed();
    crash(step % 3 == 0 ? Survival::kNothing : Survival::kSome);
    ASSERT_TRUE(try_start().has_value());
    EXPECT_EQ(run({"EXISTS", "key59"}), ":1\r\n");
    ASSERT_TRUE(remove_partial_backups(*disk_, "data").has_value());
    EXPECT_FALSE(disk_->list(partial_backup_path("data", kName)).has_value());
    if (ended) {
      EXPECT_TRUE(is_there()) << "it had ended";
    }
    if (is_there()) {
      ++whole;
      ASSERT_TRUE(start_on_backup().has_value());
      EXPECT_EQ(run({"DBSIZE"}), ":60\r\n");
      EXPECT_TRUE(exists(*disk_, backup_path("data", kName) + "/minod.meta"));
    } else {
      ++none;
    }
    if (ended) break;
  }
  EXPECT_GT(none, 10);
  EXPECT_GT(whole, 0);
}

TEST_F(Backup, FullDiskAndNoLinksAreErrorsAndTheNodeGoesOn) {
  begin(4);
  fill(120);
  disk_->fail(SimOperation::kLink, 1, EPERM);
  const auto no_links = back_up([] {});
  ASSERT_FALSE(no_links.has_value());
  EXPECT_EQ(no_links.error().code, Errc::kUnsupported);
  EXPECT_NE(no_links.error().message().find("hard links"), std::string::npos) << no_links.error().message();
  disk_->fail(SimOperation::kTruncate, 1, ENOSPC);
  const auto full = back_up([] {});
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code, Errc::kNoSpace);
  EXPECT_FALSE(is_there());
  EXPECT_EQ(run({"SET", "a", "b"}), "+OK\r\n");
  ASSERT_TRUE(back_up([] {}).has_value()) << "the next one succeeds";
}

TEST(BackupName, IsTheMomentInUtc) {
  EXPECT_EQ(backup_name(UnixMillis(0)), "19700101T000000.000Z");
  EXPECT_EQ(backup_name(UnixMillis(1'795'271'563'123)), "20261121T143243.123Z");
  EXPECT_EQ(backup_name(UnixMillis(951'782'400'000)), "20000229T000000.000Z");
}

}  // namespace
}  // namespace minod
