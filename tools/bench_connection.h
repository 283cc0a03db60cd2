// One non-blocking connection with requests under way.
#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_queue.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "tools/bench_reply.h"
#include "tools/bench_request.h"
#include "tools/bench_tally.h"

namespace minod::bench {

// An error from flush() or receive() means that the connection is lost; drop() must follow.
class Connection {
 public:
  // `socket` is connected, logged in, and has its database selected. `depth` requests may be under way at once.
  Connection(Fd socket, RequestSource source, unsigned depth, Ledger* ledger);

  bool is_open() const { return static_cast<bool>(socket_); }
  bool exhausted() const { return !is_open() || source_.exhausted(); }
  bool has_room() const { return count_ < flights_.size() && !exhausted(); }
  unsigned under_way() const { return static_cast<unsigned>(count_); }
  bool has_unsent() const { return !out_.empty(); }
  int fd() const { return socket_.get(); }

  // Draws a request that is to be timed from `intended`; requires has_room(). flush() sends it.
  void request(MonotonicNanos intended);
  Result<void> flush();

  // Reads once, at most what `scratch` holds, and counts the replies as of the clock's time after reading.
  Result<void> receive(const Clock& clock, MutableBytes scratch, Tally& tally);

  // Closes; what was under way is counted as failed with `reason`.
  void drop(std::string_view reason, Tally& tally);

  bool polled_for_write = false;  // the owner's note of what epoll was asked for

 private:
  struct Flight {
    MonotonicNanos intended;
    Request request;
  };

  Result<void> take_replies(std::string_view input, MonotonicNanos now, Tally& tally);
  // `whole` is the reply, from its first byte, when reads are verified.
  void answered(std::string_view whole, MonotonicNanos now, Tally& tally);
  void note_write(const Request& request, bool failed);
  std::uint64_t keys_of(const Request& request) const;
  // The number of misses.
  std::uint64_t verify(const Request& request, std::string_view whole, Tally& tally);
  void verify_key(std::uint64_t key, std::optional<std::string_view> value, Tally& tally);
  void launch(const Flight& flight);

  Fd socket_;
  RequestSource source_;
  Ledger* ledger_;
  ByteQueue out_;
  ByteQueue partial_;  // of a reply that is verified and has not come whole
  ReplySkipper skipper_;
  std::size_t scanned_ = 0;      // of partial_, by the skipper
  std::vector<Flight> flights_;  // a ring
  std::size_t next_ = 0;         // where the next one goes
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace minod::bench
