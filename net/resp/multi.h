// One connection's transaction: what it watches, what it has queued since MULTI, and its EXEC under way.
// docs/TRANSACTIONS.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_queue.h"
#include "net/resp/touched.h"
#include "store/command.h"
#include "store/transaction.h"

namespace minod::resp {

struct Queued {
  const CommandSpec* spec = nullptr;
  const CommandSpec* leaf = nullptr;  // `spec` or the subcommand of it that is meant
  std::vector<std::string> args;
};

struct Multi {
  bool open = false;   // MULTI was said
  bool dirty = false;  // a command could not be queued: EXEC refuses
  std::vector<Queued> queued;
  std::vector<WatchedKey> watched;
  std::size_t bytes = 0;  // of arguments and watched keys
  Touched touched;        // by the commands and watched keys so far
};

// First the commands on keys run in the store, as one; then those on the connection, here; then all replies leave, in
// the order of the queue.
struct Exec {
  std::vector<Queued> queued;  // without the arguments of commands that run in the store
  std::shared_ptr<Transaction> transaction;
  Touched touched;
  bool stored = false;  // the store is done
  bool begun = false;   // `out` has the array's header
  std::size_t next = 0;
  std::size_t next_stored = 0;
  ByteQueue out;
};

}  // namespace minod::resp
