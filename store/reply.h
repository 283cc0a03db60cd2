// What a command answers, encoded as it is built. The value model is Redis's (docs/PROTOCOLS.md): RESP2 and RESP3 are
// its two encodings and differ in nulls, maps, doubles, booleans, verbatim strings and pushes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_queue.h"

namespace minod {

enum class Protocol : std::uint8_t { kResp2 = 2, kResp3 = 3 };

// Appends to a queue that it does not own. The caller keeps counts right: array(2) is followed by two values.
class Reply {
 public:
  Reply(ByteQueue& out, Protocol protocol) : out_(out), protocol_(protocol) {}

  Protocol protocol() const { return protocol_; }
  void set_protocol(Protocol protocol) { protocol_ = protocol; }

  void ok() { out_.append("+OK\r\n"); }
  void simple(std::string_view text);  // "+PONG"; no CR or LF inside
  void error(std::string_view text);   // with its code: "ERR syntax error"; CR and LF become spaces
  void integer(std::int64_t value);
  void bulk(std::string_view bytes);
  void null();        // $-1, or _ in RESP3
  void null_array();  // *-1, or _ in RESP3
  void array(std::size_t count);
  void map(std::size_t pairs);           // an array of 2 * pairs in RESP2
  void set(std::size_t count);           // an array in RESP2
  void push(std::size_t count);          // an array in RESP2
  void real(double value);               // a bulk string in RESP2
  void boolean(bool value);              // 1 or 0 in RESP2
  void verbatim(std::string_view text);  // a bulk string in RESP2; "txt" in RESP3

  std::size_t errors() const { return errors_; }  // how many error() calls so far

 private:
  void header(char type, std::int64_t number);

  ByteQueue& out_;
  Protocol protocol_;
  std::size_t errors_ = 0;
};

}  // namespace minod
