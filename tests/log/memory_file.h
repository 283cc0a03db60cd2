// A file in memory that remembers how it was read. Asynchronous calls fail at once.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "log/disk.h"

namespace minod::test {

class MemoryFile final : public File {
 public:
  std::vector<std::byte> bytes;
  bool refuses = false;  // every call fails with EIO
  std::size_t read_count = 0;
  std::size_t read_size_max = 0;
  bool all_aligned = true;  // position, size and memory of every read

  void write(FilePosition, Bytes, WriteMode, IoCallback done) override { done(refusal()); }
  void sync(IoCallback done) override { done(refusal()); }
  void read(FilePosition, MutableBytes, IoCallback done) override { done(refusal()); }

  Result<std::size_t> read_now(FilePosition position, MutableBytes into) override {
    if (refuses) return refusal();
    const auto from = static_cast<std::size_t>(position.value());
    ++read_count;
    read_size_max = std::max(read_size_max, into.size());
    all_aligned = all_aligned && from % kIoAlignment == 0 && into.size() % kIoAlignment == 0 &&
                  reinterpret_cast<std::uintptr_t>(into.data()) % kIoAlignment == 0;
    if (from >= bytes.size()) return std::size_t{0};
    const std::size_t count = std::min(into.size(), bytes.size() - from);
    std::memcpy(into.data(), bytes.data() + from, count);
    return count;
  }
  Result<void> write_now(FilePosition position, Bytes from) override {
    if (refuses) return refusal();
    const auto begin = static_cast<std::size_t>(position.value());
    bytes.resize(std::max(bytes.size(), begin + from.size()));
    std::copy(from.begin(), from.end(), bytes.begin() + position.value());
    return {};
  }
  Result<void> sync_now() override {
    if (refuses) return refusal();
    return {};
  }
  Result<std::int64_t> size_now() override {
    if (refuses) return refusal();
    return static_cast<std::int64_t>(bytes.size());
  }
  Result<void> truncate_now(std::int64_t size) override {
    bytes.resize(static_cast<std::size_t>(size));
    return {};
  }
  Result<std::int64_t> links_now() override { return std::int64_t{1}; }
  Result<void> prepare_now(std::int64_t, std::int64_t to) override { return truncate_now(to); }

 private:
  static Error refusal() { return errno_error("memory file", EIO); }
};

}  // namespace minod::test
