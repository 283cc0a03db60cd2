#include "log/together.h"

#include "base/bytes.h"
#include "base/endian.h"

namespace minod {

std::string encode_together(const std::vector<LogReach>& logs) {
  std::string value(logs.size() * kLogReachSize, '\0');
  std::byte* at = reinterpret_cast<std::byte*>(value.data());
  for (const LogReach& log : logs) {
    store_big(at, log.db);
    store_big(at + 2, log.number);
    store_big(at + 4, log.end.value());
    at += kLogReachSize;
  }
  return value;
}

std::vector<LogReach> decode_together(std::string_view value) {
  std::vector<LogReach> logs;
  const Bytes bytes = as_bytes(value);
  for (std::size_t at = 0; at + kLogReachSize <= bytes.size(); at += kLogReachSize) {
    logs.push_back(LogReach{load_big<std::int16_t>(bytes.data() + at), load_big<std::int16_t>(bytes.data() + at + 2),
                            Offset(load_big<std::int64_t>(bytes.data() + at + 4))});
  }
  return logs;
}

}  // namespace minod
