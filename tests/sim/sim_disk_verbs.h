// What the tests of SimDisk say often: each verb starts an operation and polls until it is done.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

#include "base/buffer.h"
#include "tests/sim/sim_disk.h"

namespace minod {

inline AlignedBuffer filled(std::size_t size, int value) {
  AlignedBuffer buffer(size);
  std::memset(buffer.data(), value, buffer.size());
  return buffer;
}

inline void finish(SimDisk& disk) {
  while (disk.in_flight() != 0) disk.poll();
}

inline std::unique_ptr<File> create(SimDisk& disk, const std::string& path) {
  auto file = disk.open(path, OpenMode::kCreate);
  EXPECT_TRUE(file) << file.error().message();
  return std::move(*file);
}

// A file whose name is durable, so that a test is about its contents.
inline std::unique_ptr<File> created_durably(SimDisk& disk, const std::string& path) {
  auto file = create(disk, path);
  EXPECT_TRUE(disk.sync_directory(SimNames::parent_of(path)));
  return file;
}

inline Result<std::size_t> write(SimDisk& disk, File& file, std::int64_t position, const AlignedBuffer& bytes,
                                 WriteMode mode = WriteMode::kCached) {
  Result<std::size_t> answer = 0;
  file.write(FilePosition(position), bytes.span(), mode, [&](Result<std::size_t> result) { answer = result; });
  finish(disk);
  return answer;
}

inline Result<std::size_t> sync(SimDisk& disk, File& file) {
  Result<std::size_t> answer = 0;
  file.sync([&](Result<std::size_t> result) { answer = result; });
  finish(disk);
  return answer;
}

inline std::string contents(SimDisk& disk, const std::string& path) {
  const auto text = read_file(disk, path, 1 << 30);
  EXPECT_TRUE(text) << text.error().message();
  return text ? *text : "";
}

inline bool exists(SimDisk& disk, const std::string& path) { return bool(disk.open(path, OpenMode::kRead)); }

}  // namespace minod
