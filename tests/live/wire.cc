#include "tests/live/wire.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cstdio>

#include "net/resp/client.h"
#include "net/resp/connect.h"

namespace minod::live {

std::optional<Wire> Wire::connect(std::uint16_t port, std::chrono::milliseconds timeout) {
  resp::Address address;
  address.port = port;
  auto fd = resp::connect_socket(address, timeout);
  if (!fd) return std::nullopt;
  const timeval patience{timeout.count() / 1000, timeout.count() % 1000 * 1000};
  setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd->get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return Wire(std::move(*fd));
}

void Wire::queue(std::span<const std::string_view> arguments) { resp::append_request(out_, arguments); }

void Wire::queue(const Arguments& arguments) {
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  queue(std::span(views));
}

bool Wire::flush() {
  const bool sent = send(out_.view());
  out_.clear();
  return sent;
}

bool Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<std::string> Wire::receive() {
  constexpr std::size_t kChunk = 64 * 1024;
  for (;;) {
    const auto size = scanner_.scan(in_.view());
    if (size) {
      std::string reply(in_.view().substr(0, *size));
      in_.consume(*size);
      return reply;
    }
    if (size.error().code != Errc::kEnd) return std::nullopt;
    const ssize_t got = recv(fd_.get(), in_.reserve(kChunk), kChunk, 0);
    if (got <= 0) return std::nullopt;
    in_.grew(static_cast<std::size_t>(got));
  }
}

std::optional<std::string> Wire::call(std::initializer_list<std::string_view> arguments) {
  queue(std::span(arguments.begin(), arguments.size()));
  if (!flush()) return std::nullopt;
  return receive();
}

std::optional<std::string> Wire::call(const Arguments& arguments) {
  queue(arguments);
  if (!flush()) return std::nullopt;
  return receive();
}

std::string bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string shown(std::string_view bytes, std::size_t size_max) {
  std::string text;
  for (const char c : bytes.substr(0, size_max)) {
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c < ' ' || c > '~' || c == '\\' || c == '"') {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
      text += escaped;
    } else {
      text += c;
    }
  }
  if (bytes.size() > size_max) text += "... (" + std::to_string(bytes.size()) + " bytes)";
  return text;
}

std::string shown(const Arguments& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += (text.empty() ? "\"" : " \"") + shown(argument, 80) + "\"";
  return text;
}

}  // namespace minod::live
