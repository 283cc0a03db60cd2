#include "log/record.h"

#include <cstring>
#include <limits>

#include "base/endian.h"
#include "base/varint.h"
#include "log/format.h"
#include "log/together.h"

namespace minod {

namespace {

// These headers have a key of one byte and a value of eight: 02 'e' 10, then the value.
static_assert(kExpiryHeader.size() == 1 && kDurableHeader.size() == 1 && kTogetherHeader.size() == 1);
static_assert(kLogReachSize != sizeof(std::int64_t) && kLogReachSize > 1);
constexpr std::size_t kOwnHeaderSize = 3 + sizeof(std::int64_t);

constexpr std::int64_t kBodySizeMin = 6;  // every field in one byte, no key, no value, no headers
constexpr std::int64_t kNullLength = -1;

int own_header_count(const NewRecord& record) {
  return int{record.expires_at != kNeverExpires} + int{record.durable_upto != kNoOffset} +
         int{!record.together.empty()};
}

std::size_t field_size(std::string_view text, bool present) {
  return present ? varint_size(static_cast<std::int64_t>(text.size())) + text.size() : 1;
}

std::size_t together_size(const NewRecord& record) {
  return record.together.empty() ? 0 : 2 + field_size(record.together, true);
}

// What the record's length field counts.
std::size_t body_size(const NewRecord& record, std::int64_t timestamp_delta, std::int64_t offset_delta) {
  return 1 + varint_size(timestamp_delta) + varint_size(offset_delta) + field_size(record.key, record.has_key) +
         field_size(record.value, record.has_value) + 1 +
         static_cast<std::size_t>(own_header_count(record) - int{!record.together.empty()}) * kOwnHeaderSize +
         together_size(record);
}

std::byte* put_field(std::byte* at, std::string_view text, bool present) {
  if (!present) return put_varint(at, kNullLength);
  at = put_varint(at, static_cast<std::int64_t>(text.size()));
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

std::byte* put_own_header(std::byte* at, std::string_view key, std::int64_t value) {
  at[0] = static_cast<std::byte>(zigzag(1));
  at[1] = static_cast<std::byte>(key.front());
  at[2] = static_cast<std::byte>(zigzag(sizeof value));
  store_big(at + 3, value);
  return at + kOwnHeaderSize;
}

// What is left of a record that is being decoded.
struct Cursor {
  const std::byte* at;
  const std::byte* end;
  std::int64_t left() const { return end - at; }
};

[[gnu::noinline]] bool take_long_number(Cursor& in, std::int64_t& value) {
  Bytes from(in.at, in.end);
  const auto number = take_varint(from);
  if (!number) return false;
  value = *number;
  in.at = from.data();
  return true;
}

bool take_number(Cursor& in, std::int64_t& value) {
  if (in.at == in.end) return false;
  const auto low = static_cast<std::uint64_t>(in.at[0]);
  if (low < 0x80) {
    value = unzigzag(low);
    ++in.at;
    return true;
  }
  // The length of a record, and of a value of 64 bytes to 8 KiB.
  if (in.left() < 2 || in.at[1] >= std::byte{0x80}) return take_long_number(in, value);
  value = unzigzag((low & 0x7f) | static_cast<std::uint64_t>(in.at[1]) << 7);
  in.at += 2;
  return true;
}

bool take_field(Cursor& in, std::string_view& text, bool& present) {
  std::int64_t length = 0;
  if (!take_number(in, length) || length < kNullLength || length > in.left()) return false;
  present = length != kNullLength;
  const auto size = static_cast<std::size_t>(present ? length : 0);
  text = as_text({in.at, size});
  in.at += size;
  return true;
}

// A header of ours with a value of another size is somebody else's: any Kafka client may choose the key.
bool take_headers(Cursor& in, RecordView& record) {
  if (!take_number(in, record.header_count)) return false;
  if (record.header_count < 0 || record.header_count > in.left() / 2) return false;
  const std::byte* const begin = in.at;
  for (std::int64_t i = 0; i < record.header_count; ++i) {
    std::string_view key;
    std::string_view value;
    bool has_key = false;
    bool has_value = false;
    if (!take_field(in, key, has_key) || !has_key || !take_field(in, value, has_value)) return false;
    if (key == kTogetherHeader && !value.empty() && value.size() % kLogReachSize == 0) record.together = value;
    if (key.size() != 1 || value.size() != sizeof(std::int64_t)) continue;
    const auto number = load_big<std::int64_t>(as_bytes(value).data());
    if (key.front() == kExpiryHeader.front()) record.expires_at = UnixMillis(number);
    if (key.front() == kDurableHeader.front()) record.durable_upto = Offset(number);
  }
  record.headers = Bytes(begin, in.at);
  return true;
}

[[gnu::cold, gnu::noinline]] Error misfit(const char* field) {
  return Error{Errc::kCorrupt, 0, std::string("record with a bad ") + field};
}

}  // namespace

std::size_t record_size(const NewRecord& record, std::int64_t timestamp_delta, std::int64_t offset_delta) {
  const std::size_t body = body_size(record, timestamp_delta, offset_delta);
  return varint_size(static_cast<std::int64_t>(body)) + body;
}

std::byte* encode_record(std::byte* at, const NewRecord& record, std::int64_t timestamp_delta,
                         std::int64_t offset_delta) {
  at = put_varint(at, static_cast<std::int64_t>(body_size(record, timestamp_delta, offset_delta)));
  *at++ = std::byte{0};  // attributes: Kafka defines none
  at = put_varint(at, timestamp_delta);
  at = put_varint(at, offset_delta);
  at = put_field(at, record.key, record.has_key);
  at = put_field(at, record.value, record.has_value);
  at = put_varint(at, own_header_count(record));
  if (record.expires_at != kNeverExpires) at = put_own_header(at, kExpiryHeader, record.expires_at.value());
  if (record.durable_upto != kNoOffset) at = put_own_header(at, kDurableHeader, record.durable_upto.value());
  if (record.together.empty()) return at;
  at[0] = static_cast<std::byte>(zigzag(1));
  at[1] = static_cast<std::byte>(kTogetherHeader.front());
  return put_field(at + 2, record.together, true);
}

Result<RecordView> take_record(Bytes& from, Offset base_offset, UnixMillis base_timestamp) {
  Cursor in{from.data(), from.data() + from.size()};
  std::int64_t length = 0;
  if (!take_number(in, length) || length < kBodySizeMin || length > in.left()) return misfit("length");
  const Bytes rest(in.at + length, in.end);
  in.end = in.at + length;

  ++in.at;  // attributes: Kafka defines none and ignores them
  Result<RecordView> result{RecordView{}};
  RecordView& record = *result;
  std::int64_t delta = 0;
  std::int64_t sum = 0;
  if (!take_number(in, delta) || __builtin_add_overflow(base_timestamp.value(), delta, &sum)) {
    return misfit("timestamp delta");
  }
  record.timestamp = UnixMillis(sum);
  if (!take_number(in, delta) || delta < 0 || delta > std::numeric_limits<std::int32_t>::max() ||
      __builtin_add_overflow(base_offset.value(), delta, &sum)) {
    return misfit("offset delta");
  }
  record.offset = Offset(sum);
  if (!take_field(in, record.key, record.has_key)) return misfit("key length");
  if (!take_field(in, record.value, record.has_value)) return misfit("value length");
  if (!take_headers(in, record)) return misfit("header");
  if (in.at != in.end) return misfit("length: bytes after its headers");
  from = rest;
  return result;
}

}  // namespace minod
