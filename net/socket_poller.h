// Which of a shard's sockets can be read or written: one edge-triggered epoll set. A socket is registered once, and a
// request costs no system call to ask for the next one. Belongs to one shard.
//
// Asio's reactor costs a read that finds nothing, or an epoll_ctl, for every request: 10 % of a GET's time without
// pipelining. The shard's io_context, which runs everything else, watches this set as a single descriptor.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace minod {

class SocketPoller {
 public:
  // Embedded in what owns a socket. `ready` is called from serve(), on every edge and after again().
  struct Member {
    void (*ready)(Member&, std::uint32_t events) = nullptr;  // events: EPOLLIN | EPOLLOUT | EPOLLRDHUP | ...
  };

  SocketPoller();

  // Readable when some socket is ready: what the sleeping shard watches.
  int fd() const { return fd_.get(); }

  // Until the socket is closed. What is there already counts as an edge.
  Result<void> add(int socket, Member& member);

  // The member has left input in its socket on purpose, to let others have their turn: it is called again.
  void again(Member& member) { again_.push_back(&member); }

  // No longer watched; it may be added to another shard's set. forget() its member too.
  void remove(int socket);

  // The member goes away; its socket is closed or removed.
  void forget(Member& member);

  // Calls up to `most` members that are ready; fewer means that no other is.
  std::size_t serve(std::size_t most);

 private:
  static constexpr int kEventsAtOnce = 64;

  bool refill();

  Fd fd_;
  std::array<epoll_event, kEventsAtOnce> events_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::vector<Member*> again_;
};

}  // namespace minod
