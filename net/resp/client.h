// A blocking Redis-protocol client: minod-cli, minod-replay, minod-bench's set-up, and tests. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_queue.h"
#include "base/fd.h"
#include "base/result.h"
#include "net/resp/value.h"

namespace minod::resp {

// Where a server is and how to log in: redis://[[user]:password@]host[:port][/db] or unix:///path[?db=n].
struct Address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string unix_path;  // used when not empty
  std::string user;
  std::string password;
  int db = 0;
};
Result<Address> parse_address(std::string_view url);

// Appends a request of these arguments to `out`.
void append_request(ByteQueue& out, std::span<const std::string_view> arguments);

class Client {
 public:
  // Connects, and sends HELLO (when protocol is 3) or AUTH, and SELECT, as the address asks; an error reply to one of
  // them is kInvalid here. The timeout is for each of the two steps.
  static Result<Client> connect(const Address& address, int protocol = 2,
                                std::chrono::milliseconds timeout = std::chrono::seconds(5));

  // Sends one command and waits for its reply. Error replies are Values; a Result error means that the connection
  // broke.
  Result<Value> call(std::span<const std::string_view> arguments);
  Result<Value> call(std::initializer_list<std::string_view> arguments) {
    return call(std::span(arguments.begin(), arguments.size()));
  }

  // For pipelines: queue(), flush(), then one receive() for each.
  void queue(std::span<const std::string_view> arguments) { append_request(out_, arguments); }
  std::size_t queued_bytes() const { return out_.size(); }
  Result<void> flush();
  Result<Value> receive();

  int fd() const { return fd_.get(); }

 private:
  explicit Client(Fd fd) : fd_(std::move(fd)) {}

  Result<void> greet(const Address& address, int protocol);
  Result<void> expect_success(std::span<const std::string_view> arguments);
  Result<void> read_some();

  Fd fd_;
  ByteQueue out_;
  ByteQueue in_;
  ValueScanner scanner_;
};

}  // namespace minod::resp
