// Connections whose input has just come, each with one request. The requests of all of them are parsed and what they
// will touch is on its way from memory before the first of them runs: a request alone would wait for three loads, one
// after the other, which is a seventh of a GET without pipelining. Belongs to one shard.
// Replies leave when all of these have run, one right behind the other: waking the client costs as much as twenty
// pipelined GETs, and a client that is awake need not be woken for the next reply.
//
// A parsed request is views of its connection's input, so from add() to serve() nothing may be read into that:
// resp::Session::holds_input() says so, and Connection::receive() checks it.
#pragma once

#include <cstddef>
#include <vector>

#include "net/prefetch.h"

namespace minod {

class Connection;

class Arrivals {
 public:
  void add(Connection& connection) { connections_.push_back(&connection); }
  // Of the requests of those that are added.
  Prefetch& prefetch() { return prefetch_; }

  // Its replies leave at the end of serve().
  void answer(Connection& connection) { answered_.push_back(&connection); }

  // Runs what has come, and is not closed meanwhile. No connection may be destroyed between its add() or answer() and
  // this.
  void serve(const Store& store);

 private:
  std::vector<Connection*> connections_;
  std::vector<Connection*> answered_;
  Prefetch prefetch_;
};

}  // namespace minod
