// A server in a thread of this process that answers PING and nothing else, and that can be made to stop for a while as
// servers do that sync, fork or collect garbage: nothing is read, nothing is answered.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>

#include "base/fd.h"

namespace minod::bench {

class PausedServer {
 public:
  struct Pause {
    std::chrono::milliseconds after{0};  // the first PING
    std::chrono::milliseconds length{0};
  };

  explicit PausedServer(Pause pause);
  ~PausedServer();

  std::uint16_t port() const { return port_; }
  std::size_t largest_burst() const { return largest_burst_; }    // most PINGs that one read brought
  std::size_t smallest_burst() const { return smallest_burst_; }  // and fewest

 private:
  struct Peer {
    Fd socket;
    std::string input;
  };

  void run();
  void pause_if_due();
  bool serve(Peer& peer);  // false: the client has gone
  void note_burst(std::size_t pings);

  Pause pause_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::deque<Peer> peers_;
  std::chrono::steady_clock::time_point first_ping_;
  std::atomic<std::size_t> largest_burst_{0};
  std::atomic<std::size_t> smallest_burst_{SIZE_MAX};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace minod::bench
