// A connected socket to another member, plain or TLS. Never blocks.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"
#include "net/peer/peer_tls.h"

namespace minod {

class PeerStream {
 public:
  PeerStream() = default;
  PeerStream(Fd fd, Ssl ssl) : fd_(std::move(fd)), ssl_(std::move(ssl)) {}

  // At least one byte. kBusy: nothing now, an edge of the socket follows. kEnd: the other end has closed it.
  Result<std::size_t> read(MutableBytes into);
  Result<std::size_t> write(Bytes from);

  int fd() const { return fd_.get(); }

 private:
  Error tls_failure(int result) const;

  Fd fd_;
  Ssl ssl_;  // null: plain. Before the descriptor it goes
};

}  // namespace minod
