// Parts of a value. What changes a part writes the whole value again, and keeps its time to live.
#include <algorithm>

#include "store/argument.h"
#include "store/call.h"
#include "store/commands.h"

namespace minod::commands {

namespace {

bool size_fits(Call& call, std::size_t size, std::size_t more) {
  const std::size_t limit = call.value_size_max();
  if (size <= limit && more <= limit - size) return true;
  call.reply().error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return false;
}

// Both ends are included and count from the end when negative.
std::string_view part_of(std::string_view bytes, std::int64_t first, std::int64_t last) {
  if (first < 0 && last < 0 && first > last) return {};
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (first < 0) first = std::max<std::int64_t>(size + first, 0);
  if (last < 0) last = std::max<std::int64_t>(size + last, 0);
  last = std::min(last, size - 1);
  if (first > last) return {};
  return bytes.substr(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first + 1));
}

void put_and_reply_size(Call& call, std::string_view value, UnixMillis expires_at) {
  if (call.put(call[1], value, expires_at)) call.reply().integer(static_cast<std::int64_t>(value.size()));
}

}  // namespace

void getrange(Call& call) {
  const auto first = integer_argument(call, 2);
  if (!first) return;
  const auto last = integer_argument(call, 3);
  if (!last) return;
  const Value* value = call.find(call[1]);
  if (call.parked()) return;
  call.reply().bulk(value ? part_of(value->bytes, *first, *last) : std::string_view());
}

void setrange(Call& call) {
  const auto offset = integer_argument(call, 2);
  if (!offset) return;
  if (*offset < 0) return call.reply().error("ERR offset is out of range");
  const std::string_view patch = call[3];
  const Value* value = call.find(call[1]);
  if (call.parked()) return;
  const std::string_view old = value ? value->bytes : std::string_view();
  if (patch.empty()) return call.reply().integer(static_cast<std::int64_t>(old.size()));
  const auto position = static_cast<std::size_t>(*offset);
  if (!size_fits(call, position, patch.size())) return;
  std::string& bytes = call.scratch();
  bytes = old;
  if (bytes.size() < position + patch.size()) bytes.resize(position + patch.size(), '\0');
  std::copy(patch.begin(), patch.end(), bytes.begin() + static_cast<std::ptrdiff_t>(position));
  put_and_reply_size(call, bytes, value ? value->expires_at : kNeverExpires);
}

void append(Call& call) {
  const Value* value = call.find(call[1]);
  if (call.parked()) return;
  if (!value) return put_and_reply_size(call, call[2], kNeverExpires);
  if (!size_fits(call, value->bytes.size(), call[2].size())) return;
  std::string& bytes = call.scratch();
  bytes.reserve(value->bytes.size() + call[2].size());
  bytes = value->bytes;
  bytes += call[2];
  put_and_reply_size(call, bytes, value->expires_at);
}

}  // namespace minod::commands
