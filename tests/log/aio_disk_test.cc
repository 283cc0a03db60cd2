#include "log/aio_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/buffer.h"
#include "base/clock.h"
#include "tests/log/aio_disk_fixture.h"

namespace minod {
namespace {

using namespace std::chrono_literals;

INSTANTIATE_TEST_SUITE_P(Modes, AioDiskTest, testing::Bool(),
                         [](const auto& mode) { return mode.param ? "Direct" : "Buffered"; });

TEST_P(AioDiskTest, ReadsWhatWasWrittenAndSynced) {
  auto file = create("a");
  write(*file, 0, filled(8192, 'x'), WriteMode::kCached);
  write(*file, 8192, filled(4096, 'y'), WriteMode::kDurable);
  bool synced = false;
  file->sync([&](Result<std::size_t> result) { synced = bool(result); });
  finish();
  EXPECT_TRUE(synced);

  AlignedBuffer into = filled(16384, 0);
  std::size_t got = 0;
  file->read(FilePosition(4096), into.span(), [&](Result<std::size_t> result) { got = *result; });
  finish();
  EXPECT_EQ(got, 8192u) << "up to the end of the file";
  EXPECT_EQ(into.data()[0], std::byte{'x'});
  EXPECT_EQ(into.data()[4096], std::byte{'y'});
  EXPECT_EQ(*file->size_now(), 12288);
  EXPECT_EQ(disk_->counters().operations, 4u);
  EXPECT_EQ(disk_->counters().buffered, GetParam() ? 0u : 4u);
}

TEST_P(AioDiskTest, ReadStopsInsideTheLastBlock) {
  auto file = create("a");
  ASSERT_TRUE(file->write_now(FilePosition(0), as_bytes(std::string(5000, 'q'))));
  AlignedBuffer into(16384);
  std::size_t got = 0;
  file->read(FilePosition(0), into.span(), [&](Result<std::size_t> result) { got = *result; });
  finish();
  EXPECT_EQ(got, 5000u);
  file->read(FilePosition(8192), into.span(), [&](Result<std::size_t> result) { got = *result; });
  finish();
  EXPECT_EQ(got, 0u);
}

TEST_P(AioDiskTest, ALargeWriteIsOneToItsCaller) {
  auto file = create("large");
  const std::size_t size = (std::size_t{3} << 20) + 4096;
  AlignedBuffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes.data()[i] = static_cast<std::byte>(i * 7 + i / 4096);
  ASSERT_TRUE(file->prepare_now(0, static_cast<std::int64_t>(size)));
  int calls = 0;
  file->write(FilePosition(0), bytes.span(), WriteMode::kDurable, [&](const Result<std::size_t>& written) {
    ++calls;
    ASSERT_TRUE(written);
    EXPECT_EQ(*written, size);
  });
  finish();
  EXPECT_EQ(calls, 1);
  std::vector<std::byte> back(size);
  ASSERT_TRUE(file->read_now(FilePosition(0), back));
  EXPECT_TRUE(std::ranges::equal(back, bytes.span()));
}

TEST_P(AioDiskTest, MoreInFlightThanTheKernelTakes) {
  reopen(4);
  auto file = create("a");
  ASSERT_TRUE(file->prepare_now(0, 200 * 4096));
  std::vector<AlignedBuffer> blocks;
  for (int i = 0; i < 200; ++i) blocks.push_back(filled(4096, i));
  int finished = 0;
  for (int i = 0; i < 200; ++i) {
    file->write(FilePosition(i * 4096), blocks[static_cast<std::size_t>(i)].span(), WriteMode::kCached,
                [&](Result<std::size_t> result) { finished += result ? 1 : 0; });
  }
  EXPECT_EQ(disk_->in_flight(), 200u);
  finish();
  EXPECT_EQ(finished, 200);
  EXPECT_LE(disk_->counters().in_kernel_max, 4u);
  const std::string text = contents("a");
  for (int i = 0; i < 200; ++i) ASSERT_EQ(static_cast<unsigned char>(text[static_cast<std::size_t>(i) * 4096]), i);
}

TEST_P(AioDiskTest, CallbacksStartFurtherOperations) {
  reopen(2);
  auto file = create("a");
  const AlignedBuffer block = filled(4096, 'r');
  int written = 0;
  std::function<void()> next = [&] {
    file->write(FilePosition(written * 4096), block.span(), WriteMode::kCached, [&](Result<std::size_t> result) {
      ASSERT_TRUE(result);
      if (++written == 50) return;
      next();
      if (written % 2 == 0) disk_->submit();
    });
  };
  next();
  finish();
  EXPECT_EQ(written, 50);
  EXPECT_EQ(*file->size_now(), 50 * 4096);
}

TEST_P(AioDiskTest, CallbackClosesItsFile) {
  auto file = create("a");
  const AlignedBuffer block = filled(4096, 'c');
  file->write(FilePosition(0), block.span(), WriteMode::kDurable, [&](Result<std::size_t>) { file.reset(); });
  finish();
  EXPECT_EQ(file, nullptr);
}

TEST_P(AioDiskTest, PrepareLeavesAllocatedZeros) {
  auto file = create("a");
  constexpr std::int64_t kSize = 3 * 1024 * 1024 + 4096;
  ASSERT_TRUE(file->prepare_now(0, kSize));
  EXPECT_EQ(*file->size_now(), kSize);
  struct stat status {};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, kSize);
  EXPECT_EQ(contents("a"), std::string(kSize, '\0'));
  write(*file, 8192, filled(4096, 'z'), WriteMode::kDurable);
  ASSERT_TRUE(file->prepare_now(kSize, kSize + 100));
  EXPECT_EQ(*file->size_now(), kSize + 100);
  EXPECT_EQ(contents("a").substr(8192, 4097), std::string(4096, 'z') + '\0');
}

TEST_P(AioDiskTest, FailedPrepareLeavesTheOldSize) {
  auto file = create("a");
  ASSERT_TRUE(file->prepare_now(0, 8192));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1 << 20, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto prepared = file->prepare_now(8192, 4 << 20);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().sys, EFBIG);
  EXPECT_EQ(*file->size_now(), 8192);
}

TEST_P(AioDiskTest, BlockingFormsNeedNoAlignment) {
  auto file = create("a");
  std::string model;
  const auto put = [&](std::size_t position, const std::string& text) {
    ASSERT_TRUE(file->write_now(FilePosition(static_cast<std::int64_t>(position)), as_bytes(text)));
    if (model.size() < position + text.size()) model.resize(position + text.size());
    model.replace(position, text.size(), text);
    ASSERT_EQ(contents("a").compare(model), 0) << position << " " << text.size();
  };
  put(0, "hello");
  put(3, std::string(10'000, 'b'));
  put(4095, "xy");
  put(20'000, "behind a hole");
  put(1, std::string((1 << 20) + 5000, 'm'));
  ASSERT_TRUE(file->sync_now());
  std::string part(5000, '?');
  const MutableBytes into(reinterpret_cast<std::byte*>(part.data()), part.size());
  EXPECT_EQ(*file->read_now(FilePosition(4094), into), part.size());
  EXPECT_EQ(part, model.substr(4094, part.size()));
  const auto near_end = static_cast<std::int64_t>(model.size()) - 3;
  EXPECT_EQ(*file->read_now(FilePosition(near_end), into), 3u);
  EXPECT_EQ(*file->read_now(FilePosition(near_end + 100'000), into), 0u);
  ASSERT_TRUE(file->truncate_now(7));
  EXPECT_EQ(contents("a"), model.substr(0, 7));
}

TEST_P(AioDiskTest, NamesChange) {
  ASSERT_TRUE(disk_->make_directory(path("d")));
  ASSERT_TRUE(disk_->make_directory(path("d"))) << "it is there";
  ASSERT_TRUE(create("b")->write_now(FilePosition(0), as_bytes("b")));
  ASSERT_TRUE(create("c")->write_now(FilePosition(0), as_bytes("c")));
  ASSERT_TRUE(disk_->rename(path("b"), path("c")));
  ASSERT_TRUE(disk_->link(path("c"), path("a")));
  ASSERT_TRUE(disk_->sync_directory(directory_));
  auto entries = disk_->list(directory_);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[1].name, "c");
  EXPECT_EQ((*entries)[2].name, "d");
  EXPECT_TRUE((*entries)[2].is_directory);
  EXPECT_EQ(contents("a"), "b");
  ASSERT_TRUE(disk_->remove(path("a")));
  EXPECT_EQ(disk_->remove(path("a")).error().code, Errc::kNotFound);
  EXPECT_EQ(contents("c"), "b");
  EXPECT_GT(*disk_->free_bytes(directory_), 0u);

  struct stat status {};
  ASSERT_EQ(::stat(path("c").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  ASSERT_EQ(::stat(path("d").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0700u);
}

TEST_P(AioDiskTest, ReplacesAndReadsASmallFile) {
  ASSERT_TRUE(replace_file(*disk_, directory_, "meta", as_bytes("one")));
  ASSERT_TRUE(replace_file(*disk_, directory_, "meta", as_bytes("second")));
  EXPECT_EQ(contents("meta"), "second");
  EXPECT_EQ(read_file(*disk_, path("meta"), 5).error().code, Errc::kTooLarge);
  EXPECT_EQ(disk_->list(directory_)->size(), 1u);
}

TEST_P(AioDiskTest, ErrorsNameTheFile) {
  const auto missing = disk_->open(path("none"), OpenMode::kReadWrite);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
  EXPECT_NE(missing.error().message().find(path("none")), std::string::npos);
  EXPECT_NE(disk_->rename(path("none"), path("x")).error().message().find("none"), std::string::npos);
  EXPECT_FALSE(disk_->list(path("none")));
  EXPECT_FALSE(disk_->sync_directory(path("none")));
  EXPECT_FALSE(disk_->make_directory(path("none/below")));
  create("f");
  EXPECT_FALSE(disk_->make_directory(path("f"))) << "a file is in the way";
}

// io_submit refuses the first of the batch; the others must not suffer.
TEST_P(AioDiskTest, WriteToAReadOnlyFileFailsAlone) {
  auto good = create("a");
  auto read_only = disk_->open(path("a"), OpenMode::kRead);
  ASSERT_TRUE(read_only);
  const AlignedBuffer block = filled(4096, 'w');
  std::string message;
  int good_count = 0;
  const auto count = [&](Result<std::size_t> result) { good_count += result ? 1 : 0; };
  good->write(FilePosition(0), block.span(), WriteMode::kCached, count);
  (*read_only)->write(FilePosition(8192), block.span(), WriteMode::kCached, [&](Result<std::size_t> result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().sys, EBADF);
    message = result.error().message();
  });
  good->write(FilePosition(4096), block.span(), WriteMode::kCached, count);
  EXPECT_TRUE(message.empty()) << "callbacks come from poll()";
  finish();
  EXPECT_EQ(good_count, 2);
  EXPECT_NE(message.find("write " + path("a") + ", 4096 bytes at 8192: "), std::string::npos) << message;
  EXPECT_EQ(disk_->counters().failed, 1u);
}

TEST_P(AioDiskTest, JobsRunInOrderOffThisThread) {
  std::vector<int> ran;
  std::vector<int> delivered;
  const auto owner = std::this_thread::get_id();
  auto file = create("a");
  for (int i = 0; i < 20; ++i) {
    disk_->run_aside(
        [&, i] {
          EXPECT_NE(std::this_thread::get_id(), owner);
          EXPECT_TRUE(file->prepare_now(i * 4096, (i + 1) * 4096));
          ran.push_back(i);
        },
        [&, i] {
          EXPECT_EQ(std::this_thread::get_id(), owner);
          delivered.push_back(i);
        });
  }
  EXPECT_EQ(disk_->in_flight(), 20u);
  finish();
  EXPECT_EQ(ran.size(), 20u);
  EXPECT_EQ(ran, delivered);
  EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
}

// A late signal, or one that was forgotten, would show as an eventfd that stays readable while nothing is in flight.
TEST_P(AioDiskTest, EventFdComesToRest) {
  auto file = create("a");
  const AlignedBuffer block = filled(4096, 'e');
  for (int i = 0; i < 200; ++i) {
    file->write(FilePosition(0), block.span(), WriteMode::kCached, [](Result<std::size_t>) {});
    if (i % 5 == 0) disk_->run_aside([] {}, [] {});
    while (disk_->in_flight() != 0) disk_->poll();
  }
  const auto is_readable = [&] {
    pollfd now{disk_->event_fd(), POLLIN, 0};
    return ::poll(&now, 1, 0) == 1;
  };
  for (int i = 0; i < 1000 && is_readable(); ++i) {
    disk_->poll();
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_FALSE(is_readable());
}

TEST_P(AioDiskTest, DestructorWaitsForTheKernel) {
  auto file = create("a");
  AlignedBuffer into = filled(1 << 20, 0);
  ASSERT_TRUE(file->prepare_now(0, 1 << 20));
  bool ran = false;
  bool called = false;
  file->read(FilePosition(0), into.span(), [&](Result<std::size_t>) { called = true; });
  disk_->submit();
  file->sync([&](Result<std::size_t>) { called = true; });
  disk_->run_aside(
      [&] {
        std::this_thread::sleep_for(5ms);
        ran = true;
      },
      [&] { called = true; });
  disk_.reset();
  EXPECT_TRUE(ran);
  EXPECT_FALSE(called);
  file.reset();
}

TEST_P(AioDiskTest, DurableOverwriteLatency) {
  auto file = create("a");
  constexpr int kCount = 300;
  ASSERT_TRUE(file->prepare_now(0, kCount * 4096));
  const AlignedBuffer block = filled(4096, 'l');
  const SystemClock clock;
  std::vector<std::int64_t> nanos;
  for (int i = 0; i < kCount; ++i) {
    const auto before = clock.monotonic();
    write(*file, i * 4096, block, WriteMode::kDurable);
    nanos.push_back((clock.monotonic() - before).value());
  }
  std::sort(nanos.begin(), nanos.end());
  RecordProperty("p50_us", static_cast<int>(nanos[kCount / 2] / 1000));
  std::printf("durable 4 KiB overwrite: p50 %lld us, p99 %lld us; longest io_submit %llu us\n",
              static_cast<long long>(nanos[kCount / 2] / 1000), static_cast<long long>(nanos[kCount * 99 / 100] / 1000),
              static_cast<unsigned long long>(disk_->counters().longest_submit_ns / 1000));
}

}  // namespace
}  // namespace minod
