// Accepts connections on one address and hands each to the shard with the fewest. Lives on the main thread's loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "net/node.h"

namespace minod {

class Listener {
 public:
  // Bound and listening; serves from start() on. The error names the address and what to do.
  static Result<std::unique_ptr<Listener>> tcp(boost::asio::io_context& io, Node& node, const std::string& address,
                                               std::uint16_t port);
  static Result<std::unique_ptr<Listener>> unix_socket(boost::asio::io_context& io, Node& node, const std::string& path,
                                                       unsigned permissions);
  // For other members of a replication group.
  static Result<std::unique_ptr<Listener>> peers(boost::asio::io_context& io, Node& node, const std::string& address,
                                                 std::uint16_t port);
  ~Listener();

  void start();
  void stop();

 private:
  Listener(boost::asio::io_context& io, Node& node, Fd fd, std::string unix_path);
  void wait();
  void accept_all();
  void accepted(Fd fd);
  void accepted_peer(Fd fd);

  Node& node_;
  bool for_peers_ = false;
  Fd fd_;
  std::string unix_path_;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer retry_;
};

}  // namespace minod
