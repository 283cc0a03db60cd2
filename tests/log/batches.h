// Batches for tests, built by BatchBuilder, and one whose bytes were computed without minod.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "log/batch.h"

namespace minod::test {

inline constexpr UnixMillis kSomeTime{1'700'000'000'000};

using Blob = std::vector<std::byte>;

inline Blob bytes_of_hex(std::string_view hex) {
  Blob blob;
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits += c;
    if (digits.size() < 2) continue;
    blob.push_back(static_cast<std::byte>(std::stoi(digits, nullptr, 16)));
    digits.clear();
  }
  return blob;
}

// One record per value, under the keys k0, k1, …
inline Blob batch_of(std::int64_t base, std::int32_t epoch, const std::vector<std::string>& values) {
  Blob blob(kBatchHeaderSize);
  BatchBuilder builder;
  builder.open(blob.data(), Offset(base), Epoch{epoch}, kSomeTime);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string key = "k" + std::to_string(i);
    const NewRecord record{.key = key, .value = values[i]};
    blob.resize(blob.size() + builder.size_of(record, kSomeTime));
    builder.moved(blob.data());
    builder.append(record, kSomeTime);
  }
  builder.close();
  return blob;
}

// docs/FORMAT.md, "Batch": at offset 42, epoch 7: user:1 = alice until a minute later; 5 ms later user:2 is deleted,
// and everything below 42 was durable by then.
inline Blob golden_batch() {
  return bytes_of_hex(
      "00 00 00 00 00 00 00 2a"             // base offset 42
      "00 00 00 66"                         // 102 bytes follow
      "00 00 00 07"                         // leader epoch 7
      "02"                                  // magic
      "53 c0 85 b4"                         // CRC-32C of what follows
      "00 00"                               // attributes
      "00 00 00 01"                         // last offset delta
      "00 00 01 8b cf e5 68 00"             // base timestamp 1700000000000
      "00 00 01 8b cf e5 68 05"             // max timestamp
      "ff ff ff ff ff ff ff ff"             // producer id: none
      "ff ff"                               // producer epoch: none
      "ff ff ff ff"                         // base sequence: none
      "00 00 00 02"                         // two records
      "38 00 00 00"                         // 28 bytes follow; attributes; timestamp +0; offset +0
      "0c 75 73 65 72 3a 31"                // key: 6 bytes, user:1
      "0a 61 6c 69 63 65"                   // value: 5 bytes, alice
      "02"                                  // one header
      "02 65 10 00 00 01 8b cf e6 52 60"    // e = 1700000060000
      "2e 00 0a 02"                         // 23 bytes follow; attributes; timestamp +5; offset +1
      "0c 75 73 65 72 3a 32"                // key: user:2
      "01"                                  // value: none, a tombstone
      "02"                                  // one header
      "02 64 10 00 00 00 00 00 00 00 2a");  // d = 42
}

inline Blob joined(const std::vector<Blob>& blobs) {
  Blob all;
  for (const Blob& blob : blobs) all.insert(all.end(), blob.begin(), blob.end());
  return all;
}

}  // namespace minod::test
