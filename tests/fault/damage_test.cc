// Bytes that were whole once and are damaged now: the node says which file and where, and starts only when it is told
// that the loss is accepted; then what it serves is right, if not complete.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/random.h"
#include "tests/fault/node.h"

namespace minod::live {
namespace {

using std::chrono::seconds;

constexpr int kKeys = 1500;

std::string key(int i) { return "key" + std::to_string(i); }

std::string value(int i) {
  Random random(static_cast<std::uint64_t>(i));
  std::string text = std::to_string(i) + ":";
  while (text.size() < 2000) text += static_cast<char>(random.below(256));  // so that compression changes little
  return text;
}

// Where a segment's batches end; behind it are zeros.
std::size_t used_size(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  return all.find_last_not_of('\0') + 1;
}

void flip_byte(const std::string& file, std::size_t position) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekg(static_cast<std::streamoff>(position));
  const auto byte = static_cast<char>(stream.get() ^ 0x10);
  stream.seekp(static_cast<std::streamoff>(position));
  stream.put(byte);
}

bool has_number_between(const std::string& text, std::size_t low, std::size_t high) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t digits = 0;
    while (i + digits < text.size() && std::isdigit(static_cast<unsigned char>(text[i + digits]))) ++digits;
    if (digits > 0 && digits < 19) {
      const std::size_t number = std::stoull(text.substr(i, digits));
      if (number >= low && number <= high) return true;
    }
    i += digits + 1;
  }
  return false;
}

class DamageTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { SKIP_WITHOUT_MINOD(); }

  Options options() const { return {"--segment-bytes", "1mb", "--compression-type", GetParam()}; }

  enum class End { kClean, kKill };
  void write_log(End end) {
    ServerProcess server(minod_command(data(), options()), directory_ / "log");
    ASSERT_TRUE(server.start()) << server.log_tail();
    auto wire = Wire::connect(server.port());
    for (int i = 0; i < kKeys; ++i) {
      wire->queue(Arguments{"SET", key(i), value(i)});
      if (i % 10 != 9) continue;
      ASSERT_TRUE(wire->flush());
      for (int j = 0; j < 10; ++j) ASSERT_EQ(wire->receive(), kOk);
    }
    if (end == End::kClean) {
      ASSERT_EQ(server.terminate(), 0) << server.log_tail();
    } else {
      server.kill_now();
    }
    // So that a start reads all of the log: what these spare it is looked at when it is read.
    std::vector<std::filesystem::path> derived;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data())) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".hint") || name.starts_with("checkpoint.")) derived.push_back(entry.path());
    }
    for (const auto& path : derived) std::filesystem::remove(path);
  }

  // The position of the batch that is named is at most one batch before the byte that was changed.
  void expect_refusal(const std::string& file, std::size_t position) {
    auto command = minod_command(data(), options());
    command.insert(command.end(), {"--port", std::to_string(free_port())});
    const auto exit = run(command, seconds(20));
    ASSERT_TRUE(exit.has_value()) << "it starts on damaged data";
    EXPECT_NE(exit->status, 0);
    const std::string name = std::filesystem::path(file).filename().string();
    EXPECT_NE(exit->output.find(name), std::string::npos) << exit->output;
    constexpr std::size_t kBatch = 64 * 1024;
    EXPECT_TRUE(has_number_between(exit->output, position > kBatch ? position - kBatch : 0, position))
        << position << " is not told in: " << exit->output;
    EXPECT_NE(exit->output.find("--force-truncate"), std::string::npos) << exit->output;
  }

  // Returns how many of the keys are there.
  int start_by_force() {
    Options forced = options();
    forced.insert(forced.end(), {"--force-truncate", "yes"});
    ServerProcess server(minod_command(data(), forced), directory_ / "log");
    EXPECT_TRUE(server.start()) << server.log_tail();
    auto wire = Wire::connect(server.port());
    int there = 0;
    for (int i = 0; i < kKeys; ++i) {
      const auto reply = wire->call({"GET", key(i)});
      if (reply == kNull) continue;
      EXPECT_EQ(reply, bulk(value(i))) << key(i);
      ++there;
    }
    EXPECT_EQ(wire->call({"SET", "after", "force"}), kOk);
    server.kill_now();
    EXPECT_TRUE(server.start()) << "a second time: " << server.log_tail();
    wire = Wire::connect(server.port());
    EXPECT_EQ(wire->call({"GET", "after"}), bulk("force"));
    return there;
  }

  std::string data() const { return directory_ / "data"; }

  TempDirectory directory_;
};

TEST_P(DamageTest, ByteOfSealedSegment) {
  write_log(End::kKill);
  const std::string file = segments(data())[0];
  const std::size_t position = used_size(file) / 2;
  flip_byte(file, position);
  expect_refusal(file, position);
  EXPECT_GT(start_by_force(), 50) << "what came before the damage";
}

TEST_P(DamageTest, ByteOfActiveSegment) {
  write_log(End::kKill);
  const std::string file = segments(data()).back();
  const std::size_t position = used_size(file) / 2;
  flip_byte(file, position);
  expect_refusal(file, position);
  EXPECT_GT(start_by_force(), 50);
}

TEST_P(DamageTest, FirstByteOfFirstSegment) {
  write_log(End::kKill);
  const std::string file = segments(data())[0];
  flip_byte(file, 0);
  expect_refusal(file, 0);
}

TEST_P(DamageTest, SealedSegmentCutShort) {
  write_log(End::kClean);
  const std::string file = segments(data())[0];
  const std::size_t position = used_size(file) / 2;
  std::filesystem::resize_file(file, position);
  expect_refusal(file, position);
  EXPECT_GT(start_by_force(), 50);
}

// Nothing stands behind the cut that proves a loss but the note of the clean stop.
TEST_P(DamageTest, ActiveSegmentCutShortAfterCleanStop) {
  write_log(End::kClean);
  const std::string file = segments(data()).back();
  const std::size_t position = used_size(file) / 2;
  std::filesystem::resize_file(file, position);
  expect_refusal(file, position);
  EXPECT_GT(start_by_force(), 50);
}

TEST_P(DamageTest, SegmentMissing) {
  write_log(End::kClean);
  const auto files = segments(data());
  ASSERT_GT(files.size(), 2U);
  std::filesystem::remove(files[1]);
  auto command = minod_command(data(), options());
  command.insert(command.end(), {"--port", std::to_string(free_port())});
  const auto exit = run(command, seconds(20));
  ASSERT_TRUE(exit.has_value()) << "it starts without a segment";
  EXPECT_NE(exit->status, 0);
}

// The indexes are made again: without them, and with nonsense in them, the node starts.
TEST_P(DamageTest, IndexFilesAreNotNeeded) {
  write_log(End::kKill);
  for (const auto& entry : std::filesystem::directory_iterator(data() + "/db0-0")) {
    if (entry.path().extension() == ".index") std::filesystem::remove(entry.path());
    if (entry.path().extension() == ".timeindex") std::ofstream(entry.path()) << "nonsense";
  }
  EXPECT_EQ(start_by_force(), kKeys);
}

INSTANTIATE_TEST_SUITE_P(Codecs, DamageTest, testing::Values("none", "zstd"),
                         [](const auto& codec) { return std::string(codec.param); });

}  // namespace
}  // namespace minod::live
