#include "net/peer/peer_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>

namespace minod {

namespace {

Error socket_failure(int sys) {
  if (sys == EAGAIN || sys == EWOULDBLOCK) return Error{Errc::kBusy, 0, ""};
  return errno_error("the connection broke", sys);
}

int size_for_tls(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

Error PeerStream::tls_failure(int result) const {
  const int sys = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Error{Errc::kBusy, 0, ""};
    case SSL_ERROR_ZERO_RETURN:
      return Error{Errc::kEnd, 0, "the other end closed the connection"};
    case SSL_ERROR_SYSCALL:
      if (sys == 0) return Error{Errc::kEnd, 0, "the other end closed the connection"};
      return errno_error("the connection broke", sys);
    default:
      break;
  }
  const long verified = SSL_get_verify_result(ssl_.get());
  std::string why = "TLS failed";
  if (verified != X509_V_OK) {
    why = std::string("the other's certificate is not accepted: ") + X509_verify_cert_error_string(verified) +
          " (check the peer-tls options of both nodes)";
  } else if (const char* const reason = ERR_reason_error_string(ERR_peek_error())) {
    why = std::string("TLS failed: ") + reason + " (check the peer-tls options of both nodes)";
  }
  ERR_clear_error();
  return Error{Errc::kInvalid, 0, why};
}

Result<std::size_t> PeerStream::read(MutableBytes into) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    const int got = SSL_read(ssl_.get(), into.data(), size_for_tls(into.size()));
    if (got > 0) return static_cast<std::size_t>(got);
    return tls_failure(got);
  }
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) return Error{Errc::kEnd, 0, "the other end closed the connection"};
    if (errno != EINTR) return socket_failure(errno);
  }
}

Result<std::size_t> PeerStream::write(Bytes from) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    const int sent = SSL_write(ssl_.get(), from.data(), size_for_tls(from.size()));
    if (sent > 0) return static_cast<std::size_t>(sent);
    return tls_failure(sent);
  }
  for (;;) {
    const ssize_t sent = ::send(fd_.get(), from.data(), from.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno != EINTR) return socket_failure(errno);
  }
}

}  // namespace minod
