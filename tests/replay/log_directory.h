// A data directory in a temporary place, written record by record as a test needs it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/endian.h"
#include "index/segment_index_files.h"
#include "log/aio_disk.h"
#include "log/compression.h"
#include "log/segment_name.h"
#include "replay/log_walk.h"
#include "tests/log/batches.h"

namespace minod::test {

class LogDirectory {
 public:
  LogDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "minod-log-XXXXXX").string();
    path_ = mkdtemp(name.data());
    AioDiskOptions options;
    options.depth = 4;
    options.direct = false;
    disk_ = std::move(*AioDisk::open(options));
    write(path_ + "/minod.meta",
          "format 1\nid 0123456789abcdef0123456789abcdef\nhash-seed "
          "00000000000000010000000000000002\npartitions 1\n");
  }
  ~LogDirectory() { std::filesystem::remove_all(path_); }

  Disk& disk() { return *disk_; }
  const std::string& path() const { return path_; }
  std::string partition(int db = 0, int number = 0) const {
    return path_ + "/db" + std::to_string(db) + "-" + std::to_string(number);
  }
  std::string segment(std::int64_t base, std::string_view suffix = kLogSuffix) const {
    return partition() + "/" + segment_name(Offset(base), suffix);
  }

  // A segment of these batches, and `zeros` bytes of prepared space behind them.
  void put_segment(const std::string& directory, std::int64_t base, const std::vector<Blob>& batches,
                   std::size_t zeros = 0) {
    std::filesystem::create_directories(directory);
    Blob all = joined(batches);
    all.resize(all.size() + zeros);
    write(directory + "/" + segment_name(Offset(base), kLogSuffix), as_text(all));
  }

  // What minod writes when it seals the segment.
  void put_index_files(std::int64_t base, const std::vector<Blob>& batches) {
    SegmentIndexFiles index{Offset(base)};
    FilePosition position;
    for (const Blob& batch : batches) {
      index.add(*read_batch_header(batch), position);
      position += ByteCount(static_cast<std::int64_t>(batch.size()));
    }
    write(segment(base, kIndexSuffix), as_text(index.offset_index()));
    write(segment(base, kTimeIndexSuffix), as_text(index.time_index()));
  }

  static void write(const std::string& path, std::string_view contents) {
    std::ofstream(path, std::ios::binary) << contents;
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void flip(const std::string& path, std::size_t position) {
    std::string contents = read(path);
    contents.at(position) = static_cast<char>(contents[position] ^ 1);
    write(path, contents);
  }

 private:
  std::string path_;
  std::unique_ptr<AioDisk> disk_;
};

inline Blob batch_with(std::int64_t base, const std::vector<NewRecord>& records, UnixMillis time = kSomeTime,
                       bool control = false, Epoch epoch = Epoch{1}) {
  Blob blob(kBatchHeaderSize);
  BatchBuilder builder;
  builder.open(blob.data(), Offset(base), epoch, time, control);
  for (const NewRecord& record : records) {
    blob.resize(blob.size() + builder.size_of(record, time));
    builder.moved(blob.data());
    builder.append(record, time);
  }
  builder.close();
  return blob;
}

// A batch that vouches for all before it, as the first of each write does.
inline Blob vouching_batch(std::int64_t base, const std::string& key, UnixMillis time = kSomeTime) {
  return batch_with(base, {NewRecord{.key = key, .value = "v", .durable_upto = Offset(base)}}, time);
}

inline Blob log_start_batch(std::int64_t base, Epoch epoch = Epoch{1}) {
  std::byte key[4];
  store_big<std::int16_t>(key, 0);
  store_big(key + 2, kLogStartControl);
  std::byte value[10];
  store_big<std::int16_t>(value, 0);
  store_big(value + 2, base);
  return batch_with(base, {NewRecord{.key = as_text(key), .value = as_text(value)}}, kSomeTime, true, epoch);
}

inline Blob compressed(const Blob& plain) {
  Compressor compressor;
  Blob packed(plain.size());
  packed.resize(compress_batch(compressor, plain, packed).value_or(0));
  return packed;
}

}  // namespace minod::test
