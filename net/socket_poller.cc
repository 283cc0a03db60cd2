#include "net/socket_poller.h"

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace minod {

SocketPoller::SocketPoller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  check(static_cast<bool>(fd_), "a process that starts has a descriptor left for epoll");
}

Result<void> SocketPoller::add(int socket, Member& member) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &member;
  if (::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, socket, &event) != 0) return errno_error("watch a client's socket", errno);
  return {};
}

void SocketPoller::remove(int socket) {
  epoll_event ignored{};
  static_cast<void>(::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, socket, &ignored));
}

void SocketPoller::forget(Member& member) {
  std::erase(again_, &member);
  for (std::size_t i = next_; i < count_; ++i) {
    if (events_[i].data.ptr == &member) events_[i].data.ptr = nullptr;
  }
}

bool SocketPoller::refill() {
  next_ = count_ = 0;
  // Who asked to be called again comes behind those who have waited in the set.
  const int got = ::epoll_wait(fd_.get(), events_.data(), kEventsAtOnce, 0);
  check(got >= 0 || errno == EINTR, "epoll_wait on the shard's own set succeeds");
  if (got > 0) count_ = static_cast<std::size_t>(got);
  while (count_ < events_.size() && !again_.empty()) {
    epoll_event& event = events_[count_++];
    event.events = EPOLLIN;
    event.data.ptr = again_.back();
    again_.pop_back();
  }
  return count_ != 0;
}

std::size_t SocketPoller::serve(std::size_t most) {
  std::size_t served = 0;
  for (; served < most; ++served) {
    if (next_ == count_ && !refill()) break;
    const epoll_event event = events_[next_++];
    if (auto* member = static_cast<Member*>(event.data.ptr)) member->ready(*member, event.events);
  }
  return served;
}

}  // namespace minod
