#include "tools/bench_reply.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace minod::bench {

namespace {

// A real reply has far fewer; this keeps sums of counts far from overflow.
constexpr std::uint64_t kNumberMax = std::numeric_limits<std::uint32_t>::max();

// The size of the reply at the front of `input` when it is +OK or a bulk string, and whole; 0 when it is not, or when
// it has to be looked at more closely.
std::size_t plain_reply_size(std::string_view input) {
  constexpr std::string_view kOk = "+OK\r\n";
  if (input.starts_with(kOk)) return kOk.size();
  if (input.front() != '$') return 0;
  std::size_t size = 0;
  std::size_t at = 1;
  constexpr std::size_t kDigitsMax = 8;
  const std::size_t end = std::min(input.size(), kDigitsMax);
  for (; at < end && input[at] >= '0' && input[at] <= '9'; ++at) {
    size = size * 10 + static_cast<std::size_t>(input[at] - '0');
  }
  if (at == 1 || at == end || input[at] != '\r') return 0;
  size += at + 4;
  return size <= input.size() ? size : 0;
}

}  // namespace

void ReplySkipper::begin() {
  finished_ = false;
  elements_ = 1;
}

ReplySkipper::Status ReplySkipper::skip(std::string_view input, std::size_t& used) {
  used = 0;
  if (finished_ && !input.empty()) {
    nulls_ = 0;
    error_size_ = 0;
    used = plain_reply_size(input);
    if (used != 0) return Status::kReply;
    begin();
  }
  while (used < input.size()) {
    switch (state_) {
      case State::kType:
        if (!take_type(input[used++])) return Status::kMalformed;
        break;
      case State::kLine:
        take_line(input, used);
        break;
      case State::kNumber:
        if (!take_number(input, used)) return Status::kMalformed;
        break;
      case State::kBody: {
        const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(body_, input.size() - used));
        used += size;
        body_ -= size;
        if (body_ == 0) element_ended();
        break;
      }
    }
    if (finished_) return Status::kReply;
  }
  return Status::kMore;
}

bool ReplySkipper::take_type(char type) {
  type_ = type;
  number_ = 0;
  negative_ = false;
  switch (type) {
    case '+':
    case '-':
    case ':':
    case ',':
    case '#':
    case '(':
      state_ = State::kLine;
      return true;
    case '_':
      ++nulls_;
      state_ = State::kLine;
      return true;
    case '$':
    case '=':
    case '!':
    case '*':
    case '~':
    case '>':
    case '%':
      state_ = State::kNumber;
      return true;
    default:
      return false;
  }
}

void ReplySkipper::take_line(std::string_view input, std::size_t& used) {
  const char* from = input.data() + used;
  const std::size_t left = input.size() - used;
  const auto* end = static_cast<const char*>(std::memchr(from, '\n', left));
  const std::size_t size = end == nullptr ? left : static_cast<std::size_t>(end - from);
  if (type_ == '-') {
    const std::size_t kept = std::min(size, error_.size() - error_size_);
    std::memcpy(error_.data() + error_size_, from, kept);
    error_size_ += kept;
  }
  used += size;
  if (end == nullptr) return;
  ++used;
  if (error_size_ != 0 && error_[error_size_ - 1] == '\r') --error_size_;
  if (type_ == '-' && error_size_ == 0) error_[error_size_++] = '?';  // "-\r\n" is an error too
  element_ended();
}

bool ReplySkipper::take_number(std::string_view input, std::size_t& used) {
  while (used < input.size()) {
    const char c = input[used++];
    if (c == '\n') return number_ended();
    if (c == '\r') continue;
    if (c == '-' && number_ == 0) {
      negative_ = true;
    } else if (c >= '0' && c <= '9') {
      number_ = number_ * 10 + static_cast<std::uint64_t>(c - '0');
      if (number_ > kNumberMax) return false;
    } else {
      return false;
    }
  }
  return true;
}

bool ReplySkipper::number_ended() {
  if (negative_) {
    ++nulls_;
    element_ended();
    return true;
  }
  if (type_ == '$' || type_ == '=' || type_ == '!') {
    body_ = number_ + 2;
    state_ = State::kBody;
    return true;
  }
  elements_ += type_ == '%' ? 2 * number_ : number_;
  element_ended();
  return elements_ <= kNumberMax;
}

void ReplySkipper::element_ended() {
  state_ = State::kType;
  if (--elements_ == 0) finished_ = true;
}

std::vector<std::optional<std::string_view>> bulk_strings(std::string_view reply) {
  std::vector<std::optional<std::string_view>> found;
  while (!reply.empty()) {
    const auto line = reply.find("\r\n");
    if (line == std::string_view::npos) break;
    const char type = reply.front();
    long long size = -1;
    std::from_chars(reply.data() + 1, reply.data() + line, size);
    reply.remove_prefix(line + 2);
    if (type == '_' || (type == '$' && size < 0)) {
      found.emplace_back();
    } else if (type == '$') {
      const auto body = static_cast<std::size_t>(size);
      found.emplace_back(reply.substr(0, body));
      reply.remove_prefix(std::min(body + 2, reply.size()));
    }
  }
  return found;
}

}  // namespace minod::bench
