// A node and a limit to its memory: within maxmemory and what a node needs beside it, it works as ever; where the
// system gives it less, it ends and says so, and what it acknowledged is there when it is started again.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/fault/clients.h"
#include "tests/fault/load.h"
#include "tests/fault/node.h"

namespace minod::live {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::string> with(const std::string& first, const std::vector<std::string>& command) {
  std::vector<std::string> words{"sh", "-ec", first + "; exec \"$@\"", "sh"};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

// A group of processes that may use so much memory, page cache included. Needs root, and cgroups where a test may make
// one.
class MemoryGroup {
 public:
  ~MemoryGroup() {
    if (!path_.empty()) rmdir(path_.c_str());
  }
  // Why there is none; empty: there is.
  std::string make(std::size_t bytes) {
    const std::string first = "/sys/fs/cgroup/memory";
    if (!std::filesystem::exists(first + "/memory.limit_in_bytes")) return "no memory cgroup is mounted at " + first;
    const std::string path = first + "/minod-test-" + std::to_string(getpid());
    if (!std::filesystem::create_directory(path)) return "can't make a cgroup in " + first;
    path_ = path;
    std::ofstream(path_ + "/memory.limit_in_bytes") << bytes << std::flush;
    std::ifstream limit(path_ + "/memory.limit_in_bytes");
    std::size_t found = 0;
    return limit >> found && found == bytes ? "" : "can't set a limit in " + path_;
  }
  std::string entering() const { return "echo $$ > " + path_ + "/cgroup.procs"; }
  std::size_t most_used() const {
    std::ifstream file(path_ + "/memory.max_usage_in_bytes");
    std::size_t bytes = 0;
    file >> bytes;
    return bytes;
  }

 private:
  std::string path_;
};

class MemoryLimitTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_MINOD();
    if (MINOD_MEMORY_FACTOR != 1) GTEST_SKIP() << "a sanitizer's own memory is more than the limit";
  }
  void start() { ASSERT_TRUE(server_->start()) << server_->log_tail(); }

  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
};

// The load is twice maxmemory.
TEST_F(MemoryLimitTest, ANodeLivesWithinItsGroup) {
  constexpr std::size_t kMaxMemory = std::size_t{24} << 20;
  constexpr std::size_t kBeside = std::size_t{32} << 20;  // the program, its threads, buffers on their way
  MemoryGroup group;
  const std::string reason = group.make(kMaxMemory + kBeside);
  if (!reason.empty()) GTEST_SKIP() << reason;
  const auto command =
      minod_command(directory_ / "data", {"--maxmemory", std::to_string(kMaxMemory), "--segment-bytes", "4mb"});
  server_ = std::make_unique<ServerProcess>(with(group.entering(), command), directory_ / "log");
  start();
  {
    Clients clients(server_->port(), 1, {.fillers = 8, .errors = {}});
    clients.start();
    std::this_thread::sleep_for(seconds(2));
    server_->kill_now();
    clients.server_is_gone();
    start();
    std::this_thread::sleep_for(seconds(2));
    clients.stop();
    EXPECT_TRUE(server_->running()) << server_->log_tail();
    for (const std::string& wrong : clients.check()) ADD_FAILURE() << wrong;
    EXPECT_GT(clients.answered_count(), 500u);
  }
  std::printf("%zu MiB used at most\n", group.most_used() >> 20);
  server_.reset();
}

// No more memory at some allocation, wherever that is.
TEST_F(MemoryLimitTest, WhenThereIsNoMoreItEndsAndLosesNothing) {
  const auto command = minod_command(directory_ / "data", {"--maxmemory", "1gb", "--segment-bytes", "4mb"});
  Load load(6, 1);
  for (const int kib : {40'000, 60'000, 90'000, 140'000}) {
    SCOPED_TRACE(kib);
    ServerProcess limited(with("ulimit -d " + std::to_string(kib), command), directory_ / "limited.log");
    if (limited.start()) {
      load.start(limited.port());
      Clients fillers(limited.port(), 2, {.clients = 0, .fillers = 12, .errors = {}});
      fillers.start();
      for (int i = 0; i < 3000 && limited.running(); ++i) std::this_thread::sleep_for(milliseconds(10));
      fillers.stop();
    }
    ASSERT_FALSE(limited.running()) << "it found a way to go on; the limit is too high for this test";
    load.stop();
    EXPECT_EQ(limited.exit_status(), 1) << limited.log_tail();
    EXPECT_NE(limited.log().find("out of memory"), std::string::npos) << limited.log_tail();
    const auto complaints = load.complaints();
    EXPECT_TRUE(complaints.empty()) << complaints.front();

    ServerProcess free_one(command, directory_ / "free.log");
    ASSERT_TRUE(free_one.start()) << free_one.log_tail();
    const auto wrong = load.check(free_one.port());
    EXPECT_TRUE(wrong.empty()) << wrong.front();
    EXPECT_EQ(free_one.terminate(), 0);
  }
  EXPECT_GT(load.acknowledged_count(), 100u);
}

}  // namespace
}  // namespace minod::live
