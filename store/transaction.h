// A transaction on its way through the store: commands on keys of one partition or of several that run with nothing in
// between, and are all in the logs or none. docs/TRANSACTIONS.md.
//
// Owned by whoever asks, like the Request that it runs with; it may have been filled on another thread, which does not
// touch it until the run is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "store/command.h"
#include "store/reply.h"
#include "store/staged_writes.h"

namespace minod {

// Beyond these a transaction is refused as a whole. Nothing has been written by then.
inline constexpr std::size_t kTransactionWriteBytesMax = std::size_t{512} << 20;  // its newest values, and their keys
inline constexpr std::size_t kTransactionReadBytesMax = std::size_t{512} << 20;   // what it reads from the disk
inline constexpr std::size_t kTransactionReplyBytesMax = std::size_t{512} << 20;
// Keys of each partition that a KEYS in a MULTI walks.
inline constexpr std::size_t kTransactionWalkMax = std::size_t{64} << 10;

// The key's newest record when it was watched; kNoOffset: it was not there. A record never changes and every write
// makes a new one, so the key is as it was when the offset is.
struct WatchedKey {
  int db = 0;
  std::string key;
  Offset offset = kNoOffset;
};

struct Transaction {
  struct Command {
    const CommandSpec* spec = nullptr;  // of a command that runs in the store
    std::vector<std::string> args;      // fit its arity; its keys lie in the request's partition, or in the reach
    int db = 0;
  };
  enum class Result : std::uint8_t {
    kExecuted,  // `replies` has one for each command
    kChanged,   // a watched key is not as it was: nothing was done
    kRefused,   // `error` says why: nothing was done
  };

  std::vector<WatchedKey> watched;
  std::vector<Command> commands;
  Protocol protocol = Protocol::kResp2;
  bool alone = false;  // no MULTI: one command that concerns several logs

  // After a run that is parked: how many requests will be resumed. It should run again when the last of them is.
  int waits = 0;

  // After a run that is done.
  Result result = Result::kExecuted;
  std::string error;  // "NOSPACE …"
  std::vector<std::string> replies;

 private:
  friend class Store;
  friend class TransactionRun;
  StagedWrites staged_;
  std::vector<std::shared_ptr<void>> states_;  // Call::state() of each command
};

}  // namespace minod
