// A connection to a server under test that shows replies as the bytes they came in, so that two servers can be compared
// to the byte. Blocking, with a time limit on everything.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_queue.h"
#include "base/fd.h"
#include "net/resp/value.h"

namespace minod::live {

using Arguments = std::vector<std::string>;

class Wire {
 public:
  static std::optional<Wire> connect(std::uint16_t port, std::chrono::milliseconds timeout = std::chrono::seconds(20));

  void queue(std::span<const std::string_view> arguments);
  void queue(const Arguments& arguments);
  bool flush();                          // false: the connection broke
  bool send(std::string_view bytes);     // as they are
  std::optional<std::string> receive();  // one reply; nothing: the connection broke, or nothing came in time

  // Nothing: as above.
  std::optional<std::string> call(std::initializer_list<std::string_view> arguments);
  std::optional<std::string> call(const Arguments& arguments);

  int fd() const { return fd_.get(); }
  void close() { fd_ = Fd(); }

 private:
  explicit Wire(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
  ByteQueue out_;
  ByteQueue in_;
  resp::ValueScanner scanner_;
};

// "$5\r\nhello\r\n" and the like, for comparisons.
std::string bulk(std::string_view text);
inline constexpr std::string_view kOk = "+OK\r\n";
inline constexpr std::string_view kNull = "$-1\r\n";  // RESP2's

// For messages: line ends and other bytes that are not text are escaped, and what is long is cut.
std::string shown(std::string_view bytes, std::size_t size_max = 200);
std::string shown(const Arguments& arguments);

}  // namespace minod::live
