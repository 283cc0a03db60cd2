// The real disk in a directory of its own.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "base/buffer.h"
#include "log/aio_disk.h"

namespace minod {

// Every test runs in the mode that minod prefers and in the one for file systems without O_DIRECT.
class AioDiskTest : public testing::TestWithParam<bool> {
 protected:
  AioDiskTest() {
    std::string pattern = (std::filesystem::current_path() / "aio_disk_test.XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    reopen(256);
  }
  ~AioDiskTest() override {
    disk_.reset();
    std::filesystem::remove_all(directory_);
  }

  void reopen(unsigned depth) {
    disk_.reset();
    auto disk = AioDisk::open({.depth = depth, .direct = GetParam()});
    ASSERT_TRUE(disk) << disk.error().message();
    disk_ = std::move(*disk);
  }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  std::unique_ptr<File> create(const std::string& name) {
    auto file = disk_->open(path(name), OpenMode::kCreate);
    EXPECT_TRUE(file) << file.error().message();
    return std::move(*file);
  }

  static AlignedBuffer filled(std::size_t size, int value) {
    AlignedBuffer buffer(size);
    std::memset(buffer.data(), value, buffer.size());
    return buffer;
  }

  // Waits as an owner does: only the eventfd says when to poll.
  void finish() {
    disk_->submit();
    while (disk_->in_flight() != 0) {
      pollfd wait{disk_->event_fd(), POLLIN, 0};
      ASSERT_EQ(::poll(&wait, 1, 10'000), 1) << "nothing signalled the eventfd";
      disk_->poll();
    }
  }

  void write(File& file, std::int64_t position, const AlignedBuffer& bytes, WriteMode mode) {
    std::size_t written = 0;
    file.write(FilePosition(position), bytes.span(), mode, [&](Result<std::size_t> result) {
      ASSERT_TRUE(result) << result.error().message();
      written = *result;
    });
    finish();
    EXPECT_EQ(written, bytes.size());
  }

  std::string contents(const std::string& name) {
    auto text = read_file(*disk_, path(name), 1 << 30);
    EXPECT_TRUE(text) << text.error().message();
    return text ? *text : "";
  }

  std::string directory_;
  std::unique_ptr<AioDisk> disk_;
};

}  // namespace minod
