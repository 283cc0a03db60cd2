// A plain topic on the real disk, in a process that is killed: what it said is committed is there again.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "log/aio_disk.h"
#include "replay/topic_directory.h"

namespace minod {
namespace {

namespace fs = std::filesystem;

class TopicKillTest : public ::testing::Test {
 protected:
  TopicKillTest() {
    std::string pattern = (fs::current_path() / "topic_kill_test.XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~TopicKillTest() override { fs::remove_all(directory_); }

  static std::string value(std::int64_t offset) { return std::to_string(offset) + std::string(3'000, 'v'); }

  Result<std::unique_ptr<Topic>> open(Disk& disk) {
    RecoveryReport report;
    auto opened = open_topic(disk, clock_, directory_, {"orders", 0}, options_, {}, report);
    if (opened) (*opened)->start();
    return opened;
  }
  static void wait(AioDisk& disk) {
    pollfd ready{disk.event_fd(), POLLIN, 0};
    ::poll(&ready, 1, 100);
    disk.poll();
  }

  // The child: appends, drops what is old, and writes each committed end to the pipe, until it is killed.
  [[noreturn]] void append_for_ever(int report_to) {
    auto disk = AioDisk::open({});
    if (!disk) ::_exit(2);
    auto topic = open(**disk);
    if (!topic) ::_exit(3);
    Topic& log = **topic;
    for (int turn = 0;; ++turn) {
      for (int i = 0; i < 20 && log.make_room(Log::record_bytes(3'100)) == Log::Room::kYes; ++i) {
        NewRecord record;
        const std::string text = value(log.log().marks().appended().value());
        record.value = text;
        record.has_key = false;
        log.append(record);
      }
      if (turn % 50 == 0) log.apply_retention();
      log.dispatch();
      wait(**disk);
      const std::int64_t ends[2] = {log.log().segments().begin()->first.value(), log.end().value()};
      if (::write(report_to, ends, sizeof ends) != sizeof ends) ::_exit(4);
    }
  }

  TopicOptions options_{std::int64_t{1} << 20, SyncPolicy::kAlways, false, {std::int64_t{3} << 20, -1}};
  SystemClock clock_;
  std::string directory_;
};

TEST_F(TopicKillTest, WhatWasCommittedIsThereAgain) {
  std::int64_t begin = 0;
  std::int64_t committed = 0;
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      append_for_ever(ends[1]);
    }
    ::close(ends[1]);
    std::int64_t told[2];
    const std::int64_t enough = committed + 1'500;
    while (::read(ends[0], told, sizeof told) == sizeof told) {
      begin = told[0];
      committed = told[1];
      if (committed >= enough) ::kill(child, SIGKILL);  // and what it wrote until it died
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;
    ASSERT_GE(committed, enough);

    auto disk = AioDisk::open({});
    ASSERT_TRUE(disk.has_value());
    auto topic = open(**disk);
    ASSERT_TRUE(topic.has_value()) << topic.error().message();
    EXPECT_GE((*topic)->end().value(), committed);
    EXPECT_GE((*topic)->begin().value(), begin) << "retention is not undone";
    std::int64_t records = 0;
    Decompressor decompressor;
    for (Offset from = (*topic)->begin(); from < (*topic)->end();) {
      std::optional<Result<TopicBatches>> read;
      (*topic)->read(from, std::size_t{1} << 20, [&](const Result<TopicBatches>& batches) { read = batches; });
      while (!read) wait(**disk);
      ASSERT_TRUE(read->has_value()) << read->error().message();
      ASSERT_GT((*read)->next, from);
      for (Bytes rest = (*read)->bytes; !rest.empty();) {
        const auto batch = BatchView::open(rest);
        ASSERT_TRUE(batch.has_value());
        rest = rest.subspan(batch->bytes().size());
        if (batch->header().is_control()) continue;
        ASSERT_TRUE(for_each_record(*batch, decompressor, [&](const RecordView& record) {
                      EXPECT_EQ(record.value, value(record.offset.value()));
                      ++records;
                      return true;
                    }).has_value());
      }
      from = (*read)->next;
    }
    EXPECT_GT(records, ((*topic)->end() - (*topic)->begin()).value() - 100) << "all but control batches";
    while (!(*topic)->idle()) {
      (*topic)->dispatch();
      wait(**disk);
    }
  }
  EXPECT_GT(begin, 0) << "retention has dropped something";
}

}  // namespace
}  // namespace minod
