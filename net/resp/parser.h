// Requests of the Redis protocol, from bytes as they come. Knows no socket. Never allocates by a length that the peer
// declares: what is kept grows with what has come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/limits.h"

namespace minod::resp {

class RequestParser {
 public:
  enum class Status : std::uint8_t {
    kCommand,     // arguments() is one command; it used consumed() bytes
    kEmpty,       // an empty line or *0: no command and no reply; it used consumed() bytes
    kIncomplete,  // more bytes are needed; call again with the same beginning and more
    kError,       // error() is Redis's text, to be sent as the last reply before the connection is closed
  };

  explicit RequestParser(const RespLimits& limits) : limits_(limits) {}

  // Looks at `input`, the bytes from the first that no earlier command used. After kIncomplete, remembers where it was,
  // so that a large request is not parsed again from its start: the next call must pass the same bytes, longer.
  Status parse(std::string_view input, bool authenticated);

  // After kCommand: views of the input given to parse(), or for inline commands with quotes, of memory kept here. Valid
  // until the next parse() and while the input stays where it is.
  const std::vector<std::string_view>& arguments() const { return arguments_; }
  std::size_t consumed() const { return consumed_; }

  // After kIncomplete: at least this many more bytes are needed; a hint for the next read, 1 when unknown.
  std::size_t missing() const { return missing_; }

  const std::string& error() const { return error_; }
  bool silent() const { return silent_; }  // error() is for the log only: close without a reply, as Redis does

 private:
  struct Argument {
    std::size_t begin;
    std::size_t size;
  };

  bool parse_usual(std::string_view input, bool authenticated);
  Status parse_multibulk(std::string_view input, bool authenticated);
  Status parse_count(std::string_view input, bool authenticated);
  Status parse_bulk_size(std::string_view input, bool authenticated);
  Status parse_inline(std::string_view input);
  Status fail(std::string text);
  void reset();

  const RespLimits& limits_;
  std::vector<std::string_view> arguments_;
  std::vector<Argument> found_;  // of the unfinished command, as positions in the input
  std::vector<std::string> unquoted_;
  std::size_t position_ = 0;     // in the input: what has been looked at
  std::int64_t remaining_ = -1;  // arguments still to come; -1: the count has not been read
  std::int64_t bulk_size_ = -1;  // of the argument being read; -1: its length has not been read
  std::size_t consumed_ = 0;
  std::size_t missing_ = 1;
  std::string error_;
  bool silent_ = false;
};

}  // namespace minod::resp
