// The complete requests at the front of a connection's input, parsed before the first of them runs, so that the memory
// that all of them will touch can be on its way at once: a dependent load from RAM costs twenty times an independent
// one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "net/resp/parser.h"
#include "store/command.h"

namespace minod::resp {

class Lookahead {
 public:
  static constexpr std::size_t kRequestsMax = 32;

  struct Request {
    std::vector<std::string_view> args;  // empty: an empty line, which is no command
    std::size_t consumed = 0;
    bool in_input = false;  // the arguments are views of the input
    // Where a request on the keys of one partition runs, when that was looked up; see Session::spread().
    const CommandSpec* spec = nullptr;
    std::uint16_t partition = 0;
    int owner = 0;
  };

  // Parses requests from `input`, which holds them until each has been popped: up to `most`, or the first that the
  // parser has to keep memory for. Returns why it stopped; kCommand when the reason is the number. Only when empty().
  RequestParser::Status fill(RequestParser& parser, std::string_view input, bool authenticated, std::size_t most) {
    next_ = count_ = known_ = 0;
    std::size_t position = 0;
    while (count_ < most && count_ < kRequestsMax) {
      const std::string_view rest = input.substr(position);
      const RequestParser::Status status = parser.parse(rest, authenticated);
      if (status != RequestParser::Status::kCommand && status != RequestParser::Status::kEmpty) return status;
      Request& request = requests_[count_++];
      request.args.clear();
      if (status == RequestParser::Status::kCommand) request.args = parser.arguments();
      request.consumed = parser.consumed();
      position += request.consumed;
      request.in_input = !request.args.empty() && within(request.args.front(), rest);
      if (!request.args.empty() && !request.in_input) break;
    }
    return RequestParser::Status::kCommand;
  }

  bool empty() const { return next_ == count_; }
  std::size_t size() const { return count_ - next_; }
  const Request& operator[](std::size_t i) const { return requests_[next_ + i]; }
  Request& operator[](std::size_t i) { return requests_[next_ + i]; }
  const Request& front() const { return requests_[next_]; }
  void pop() { ++next_; }
  void clear() { next_ = count_ = known_ = 0; }

  // That the first `count` requests need not be spread: each is run by itself.
  void know(std::size_t count) { known_ = next_ + count; }
  bool front_is_known() const { return next_ < known_; }

 private:
  static bool within(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() <= whole.data() + whole.size();
  }

  std::array<Request, kRequestsMax> requests_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::size_t known_ = 0;
};

}  // namespace minod::resp
