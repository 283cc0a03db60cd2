#include "log/record.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/varint.h"
#include "tests/log/batches.h"

namespace minod {
namespace {

using test::Blob;
using test::joined;

constexpr Offset kBase{1000};
constexpr UnixMillis kTime{1'700'000'000'000};

Blob encoded(const NewRecord& record, std::int64_t timestamp_delta = 0, std::int64_t offset_delta = 0) {
  Blob blob(record_size(record, timestamp_delta, offset_delta));
  const std::byte* end = encode_record(blob.data(), record, timestamp_delta, offset_delta);
  EXPECT_EQ(end, blob.data() + blob.size());
  return blob;
}

// A record of these bytes, with the length field that they have.
Blob with_length(const Blob& body) {
  Blob blob(kVarintSizeMax);
  const std::byte* end = put_varint(blob.data(), static_cast<std::int64_t>(body.size()));
  blob.resize(static_cast<std::size_t>(end - blob.data()));
  blob.insert(blob.end(), body.begin(), body.end());
  return blob;
}

Result<RecordView> decoded(const Blob& blob) {
  Bytes from(blob);
  auto record = take_record(from, kBase, kTime);
  EXPECT_EQ(from.size(), record ? 0 : blob.size());
  return record;
}

// The detail, when the record is refused as corrupt.
std::string refusal(std::string_view body_hex) {
  const auto record = decoded(with_length(test::bytes_of_hex(body_hex)));
  if (record) return "accepted";
  EXPECT_EQ(record.error().code, Errc::kCorrupt);
  return record.error().detail;
}

void comes_back(const NewRecord& record, std::int64_t timestamp_delta, std::int64_t offset_delta) {
  const Blob blob = encoded(record, timestamp_delta, offset_delta);
  const auto back = decoded(blob);
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->offset, kBase + OffsetCount(offset_delta));
  EXPECT_EQ(back->timestamp, kTime + Millis(timestamp_delta));
  EXPECT_EQ(back->has_key, record.has_key);
  EXPECT_EQ(back->has_value, record.has_value);
  EXPECT_EQ(back->key, record.has_key ? record.key : "");
  EXPECT_EQ(back->value, record.has_value ? record.value : "");
  EXPECT_EQ(back->expires_at, record.expires_at);
  EXPECT_EQ(back->durable_upto, record.durable_upto);
  EXPECT_EQ(back->header_count, int{record.expires_at != kNeverExpires} + int{record.durable_upto != kNoOffset});
  EXPECT_EQ(back->headers.size(), static_cast<std::size_t>(back->header_count) * 11);
}

TEST(Record, ComesBack) {
  comes_back({.key = "k", .value = "v"}, 0, 0);
  comes_back({.key = "", .value = ""}, 0, 0);
  comes_back({.key = "gone", .has_value = false}, 5, 1);
  comes_back({.value = "no key", .has_key = false}, -5, 63);
  comes_back({.has_key = false, .has_value = false}, 0, 64);
  comes_back({.key = "k", .value = "v", .expires_at = UnixMillis(-1)}, 0, 0);
  comes_back({.key = "k", .value = "v", .expires_at = UnixMillis(7), .durable_upto = Offset(0)}, 1 << 30,
             std::numeric_limits<std::int32_t>::max());
}

TEST(Record, SaysWhatWasWrittenTogether) {
  const std::string together(3 * 12, 't');
  const Blob blob = encoded({.key = "k", .value = "v", .durable_upto = Offset(5), .together = together});
  EXPECT_EQ(blob.size(),
            record_size({.key = "k", .value = "v", .durable_upto = Offset(5), .together = together}, 0, 0));
  const auto back = decoded(blob);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->together, together);
  EXPECT_EQ(back->durable_upto, Offset(5));
  EXPECT_EQ(back->header_count, 2);
}

TEST(Record, ComesBackAtEveryWidthOfItsLengths) {
  for (const std::size_t size : {56, 57, 58, 63, 64, 8191, 8192, 1 << 20}) {
    const std::string text(size, 'x');
    comes_back({.key = text, .value = "v"}, 0, 0);
    comes_back({.key = "k", .value = text, .durable_upto = Offset(9)}, 0, 0);
  }
}

TEST(Record, TakesOneAfterAnother) {
  Blob blob = encoded({.key = "a", .value = "1"});
  const Blob second = encoded({.key = "b", .value = "2"}, 3, 1);
  blob.insert(blob.end(), second.begin(), second.end());
  Bytes from(blob);
  EXPECT_EQ(take_record(from, kBase, kTime)->key, "a");
  EXPECT_EQ(from.size(), second.size());
  EXPECT_EQ(take_record(from, kBase, kTime)->key, "b");
  EXPECT_TRUE(from.empty());
  EXPECT_FALSE(take_record(from, kBase, kTime));
}

TEST(Record, CutAnywhereIsCorrupt) {
  const Blob whole = encoded({.key = "key", .value = std::string(100, 'v'), .expires_at = UnixMillis(1)});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto record = decoded(Blob(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    ASSERT_FALSE(record) << size;
    EXPECT_EQ(record.error().code, Errc::kCorrupt);
  }
}

TEST(Record, RefusesLengthsThatLie) {
  EXPECT_EQ(refusal("00 00 00 7f 00 00"), "record with a bad key length");
  EXPECT_EQ(refusal("00 00 00 03 00 00"), "record with a bad key length");            // -2
  EXPECT_EQ(refusal("00 00 00 00 feffffff0f 00"), "record with a bad value length");  // 2^31 - 1
  EXPECT_EQ(refusal("00 00 00 00 feffffffffffffffff01 00"), "record with a bad value length");
  EXPECT_EQ(refusal("00 00 01 00 00 00"), "record with a bad offset delta");          // -1
  EXPECT_EQ(refusal("00 00 8080808010 00 00 00"), "record with a bad offset delta");  // 2^31
  EXPECT_EQ(refusal("00 feffffffffffffffff01 00 00 00 00"), "record with a bad timestamp delta");
  EXPECT_EQ(refusal("00 ffffffffffffffffffff 00 00 00 00"), "record with a bad timestamp delta");
  EXPECT_EQ(refusal("00 00 00 00 00 01"), "record with a bad header");  // -1 of them
  EXPECT_EQ(refusal("00 00 00 00 00 feffffffffffffffff01"), "record with a bad header");
  EXPECT_EQ(refusal("00 00 00 00 00 02 01 00"), "record with a bad header");  // its key is null
  EXPECT_EQ(refusal("00 00 00 00 00 02 02 65 12 00"), "record with a bad header");
  EXPECT_EQ(refusal("00 00 00 00 00 00 00"), "record with a bad length: bytes after its headers");
  EXPECT_EQ(refusal("00 00 00 00 00"), "record with a bad length");
  for (const char* length : {"00", "01", "feffffff0f", "ffffffff0f", "ffffffffffffffffffffff"}) {
    const auto record = decoded(joined({test::bytes_of_hex(length), test::bytes_of_hex("00 00 00 00 00 00")}));
    ASSERT_FALSE(record) << length;
    EXPECT_EQ(record.error().detail, "record with a bad length");
  }
}

TEST(Record, RefusesSumsThatOverflow) {
  const Blob blob = encoded({.key = "k"}, 1, 1);
  Bytes from(blob);
  EXPECT_FALSE(take_record(from, Offset(std::numeric_limits<std::int64_t>::max()), kTime));
  EXPECT_FALSE(take_record(from, kBase, UnixMillis(std::numeric_limits<std::int64_t>::max())));
  EXPECT_TRUE(take_record(from, kBase, kTime));
}

TEST(Record, KeepsHeadersThatItDoesNotKnow) {
  // x = null; e = two bytes (another's); zz = eight bytes; d = 5; d = 6
  const Blob blob =
      with_length(test::bytes_of_hex("00 00 00 02 6b 00 0a  02 78 01  02 65 04 0102  04 7a7a 10 0000000000000001"
                                     "02 64 10 0000000000000005  02 64 10 0000000000000006"));
  const auto record = decoded(blob);
  ASSERT_TRUE(record) << record.error().message();
  EXPECT_EQ(record->header_count, 5);
  EXPECT_EQ(record->headers.size(), blob.size() - 8);
  EXPECT_EQ(record->headers.data(), blob.data() + 8);
  EXPECT_EQ(record->expires_at, kNeverExpires);
  EXPECT_EQ(record->durable_upto, Offset(6));
}

TEST(Record, AnyBytesAreRefusedOrWithinBounds) {
  Random random(20261121);
  for (int round = 0; round < 20000; ++round) {
    Blob blob = encoded({.key = "key", .value = "value", .expires_at = UnixMillis(1), .durable_upto = Offset(2)});
    for (std::uint64_t flips = random.below(4); flips < 4; ++flips) {
      blob[random.below(blob.size())] = static_cast<std::byte>(random.next());
    }
    Bytes from(blob);
    const auto record = take_record(from, kBase, kTime);
    if (!record) continue;
    EXPECT_LE(record->key.size() + record->value.size() + record->headers.size(), blob.size());
    EXPECT_LT(from.size(), blob.size());
  }
}

}  // namespace
}  // namespace minod
