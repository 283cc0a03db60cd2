// One connection's requests, drawn from the workload and written straight into its output.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/byte_queue.h"
#include "base/random.h"
#include "tools/bench_keys.h"
#include "tools/bench_ledger.h"
#include "tools/bench_operation.h"
#include "tools/bench_options.h"

namespace minod::bench {

struct Request {
  Operation operation = Operation::kPing;
  bool reading = false;  // the first half of a read-modify-write
  std::uint32_t version = 0;
  std::uint64_t key = 0;
};

class RequestSource {
 public:
  // What all connections draw from together.
  struct Common {
    const Options& options;
    std::atomic<std::uint64_t>& newest;  // the number of keys, which inserts raise
    Ledger* ledger;                      // nullptr unless --verify
  };

  // `stripe` is this connection among all of them; `budget` how many requests it may draw.
  RequestSource(const Common& common, Stripe stripe, std::uint64_t budget);

  bool exhausted() const { return budget_ == 0; }
  Request append(ByteQueue& out);
  Request append_second_half(ByteQueue& out, const Request& first);  // of a read-modify-write

  unsigned mget_keys() const { return common_.options.mget_keys; }

  // Under --verify, the keys of the MGETs under way, oldest first.
  std::uint64_t take_read_key();

 private:
  std::uint64_t draw_key(Operation operation);
  Request append_write(ByteQueue& out, Operation operation, std::uint64_t key);
  void append_short(ByteQueue& out, Operation operation, std::uint64_t key);
  void append_mget(ByteQueue& out, Request& request);
  std::size_t head_size(Operation operation) const { return heads_[static_cast<std::size_t>(operation)].size(); }

  Common common_;
  std::uint64_t budget_;
  Random random_;
  KeyChooser chooser_;
  std::array<std::string, kOperationCount> heads_;  // of each request, up to the digits of its key
  std::string mget_key_head_;
  std::deque<std::uint64_t> read_keys_;
};

}  // namespace minod::bench
