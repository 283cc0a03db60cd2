#include "tools/cli_pipe.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

#include "base/byte_queue.h"
#include "base/random.h"
#include "net/limits.h"
#include "net/resp/value.h"
#include "tools/cli_options.h"

namespace minod {

namespace {

class Transfer {
 public:
  explicit Transfer(int fd) : fd_(fd), farewell_(random_word()) {}

  Result<void> run() {
    while (!done_) {
      const bool reading = !stdin_ended_ && out_.empty();
      pollfd waited[2] = {{fd_, static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0},
                          {reading ? STDIN_FILENO : -1, POLLIN, 0}};
      if (poll(waited, 2, -1) < 0) {
        if (errno == EINTR) continue;
        return errno_error("wait for the server", errno);
      }
      Result<void> step = {};
      if (waited[0].revents != 0) step = receive();
      if (step && !done_ && !out_.empty()) step = send_some();
      if (step && waited[1].revents != 0) step = read_stdin();
      if (!step) return step;
    }
    return {};
  }

  std::uint64_t replies() const { return replies_; }
  std::uint64_t errors() const { return errors_; }

 private:
  static std::string random_word() {
    std::random_device device;
    Random random(std::uint64_t{device()} << 32 | device());
    std::string word;
    for (int i = 0; i != 20; ++i) word += static_cast<char>('a' + random.below(26));
    return word;
  }

  Result<void> read_stdin() {
    const ssize_t count = read(STDIN_FILENO, out_.reserve(kReadChunkBytes), kReadChunkBytes);
    if (count < 0) {
      if (errno == EINTR) return {};
      return errno_error("read stdin", errno);
    }
    out_.grew(static_cast<std::size_t>(count));
    if (count != 0) return {};
    stdin_ended_ = true;
    const std::string_view echo[] = {"ECHO", farewell_};
    resp::append_request(out_, echo);
    std::puts("All data transferred. Waiting for the last reply...");
    return {};
  }

  Result<void> send_some() {
    const ssize_t count = send(fd_, out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) out_.consume(static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      return errno_error("send to the server", errno);
    }
    return {};
  }

  Result<void> receive() {
    const ssize_t count = recv(fd_, in_.reserve(kReadChunkBytes), kReadChunkBytes, MSG_DONTWAIT);
    if (count == 0) return Error{Errc::kIo, 0, "the server closed the connection"};
    if (count < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
      return errno_error("receive from the server", errno);
    }
    in_.grew(static_cast<std::size_t>(count));
    for (;;) {
      const Result<std::size_t> size = scanner_.scan(in_.view());
      if (!size && size.error().code == Errc::kEnd) return {};
      if (!size) return size.error();
      take(in_.view().substr(0, *size));
      in_.consume(*size);
    }
  }

  void take(std::string_view reply) {
    if (stdin_ended_ && reply == "$20\r\n" + farewell_ + "\r\n") {
      std::puts("Last reply received from server.");
      done_ = true;
      return;
    }
    ++replies_;
    if (reply.front() != '-' && reply.front() != '!') return;
    ++errors_;
    std::fprintf(stderr, "%.*s\n", static_cast<int>(reply.size() - 3), reply.data() + 1);
  }

  int fd_;
  std::string farewell_;
  ByteQueue out_;
  ByteQueue in_;
  resp::ValueScanner scanner_;
  bool stdin_ended_ = false;
  bool done_ = false;
  std::uint64_t replies_ = 0;
  std::uint64_t errors_ = 0;
};

}  // namespace

int transfer_stdin(resp::Client& client) {
  Transfer transfer(client.fd());
  const Result<void> ran = transfer.run();
  if (!ran) {
    std::fprintf(stderr, "The transfer broke after %llu replies: %s; look at the server's log, then send the rest\n",
                 static_cast<unsigned long long>(transfer.replies()), ran.error().message().c_str());
    return kExitConnection;
  }
  std::printf("errors: %llu, replies: %llu\n", static_cast<unsigned long long>(transfer.errors()),
              static_cast<unsigned long long>(transfer.replies()));
  return transfer.errors() == 0 ? kExitOk : kExitErrorReply;
}

}  // namespace minod
