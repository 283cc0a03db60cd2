// The request parser on bytes that come in pieces, which the first bytes choose; and the same bytes as a reply.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "net/resp/parser.h"
#include "net/resp/value.h"

namespace minod::resp {

namespace {

constexpr std::size_t kChoices = 8;  // bytes of the input that choose the pieces

using Commands = std::vector<std::vector<std::string>>;

// Parses all that has come so far; false after an error.
bool drain(RequestParser& parser, std::string& input, bool authenticated, Commands& commands) {
  for (;;) {
    const RequestParser::Status status = parser.parse(input, authenticated);
    if (status == RequestParser::Status::kError) return false;
    if (status == RequestParser::Status::kIncomplete) {
      check(parser.missing() > 0, "more is wanted after kIncomplete");
      return true;
    }
    check(parser.consumed() > 0 && parser.consumed() <= input.size(), "consumed is within the input");
    if (status == RequestParser::Status::kCommand) {
      check(!parser.arguments().empty(), "a command has a name");
      commands.emplace_back(parser.arguments().begin(), parser.arguments().end());
    }
    input = input.substr(parser.consumed());
  }
}

void parse_requests(std::string_view choices, std::string_view bytes) {
  const bool authenticated = (choices[0] & 1) != 0;
  RespLimits limits;
  limits.inline_bytes_max = 64;
  limits.bulk_bytes_max = 1024;

  Commands whole;
  RequestParser at_once(limits);
  std::string input(bytes);
  const bool whole_succeeded = drain(at_once, input, authenticated, whole);

  Commands pieces;
  RequestParser in_pieces(limits);
  std::string come;
  bool succeeded = true;
  for (std::size_t turn = 0; !bytes.empty() && succeeded; ++turn) {
    const std::string_view piece = bytes.substr(0, 1 + static_cast<unsigned char>(choices[turn % kChoices]) % 16);
    come += piece;
    bytes.remove_prefix(piece.size());
    succeeded = drain(in_pieces, come, authenticated, pieces);
  }
  check(succeeded == whole_succeeded, "pieces fail when the whole does");
  check(pieces == whole, "pieces give the commands of the whole");
  if (!succeeded) check(in_pieces.error() == at_once.error(), "pieces give the error of the whole");
}

void parse_reply(std::string_view bytes) {
  std::size_t used = 0;
  const Result<Value> value = parse_value(bytes, used);
  ValueScanner scanner;
  const Result<std::size_t> size = scanner.scan(bytes);
  if (value) check(size && *size == used && used <= bytes.size(), "the scanner finds the end that the parser finds");
}

}  // namespace

}  // namespace minod::resp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  minod::resp::parse_reply(bytes);
  if (size >= minod::resp::kChoices) {
    minod::resp::parse_requests(bytes.substr(0, minod::resp::kChoices), bytes.substr(minod::resp::kChoices));
  }
  return 0;
}
