// Writers that keep a server busy from threads of their own, each with a connection and a ledger.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/ledger.h"
#include "tests/live/server_process.h"

namespace minod::live {

class Load {
 public:
  Load(int writers, std::uint64_t seed);
  ~Load() { stop(); }

  void start(std::uint16_t port);
  // Returns when every writer has noted the replies that reached it.
  void stop();
  // Writers that got a reply they must not get; told in words.
  std::vector<std::string> complaints() const;

  // What check() of every ledger says.
  std::vector<std::string> check(std::uint16_t port);
  std::uint64_t acknowledged_count() const;

 private:
  void write(std::size_t writer, std::uint16_t port);

  std::vector<Ledger> ledgers_;
  std::vector<std::string> complaints_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace minod::live
