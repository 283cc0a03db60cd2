// A node that can't start says why in one line, and exits with an error.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "tests/fault/node.h"

namespace minod::live {
namespace {

using std::chrono::seconds;

class RefusalTest : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_MINOD(); }

  std::vector<std::string> command(const std::string& data, std::uint16_t port, const Options& options = {}) {
    auto all = minod_command(data, options);
    all.insert(all.end(), {"--port", std::to_string(port)});
    return all;
  }

  // Exits by itself, not with 0, and its one line has all of `words`.
  void expect_refusal(const std::vector<std::string>& command, const std::vector<std::string>& words,
                      bool as_nobody = false) {
    const auto exit = run(command, seconds(10), as_nobody);
    ASSERT_TRUE(exit.has_value()) << "it runs";
    EXPECT_NE(exit->status, 0);
    EXPECT_LT(exit->status, 126) << "a signal, or it could not be started";
    EXPECT_EQ(std::ranges::count(exit->output, '\n'), 1) << exit->output;
    EXPECT_TRUE(exit->output.ends_with('\n')) << exit->output;
    for (const std::string& word : words)
      EXPECT_NE(exit->output.find(word), std::string::npos) << word << " in: " << exit->output;
  }

  TempDirectory directory_;
};

TEST_F(RefusalTest, DirectoryInUse) {
  ServerProcess first(minod_command(directory_ / "data", {}), directory_ / "log");
  ASSERT_TRUE(first.start()) << first.log_tail();
  expect_refusal(command(directory_ / "data", free_port()),
                 {directory_ / "data", "in use", std::to_string(first.pid())});
  auto wire = Wire::connect(first.port());
  ASSERT_TRUE(wire.has_value());
  EXPECT_EQ(wire->call({"SET", "still", "served"}), kOk);
}

TEST_F(RefusalTest, PortInUse) {
  ServerProcess first(minod_command(directory_ / "data", {}), directory_ / "log");
  ASSERT_TRUE(first.start()) << first.log_tail();
  expect_refusal(command(directory_ / "other", first.port()), {std::to_string(first.port()), "in use"});
}

TEST_F(RefusalTest, DirectoryNotWritable) {
  const std::string data = directory_ / "data";
  ASSERT_EQ(mkdir(data.c_str(), 0555), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  const bool root = geteuid() == 0;
  if (root) {
    const auto reachable = run({"test", "-x", minod_path()}, seconds(5), true);
    if (!reachable || reachable->status != 0) GTEST_SKIP() << "nobody may not run " << minod_path();
  }
  expect_refusal(command(data, free_port()), {data, "not writable", "Permission denied"}, root);
}

TEST_F(RefusalTest, DirectoryIsAFile) {
  const std::string data = directory_ / "data";
  ASSERT_EQ(run({"touch", data}, seconds(5))->status, 0);
  expect_refusal(command(data, free_port()), {data});
}

TEST_F(RefusalTest, DirectoryWithOtherPartitions) {
  ServerProcess first(minod_command(directory_ / "data", {"--partitions", "2"}), directory_ / "log");
  ASSERT_TRUE(first.start()) << first.log_tail();
  first.kill_now();
  expect_refusal(command(directory_ / "data", free_port(), {"--partitions", "4"}), {"partitions", "2"});
}

TEST_F(RefusalTest, UnknownOption) {
  expect_refusal(command(directory_ / "data", free_port(), {"--no-such-option", "1"}),
                 {"unknown option", "--no-such-option"});
}

TEST_F(RefusalTest, BadValues) {
  const std::vector<Options> all = {
      {"--appendfsync", "sometimes"},  {"--segment-bytes", "12"}, {"--segment-bytes", "lots"},
      {"--partitions", "3"},           {"--partitions", "0"},     {"--shards", "0"},
      {"--compression-type", "lzma"},  {"--maxclients", "-1"},    {"--bind", "no.such.address"},
      {"--proto-max-bulk-len", "1gb"}, {"--loglevel", "chatty"},  {"--timeout", "abc"},
      {"--unixsocketperm", "999"},     {"--save", "60 1"},        {"--config", "/no/such/file"},
  };
  for (const Options& options : all) {
    SCOPED_TRACE(options[0] + " " + options[1]);
    const std::string name = options[0] == "--config" ? "/no/such/file" : options[0];
    expect_refusal(command(directory_ / "data", free_port(), options), {name});
  }
  for (const char* port : {"65536", "-1", "abc", ""}) {
    SCOPED_TRACE(port);
    expect_refusal({minod_path(), "--dir", directory_ / "data", "--port", port}, {"--port"});
  }
}

TEST_F(RefusalTest, BadConfigFile) {
  const std::string file = directory_ / "minod.conf";
  ASSERT_EQ(run({"sh", "-c", "printf 'port 7000\\nappendfsync perhaps\\n' > " + file}, seconds(5))->status, 0);
  expect_refusal({minod_path(), file, "--dir", directory_ / "data"}, {file, "2", "appendfsync"});
}

}  // namespace
}  // namespace minod::live
