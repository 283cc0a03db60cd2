// Where a reply ends. Replies are counted and timed, not looked at: a value's bytes are passed over by their number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace minod::bench {

// Any RESP2 or RESP3 reply, however it is cut into pieces; keeps no bytes but the beginning of an error.
class ReplySkipper {
 public:
  enum class Status : std::uint8_t { kMore, kReply, kMalformed };

  // Looks at the front of `input` and sets `used` to what it needs no more: up to the end of one reply at most. After
  // kMalformed the stream is lost.
  Status skip(std::string_view input, std::size_t& used);

  // Of the reply that kReply was said of, until the next skip().
  bool is_error() const { return error_size_ != 0; }
  std::string_view error() const { return {error_.data(), error_size_}; }  // without '-', possibly cut
  std::uint64_t null_count() const { return nulls_; }                      // of itself or its elements

 private:
  enum class State : std::uint8_t { kType, kLine, kNumber, kBody };

  void begin();
  bool take_type(char type);
  void take_line(std::string_view input, std::size_t& used);
  bool take_number(std::string_view input, std::size_t& used);
  bool number_ended();
  void element_ended();

  State state_ = State::kType;
  char type_ = 0;
  bool finished_ = true;  // the next byte starts a new reply
  bool negative_ = false;
  std::uint64_t elements_ = 0;  // still to come, the current one included
  std::uint64_t number_ = 0;
  std::uint64_t body_ = 0;  // bytes still to pass over, CRLF included
  std::uint64_t nulls_ = 0;
  std::size_t error_size_ = 0;
  std::array<char, 96> error_{};
};

// The bulk strings and nulls, in order, of a complete reply: of a GET one, of an MGET one for each key. Other types are
// left out. The views point into `reply`.
std::vector<std::optional<std::string_view>> bulk_strings(std::string_view reply);

}  // namespace minod::bench
