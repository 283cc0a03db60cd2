// What AioQueue does when the kernel takes less than it is given, moves less than it was asked, or signals late: a
// kernel of the test's own stands behind AioCalls. It moves no bytes; it notes requests and answers as it is told.
#include "log/aio_queue.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <vector>

#include "base/random.h"

namespace minod {
namespace {

struct FakeKernel {
  std::deque<int> takes;          // what the next io_submit calls answer; a positive number is a limit. Then: all
  std::deque<std::int64_t> says;  // results of the next completions. Then: all bytes
  std::vector<iocb> seen;         // every request that was taken, as it was then
  std::deque<iocb*> working;
  std::deque<io_event> done;  // as in the ring
  int signals_owed = 0;       // completions whose signal is still to come
  int event_fd = -1;
  std::function<void()> between = [] {};  // runs where the real kernel may do anything

  void complete_one() {
    if (working.empty()) return;
    iocb* const request = working.front();
    working.pop_front();
    io_event event{};
    event.data = request->data;
    event.obj = request;
    std::int64_t result = request->aio_lio_opcode == IO_CMD_FDSYNC ? 0 : static_cast<std::int64_t>(request->u.c.nbytes);
    if (!says.empty()) {
      result = says.front();
      says.pop_front();
    }
    event.res = static_cast<unsigned long>(result);
    event_fd = static_cast<int>(request->u.c.resfd);
    done.push_back(event);
    ++signals_owed;
  }
  void signal_one() {
    if (signals_owed == 0) return;
    --signals_owed;
    eventfd_write(event_fd, 1);
  }
};

FakeKernel* kernel = nullptr;

int fake_setup(int, io_context_t* context) {
  *context = reinterpret_cast<io_context_t>(kernel);
  return 0;
}
int fake_destroy(io_context_t) { return 0; }

int fake_submit(io_context_t, long count, iocb** requests) {
  kernel->between();
  if (!kernel->takes.empty()) {
    const int answer = kernel->takes.front();
    kernel->takes.pop_front();
    if (answer <= 0) return answer;
    count = std::min<long>(count, answer);
  }
  for (long i = 0; i < count; ++i) {
    kernel->seen.push_back(*requests[i]);
    kernel->working.push_back(requests[i]);
  }
  kernel->between();
  return static_cast<int>(count);
}

int fake_get_events(io_context_t, long least, long most, io_event* events, timespec*) {
  kernel->between();
  while (least > static_cast<long>(kernel->done.size())) kernel->complete_one();
  long count = 0;
  for (; count < most && !kernel->done.empty(); ++count) {
    events[count] = kernel->done.front();
    kernel->done.pop_front();
  }
  kernel->between();
  return static_cast<int>(count);
}

int fake_read_signals(int event_fd, eventfd_t* count) {
  kernel->between();
  const int answer = eventfd_read(event_fd, count);
  kernel->between();
  return answer;
}

class AioQueueTest : public testing::Test {
 protected:
  AioQueueTest() {
    kernel = &kernel_;
    open(8);
  }
  ~AioQueueTest() override { queue_.reset(); }

  void open(unsigned depth, std::size_t reads_at_once = AioQueue::kAllReads) {
    queue_.reset();
    auto queue = AioQueue::open(
        depth, AioCalls{fake_setup, fake_destroy, fake_submit, fake_get_events, fake_read_signals, false},
        reads_at_once);
    ASSERT_TRUE(queue);
    queue_ = std::move(*queue);
    target_.path = "file";
  }

  void start(int opcode, std::int64_t position, std::size_t size, IoCallback done, bool then_sync = false) {
    iocb request;
    if (opcode == IO_CMD_PWRITE) io_prep_pwrite(&request, 3, memory_, size, position);
    if (opcode == IO_CMD_PREAD) io_prep_pread(&request, 3, memory_, size, position);
    if (opcode == IO_CMD_FDSYNC) io_prep_fdsync(&request, 3);
    queue_->start(target_, request, std::move(done), then_sync);
  }
  IoCallback count() {
    return [this](const Result<std::size_t>& result) { result ? ++good_ : ++bad_; };
  }
  bool is_readable() const {
    pollfd now{queue_->event_fd(), POLLIN, 0};
    return ::poll(&now, 1, 0) == 1;
  }
  // An owner that polls only when it is woken, beside a kernel that works when nothing else happens.
  void finish() {
    queue_->submit();
    while (queue_->in_flight() != 0) {
      if (is_readable()) {
        queue_->poll();
      } else if (!kernel_.working.empty()) {
        kernel_.complete_one();
      } else {
        ASSERT_GT(kernel_.signals_owed, 0) << "a wake is lost: nobody would poll any more";
        kernel_.signal_one();
      }
    }
  }

  FakeKernel kernel_;
  AioTarget target_;
  std::unique_ptr<AioQueue> queue_;
  alignas(4096) char memory_[65536] = {};
  int good_ = 0;
  int bad_ = 0;
};

TEST_F(AioQueueTest, WhatTheKernelDidNotTakeFollows) {
  kernel_.takes = {2, 1};
  for (int i = 0; i < 5; ++i) start(IO_CMD_PWRITE, i * 4096, 4096, count());
  finish();
  EXPECT_EQ(good_, 5);
  ASSERT_EQ(kernel_.seen.size(), 5u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(kernel_.seen[static_cast<std::size_t>(i)].u.c.offset, i * 4096);
}

// With nothing in flight, no completion would wake the owner for another attempt.
TEST_F(AioQueueTest, AFullKernelIsBackPressureAndNoError) {
  kernel_.takes = {-EAGAIN, -EINTR, 0};
  start(IO_CMD_PREAD, 0, 4096, count());
  finish();
  EXPECT_EQ(good_, 1);
  EXPECT_EQ(bad_, 0);
  EXPECT_EQ(queue_->counters().retries, 3u);
}

TEST_F(AioQueueTest, ARefusedRequestFailsAlone) {
  kernel_.takes = {-EINVAL};
  std::string message;
  start(IO_CMD_PWRITE, 4096, 4096, [&](const Result<std::size_t>& result) { message = result.error().message(); });
  start(IO_CMD_PWRITE, 8192, 4096, count());
  finish();
  EXPECT_EQ(message.substr(0, 35), "write file, 4096 bytes at 4096: Inv");
  EXPECT_EQ(good_, 1);
}

TEST_F(AioQueueTest, ADepthOfOneIsEnough) {
  open(1);
  for (int i = 0; i < 300; ++i) start(IO_CMD_PREAD, i * 4096, 4096, count());
  finish();
  EXPECT_EQ(good_, 300);
  EXPECT_EQ(queue_->counters().in_kernel_max, 1u);
}

TEST_F(AioQueueTest, MoreCompletionsThanOneSystemCallTakes) {
  open(256);
  for (int i = 0; i < 200; ++i) start(IO_CMD_PREAD, i * 4096, 4096, count());
  queue_->submit();
  for (int i = 0; i < 200; ++i) kernel_.complete_one();
  finish();
  EXPECT_EQ(good_, 200);
}

// So that what the first ones' owners ask for next is on its way before the last ones are answered.
TEST_F(AioQueueTest, OnePollDeliversNoMoreReadsThanItMay) {
  open(64, 8);
  int reads = 0;
  int writes = 0;
  for (int i = 0; i < 20; ++i) {
    start(IO_CMD_PREAD, 0, 4096, [&reads](const Result<std::size_t>& result) {
      EXPECT_TRUE(result);
      ++reads;
    });
  }
  start(IO_CMD_PWRITE, 0, 4096, [&writes](const Result<std::size_t>& result) {
    EXPECT_TRUE(result);
    ++writes;
  });
  queue_->submit();
  while (!kernel_.working.empty()) kernel_.complete_one();
  while (kernel_.signals_owed != 0) kernel_.signal_one();
  EXPECT_EQ(queue_->poll(), 9U);
  EXPECT_EQ(reads, 8);
  EXPECT_EQ(writes, 1) << "a write waits behind no read";
  EXPECT_EQ(queue_->in_flight(), 12U);
  EXPECT_EQ(queue_->poll(), 8U);
  EXPECT_EQ(queue_->poll(), 4U) << "of what no signal tells any more";
  EXPECT_EQ(queue_->poll(), 0U);
  EXPECT_EQ(queue_->in_flight(), 0U);
}

TEST_F(AioQueueTest, AShortWriteGoesOnWhereItStopped) {
  kernel_.says = {8192 + 512};
  std::size_t written = 0;
  start(IO_CMD_PWRITE, 4096, 16384, [&](const Result<std::size_t>& result) { written = *result; });
  finish();
  EXPECT_EQ(written, 16384u);
  ASSERT_EQ(kernel_.seen.size(), 2u);
  EXPECT_EQ(kernel_.seen[1].u.c.offset, 4096 + 8192) << "from a border of a block";
  EXPECT_EQ(kernel_.seen[1].u.c.nbytes, 8192u);
  EXPECT_EQ(static_cast<char*>(kernel_.seen[1].u.c.buf), memory_ + 8192);
  EXPECT_EQ(queue_->counters().short_transfers, 1u);
}

TEST_F(AioQueueTest, AWriteThatMovesNothingEnds) {
  kernel_.says = std::deque<std::int64_t>(20, 0);
  int sys = 0;
  start(IO_CMD_PWRITE, 0, 4096, [&](const Result<std::size_t>& result) { sys = result.error().sys; });
  finish();
  EXPECT_EQ(sys, EIO);
}

TEST_F(AioQueueTest, ASyncFollowsAWriteThatAsksForIt) {
  std::size_t written = 0;
  start(
      IO_CMD_PWRITE, 0, 8192, [&](const Result<std::size_t>& result) { written = *result; }, true);
  finish();
  EXPECT_EQ(written, 8192u);
  ASSERT_EQ(kernel_.seen.size(), 2u);
  EXPECT_EQ(kernel_.seen[0].aio_rw_flags, 0u);
  EXPECT_EQ(kernel_.seen[1].aio_lio_opcode, IO_CMD_FDSYNC);
}

TEST_F(AioQueueTest, ASyncComesAfterAllOfAShortWrite) {
  kernel_.says = {4096};
  std::size_t written = 0;
  start(
      IO_CMD_PWRITE, 0, 8192, [&](const Result<std::size_t>& result) { written = *result; }, true);
  finish();
  EXPECT_EQ(written, 8192u);
  ASSERT_EQ(kernel_.seen.size(), 3u);
  EXPECT_EQ(kernel_.seen[1].aio_lio_opcode, IO_CMD_PWRITE);
  EXPECT_EQ(kernel_.seen[2].aio_lio_opcode, IO_CMD_FDSYNC);
}

TEST_F(AioQueueTest, AFailedSyncFailsItsWriteAndIsNotTriedAgain) {
  kernel_.says = {8192, -EIO};
  std::string message;
  start(
      IO_CMD_PWRITE, 0, 8192, [&](const Result<std::size_t>& result) { message = result.error().message(); }, true);
  finish();
  EXPECT_EQ(message, "sync file: Input/output error");
  EXPECT_EQ(kernel_.seen.size(), 2u);
}

TEST_F(AioQueueTest, NoSyncFollowsAFailedWrite) {
  kernel_.says = {-ENOSPC};
  Errc code{};
  start(
      IO_CMD_PWRITE, 0, 8192, [&](const Result<std::size_t>& result) { code = result.error().code; }, true);
  finish();
  EXPECT_EQ(code, Errc::kNoSpace);
  EXPECT_EQ(kernel_.seen.size(), 1u);
}

// The kernel completes and signals wherever it likes: before the eventfd is read, between that and the look at the
// completions, after it, or much later than the completion. The owner must never sleep with something to deliver.
TEST_F(AioQueueTest, AReadThatWouldWaitGoesOnAside) {
  const Fd file(::memfd_create("read", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file.get(), 12288), 0);
  ASSERT_EQ(::pwrite(file.get(), "here", 4, 4096), 4);
  kernel_.says = {4096, -EAGAIN};
  iocb request;
  io_prep_pread(&request, file.get(), memory_, 8192, 0);
  request.aio_rw_flags = RWF_NOWAIT;
  Result<std::size_t> read = 0;
  queue_->start(target_, request, [&](const Result<std::size_t>& result) { read = result; });
  queue_->submit();
  kernel_.complete_one();
  queue_->poll();
  kernel_.complete_one();
  while (queue_->in_flight() != 0) queue_->poll();
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, 8192u);
  EXPECT_EQ(std::string_view(memory_ + 4096, 4), "here") << "what the kernel had not read yet";
  EXPECT_EQ(queue_->counters().nowait_fallbacks, 1u);
}

TEST_F(AioQueueTest, AFileSystemThatKnowsNoNowaitIsAskedWithoutIt) {
  kernel_.says = {-EOPNOTSUPP};
  iocb request;
  io_prep_pread(&request, 3, memory_, 4096, 0);
  request.aio_rw_flags = RWF_NOWAIT;
  queue_->start(target_, request, count());
  finish();
  EXPECT_EQ(good_, 1);
  ASSERT_EQ(kernel_.seen.size(), 2u);
  EXPECT_EQ(kernel_.seen[1].aio_rw_flags, 0);
  EXPECT_FALSE(target_.knows_nowait);
  EXPECT_EQ(queue_->counters().nowait_fallbacks, 0u);
}

TEST_F(AioQueueTest, ASignalBetweenReapAndWaitIsNotLost) {
  Random chance(1);
  kernel_.between = [&] {
    if (chance.one_in(3)) kernel_.complete_one();
    if (chance.one_in(3)) kernel_.signal_one();
  };
  int started = 0;
  constexpr int kOperations = 200'000;
  while (started < kOperations) {
    const auto more = static_cast<int>(chance.below(12));
    for (int i = 0; i < more; ++i, ++started) start(IO_CMD_PREAD, 0, 4096, count());
    if (chance.one_in(4)) queue_->poll();
    if (chance.one_in(3)) finish();
    if (HasFatalFailure()) return;
  }
  finish();
  EXPECT_EQ(good_, started);
  while (kernel_.signals_owed != 0) kernel_.signal_one();
  for (int i = 0; i < 10 && is_readable(); ++i) queue_->poll();
  EXPECT_FALSE(is_readable()) << "late signals come to rest";
}

}  // namespace
}  // namespace minod
