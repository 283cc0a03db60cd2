// Cache mode on the real program: the files stay within maxdisk, INFO tells of it, and a kill brings nothing older
// back.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "tests/fault/node.h"

namespace minod::live {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kBudget = std::uint64_t{32} << 20;

class CacheModeTest : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_MINOD(); }
  void start(const std::string& policy) {
    server_ = std::make_unique<ServerProcess>(
        minod_command(directory_ / "data",
                      {"--maxdisk", "32mb", "--maxdisk-policy", policy, "--shards", "2", "--partitions", "2"}),
        directory_ / "log");
    connect();
  }
  void connect() {
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    wire_ = Wire::connect(server_->port());
    ASSERT_TRUE(wire_.has_value());
  }
  std::uint64_t stat(const std::string& name) {
    const std::string text = wire_->call({"INFO", "stats"}).value_or("");
    const std::size_t at = text.find("\n" + name + ":");
    return at == std::string::npos ? ~std::uint64_t{0} : std::stoull(text.substr(at + name.size() + 2));
  }
  // A shard tells the others of itself a few times a second.
  bool reaches(const std::string& name, std::uint64_t wanted) {
    for (int i = 0; i < 100; ++i) {
      if (stat(name) >= wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
  std::uint64_t bytes_on_disk() {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory_ / "data")) {
      std::error_code gone;
      const bool is_log = entry.path().extension() == ".log" || entry.path().filename().string().starts_with("next");
      const auto size = is_log ? entry.file_size(gone) : 0;
      if (!gone) bytes += size;
    }
    return bytes;
  }
  static std::string key(int i) { return "key" + std::to_string(i); }
  static std::string value(int i, int version) {
    return std::to_string(version) + ":" + std::string(5000, static_cast<char>('a' + i % 26));
  }

  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::optional<Wire> wire_;
};

TEST_F(CacheModeTest, StaysWithinMaxdiskAndBringsNothingOlderBack) {
  start("allkeys-segment");
  std::map<int, int> newest;
  for (int i = 0; i < 12'000; ++i) {
    const int number = i * 7919 % 8'000;
    ASSERT_EQ(wire_->call({"SET", key(number), value(number, i)}), kOk) << i;
    newest[number] = i;
    if (i % 2000 == 0) {
      EXPECT_LE(bytes_on_disk(), kBudget + (std::uint64_t{4} << 20)) << "files that are just being removed aside";
    }
    if (i % 5000 == 2500) {
      server_->kill_now();
      connect();
      for (const auto& [old, version] : newest) {
        const auto reply = wire_->call({"GET", key(old)});
        ASSERT_TRUE(reply == kNull || reply == bulk(value(old, version)))
            << key(old) << " " << shown(reply.value_or(""));
      }
    }
  }
  EXPECT_TRUE(reaches("evicted_keys", 500)) << stat("evicted_keys");
  EXPECT_TRUE(reaches("minod_disk_evicted_segments", 5)) << stat("minod_disk_evicted_segments");
  EXPECT_EQ(stat("minod_disk_limit"), kBudget);
  EXPECT_LE(stat("minod_disk_bytes"), kBudget);
  EXPECT_LT(std::stoi(wire_->call({"DBSIZE"})->substr(1)), 7000);
}

TEST_F(CacheModeTest, NoevictionRefusesAndCanBeChangedAtRunTime) {
  start("noeviction");
  std::optional<std::string> reply;
  int written = 0;
  for (; written < 20'000; ++written) {
    reply = wire_->call({"SET", key(written), value(written, 0)});
    if (reply != kOk) break;
  }
  ASSERT_TRUE(reply && reply->starts_with("-OOM ")) << shown(reply.value_or(""));
  std::printf("refused after %d values: %s\n", written, shown(*reply).c_str());
  EXPECT_EQ(wire_->call({"GET", key(0)}), bulk(value(0, 0)));
  EXPECT_EQ(wire_->call({"DEL", key(1)}), ":1\r\n");
  EXPECT_TRUE(reaches("minod_refused_maxdisk", 1));
  EXPECT_EQ(stat("evicted_keys"), 0u);
  EXPECT_EQ(wire_->call({"CONFIG", "SET", "maxdisk-policy", "allkeys-segment"}), kOk);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(wire_->call({"SET", key(written + i), value(i, 0)}), kOk);
  EXPECT_TRUE(reaches("evicted_keys", 1));
}

}  // namespace
}  // namespace minod::live
