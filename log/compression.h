// zstd, Kafka's codec 4: contexts that are kept, one pair per shard, since making one costs more than a small batch.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace minod {

class Compressor {
 public:
  explicit Compressor(int level = 1);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // Size of the frame written to `into`, or nothing when it does not fit there.
  std::optional<std::size_t> compress(Bytes from, MutableBytes into);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // The contents of the frame, in this object's memory until the next call. Grows as bytes come out, never by the size
  // that the frame declares; kTooLarge above `size_max`, kCorrupt for what is not one whole frame.
  Result<Bytes> decompress(Bytes from, std::size_t size_max);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  std::vector<std::byte> memory_;
};

}  // namespace minod
