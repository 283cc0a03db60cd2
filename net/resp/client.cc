#include "net/resp/client.h"

#include <charconv>

namespace minod::resp {

namespace {

void append_length(ByteQueue& out, char type, std::size_t length) {
  char* const start = out.reserve(24);
  *start = type;
  char* at = std::to_chars(start + 1, start + 22, length).ptr;
  *at++ = '\r';
  *at++ = '\n';
  out.grew(static_cast<std::size_t>(at - start));
}

}  // namespace

void append_request(ByteQueue& out, std::span<const std::string_view> arguments) {
  append_length(out, '*', arguments.size());
  for (const std::string_view argument : arguments) {
    append_length(out, '$', argument.size());
    if (!argument.empty()) out.append(argument);
    out.append("\r\n");
  }
}

}  // namespace minod::resp
