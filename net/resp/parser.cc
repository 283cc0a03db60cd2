#include "net/resp/parser.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "net/resp/words.h"

namespace minod::resp {

namespace {

// A line such as "*3\r\n" or "$5\r\n". A line is whole when the byte after its CR has come; like Redis, we don't look
// at what that byte is.
struct LengthLine {
  enum class State : std::uint8_t { kWhole, kUnfinished, kTooLong };
  State state;
  bool valid = false;  // a decimal number as Redis writes one: no plus, no leading zero
  std::int64_t value = 0;
  std::size_t end = 0;
};

LengthLine read_unusual_line(std::string_view input, std::size_t begin, std::size_t size_max) {
  const std::size_t carriage_return = input.find('\r', begin);
  const bool found = carriage_return != std::string_view::npos;
  const std::size_t size = (found ? carriage_return : input.size()) - begin;
  if (size > size_max) return {LengthLine::State::kTooLong};
  if (!found || carriage_return + 1 == input.size()) return {LengthLine::State::kUnfinished};

  LengthLine line{LengthLine::State::kWhole, false, 0, carriage_return + 2};
  const char* const end = input.data() + carriage_return;
  const char* const digits = input.data() + std::min(begin + 1, carriage_return);
  const auto [stop, failure] = std::from_chars(digits, end, line.value);
  const bool one_digit = end - digits == 1;
  const bool leading_zero = digits != end && (*digits == '0' || (*digits == '-' && digits[1] == '0'));
  line.valid = failure == std::errc() && stop == end && (one_digit || !leading_zero);
  return line;
}

// The length line that begins at `begin`, where a '*' or '$' should stand.
inline LengthLine read_line(std::string_view input, std::size_t begin, std::size_t size_max) {
  // Nearly every length has at most eight digits and comes in one piece.
  constexpr std::size_t kDigitsUsual = 8;
  const char* const digits = input.data() + begin + 1;
  const char* const limit = digits + std::min(input.size() - begin - 1, kDigitsUsual);
  std::int64_t value = 0;
  const char* at = digits;
  for (; at != limit; ++at) {
    const unsigned digit = static_cast<unsigned char>(*at) - unsigned{'0'};
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  const std::size_t end = static_cast<std::size_t>(at - input.data()) + 2;
  const bool canonical = at != digits && (*digits != '0' || at == digits + 1);
  if (canonical && end <= input.size() && *at == '\r') [[likely]] {
    return {LengthLine::State::kWhole, true, value, end};
  }
  return read_unusual_line(input, begin, size_max);
}

// Browsers can be made to send requests to any port; their lines would run as inline commands (Redis's own defence).
bool from_browser(std::string_view command) {
  if (command.size() == 4) return strncasecmp(command.data(), "POST", 4) == 0;
  return command.size() == 5 && strncasecmp(command.data(), "Host:", 5) == 0;
}

}  // namespace

RequestParser::Status RequestParser::parse(std::string_view input, bool authenticated) {
  if (input.empty()) {
    missing_ = 1;
    return Status::kIncomplete;
  }
  const Status status = input.front() == '*' ? parse_multibulk(input, authenticated) : parse_inline(input);
  if (status != Status::kCommand || !from_browser(arguments_.front())) [[likely]] {
    return status;
  }
  const Status failure = fail(
      "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: "
      "commands, likely from a web page (Cross Protocol Scripting). Connection aborted");
  silent_ = true;
  return failure;
}

// Nearly every request: whole, few arguments, lengths as Redis writes them. It is parsed without keeping track, so that
// nothing has to be put back; false, and nothing has happened, when the request is not like that.
bool RequestParser::parse_usual(std::string_view input, bool authenticated) {
  constexpr std::size_t kCountBytes = 4;  // "*3\r\n"
  const auto digit_of = [](char c) { return static_cast<unsigned char>(c) - unsigned{'0'}; };
  if (!authenticated || remaining_ >= 0 || input.size() < kCountBytes || input[2] != '\r') return false;
  const unsigned count = digit_of(input[1]);
  if (count == 0 || count > 9 || count > limits_.argument_count_max) return false;
  const char* at = input.data() + kCountBytes;
  const char* const end = input.data() + input.size();
  arguments_.resize(count);
  for (std::string_view& argument : arguments_) {
    if (end - at < 2 || *at != '$') return false;
    std::size_t size = digit_of(at[1]);
    if (size > 9) return false;
    const bool zero = size == 0;
    for (at += 2; at != end && digit_of(*at) <= 9; ++at) {
      size = size * 10 + digit_of(*at);
      if (zero || size > limits_.bulk_bytes_max) return false;
    }
    if (size > limits_.bulk_bytes_max || static_cast<std::size_t>(end - at) < size + 4 || *at != '\r') return false;
    argument = {at + 2, size};
    at += size + 4;
  }
  consumed_ = static_cast<std::size_t>(at - input.data());
  return true;
}

RequestParser::Status RequestParser::parse_multibulk(std::string_view input, bool authenticated) {
  if (parse_usual(input, authenticated)) [[likely]] {
    return Status::kCommand;
  }
  if (remaining_ < 0) {
    const Status status = parse_count(input, authenticated);
    if (status != Status::kCommand) return status;
  }
  while (remaining_ > 0) {
    if (bulk_size_ < 0) {
      const Status status = parse_bulk_size(input, authenticated);
      if (status != Status::kCommand) return status;
    }
    const auto size = static_cast<std::size_t>(bulk_size_);
    if (input.size() - position_ < size + 2) {
      missing_ = size + 2 - (input.size() - position_);
      return Status::kIncomplete;
    }
    found_.push_back({position_, size});
    position_ += size + 2;
    bulk_size_ = -1;
    --remaining_;
  }
  arguments_.resize(found_.size());
  for (std::size_t i = 0; i != found_.size(); ++i) arguments_[i] = {input.data() + found_[i].begin, found_[i].size};
  consumed_ = position_;
  reset();
  return Status::kCommand;
}

// kCommand stands for: go on.
RequestParser::Status RequestParser::parse_count(std::string_view input, bool authenticated) {
  const LengthLine line = read_line(input, 0, limits_.inline_bytes_max);
  if (line.state == LengthLine::State::kTooLong) return fail("ERR Protocol error: too big mbulk count string");
  if (line.state == LengthLine::State::kUnfinished) {
    missing_ = 1;
    return Status::kIncomplete;
  }
  if (!line.valid || (line.value > 0 && static_cast<std::size_t>(line.value) > limits_.argument_count_max)) {
    return fail("ERR Protocol error: invalid multibulk length");
  }
  if (line.value <= 0) {
    consumed_ = line.end;
    reset();
    return Status::kEmpty;
  }
  if (!authenticated && static_cast<std::size_t>(line.value) > limits_.unauthenticated_argument_count_max) {
    return fail("ERR Protocol error: unauthenticated multibulk length");
  }
  position_ = line.end;
  remaining_ = line.value;
  return Status::kCommand;
}

// kCommand stands for: go on.
RequestParser::Status RequestParser::parse_bulk_size(std::string_view input, bool authenticated) {
  missing_ = 1;
  if (position_ == input.size()) return Status::kIncomplete;
  const LengthLine line = read_line(input, position_, limits_.inline_bytes_max);
  if (line.state == LengthLine::State::kTooLong) return fail("ERR Protocol error: too big bulk count string");
  if (line.state == LengthLine::State::kUnfinished) return Status::kIncomplete;
  if (input[position_] != '$') {
    return fail(std::string("ERR Protocol error: expected '$', got '") + input[position_] + "'");
  }
  if (!line.valid || line.value < 0 || static_cast<std::size_t>(line.value) > limits_.bulk_bytes_max) {
    return fail("ERR Protocol error: invalid bulk length");
  }
  if (!authenticated && static_cast<std::size_t>(line.value) > limits_.unauthenticated_bulk_bytes_max) {
    return fail("ERR Protocol error: unauthenticated bulk length");
  }
  position_ = line.end;
  bulk_size_ = line.value;
  return Status::kCommand;
}

RequestParser::Status RequestParser::parse_inline(std::string_view input) {
  const std::size_t newline = input.find('\n', position_);
  const bool found = newline != std::string_view::npos;
  if ((found ? newline : input.size()) > limits_.inline_bytes_max) {
    return fail("ERR Protocol error: too big inline request");
  }
  if (!found) {
    position_ = input.size();
    missing_ = 1;
    return Status::kIncomplete;
  }
  const std::string_view line = input.substr(0, newline);
  if (line.find_first_of("\"'") == std::string_view::npos) {
    split_plain_words(line, arguments_);
  } else {
    if (!split_words(line, unquoted_)) return fail("ERR Protocol error: unbalanced quotes in request");
    arguments_.assign(unquoted_.begin(), unquoted_.end());
  }
  consumed_ = newline + 1;
  reset();
  return arguments_.empty() ? Status::kEmpty : Status::kCommand;
}

RequestParser::Status RequestParser::fail(std::string text) {
  error_ = std::move(text);
  silent_ = false;
  consumed_ = 0;
  arguments_.clear();
  reset();
  return Status::kError;
}

void RequestParser::reset() {
  found_.clear();
  position_ = 0;
  remaining_ = -1;
  bulk_size_ = -1;
}

}  // namespace minod::resp
