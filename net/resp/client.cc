#include "net/resp/client.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>

#include "net/limits.h"
#include "net/resp/connect.h"

namespace minod::resp {

namespace {

void append_length(ByteQueue& out, char type, std::size_t length) {
  char* const start = out.reserve(24);
  *start = type;
  char* at = std::to_chars(start + 1, start + 22, length).ptr;
  *at++ = '\r';
  *at++ = '\n';
  out.grew(static_cast<std::size_t>(at - start));
}

// 0 means without end.
void limit_reads(int fd, std::chrono::milliseconds timeout) {
  timeval limit{};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_usec = timeout.count() % 1000 * 1000;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

}  // namespace

void append_request(ByteQueue& out, std::span<const std::string_view> arguments) {
  append_length(out, '*', arguments.size());
  for (const std::string_view argument : arguments) {
    append_length(out, '$', argument.size());
    if (!argument.empty()) out.append(argument);
    out.append("\r\n");
  }
}

Result<Client> Client::connect(const Address& address, int protocol, std::chrono::milliseconds timeout) {
  Result<Fd> fd = connect_socket(address, timeout);
  if (!fd) return fd.error();
  Client client(std::move(*fd));
  limit_reads(client.fd(), timeout);
  const Result<void> greeted = client.greet(address, protocol);
  if (!greeted) return greeted.error();
  limit_reads(client.fd(), std::chrono::milliseconds(0));
  return client;
}

Result<void> Client::greet(const Address& address, int protocol) {
  const bool login = !address.password.empty();
  std::vector<std::string_view> words;
  if (protocol == 3) {
    words = {"HELLO", "3"};
    const std::string_view user = address.user.empty() ? std::string_view("default") : address.user;
    if (login) words.insert(words.end(), {"AUTH", user, address.password});
  } else if (login) {
    words = {"AUTH"};
    if (!address.user.empty()) words.push_back(address.user);
    words.push_back(address.password);
  }
  if (!words.empty()) {
    const Result<void> done = expect_success(words);
    if (!done) return done.error();
  }
  if (address.db == 0) return {};
  const std::string db = std::to_string(address.db);
  const std::string_view select[] = {"SELECT", db};
  return expect_success(select);
}

Result<void> Client::expect_success(std::span<const std::string_view> arguments) {
  const Result<Value> reply = call(arguments);
  if (!reply) return reply.error();
  if (reply->is_error()) return Error{Errc::kInvalid, 0, std::string(arguments.front()) + ": " + reply->text};
  return {};
}

Result<Value> Client::call(std::span<const std::string_view> arguments) {
  queue(arguments);
  const Result<void> sent = flush();
  if (!sent) return sent.error();
  return receive();
}

// Reads while it can't write: a server that answers before it has read the whole pipeline would otherwise wait for us
// as we wait for it.
Result<void> Client::flush() {
  while (!out_.empty()) {
    const ssize_t sent = send(fd(), out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      out_.consume(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return errno_error("send to the server", errno);
    pollfd waited{fd(), POLLIN | POLLOUT, 0};
    if (poll(&waited, 1, -1) < 0 && errno != EINTR) return errno_error("send to the server", errno);
    if ((waited.revents & POLLIN) != 0) {
      const Result<void> read = read_some();
      if (!read) return read.error();
    }
  }
  return {};
}

Result<Value> Client::receive() {
  for (;;) {
    const Result<std::size_t> size = scanner_.scan(in_.view());
    if (size) break;
    if (size.error().code != Errc::kEnd) return size.error();
    const Result<void> read = read_some();
    if (!read) return read.error();
  }
  std::size_t used = 0;
  Result<Value> value = parse_value(in_.view(), used);
  in_.consume(used);
  return value;
}

Result<void> Client::read_some() {
  char* const at = in_.reserve(kReadChunkBytes);
  for (;;) {
    const ssize_t count = recv(fd(), at, in_.room(), 0);
    if (count > 0) {
      in_.grew(static_cast<std::size_t>(count));
      return {};
    }
    if (count == 0) return Error{Errc::kIo, 0, "the server closed the connection"};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return errno_error("receive from the server", ETIMEDOUT);
    if (errno != EINTR) return errno_error("receive from the server", errno);
  }
}

}  // namespace minod::resp
