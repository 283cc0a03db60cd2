// A command that one shard runs for another: the arguments travel, the command runs on the shard that owns the
// partition, and the reply travels back when everything it tells is committed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/command.h"
#include "store/reply.h"
#include "store/transaction.h"

namespace minod {

class Shard;
class Store;

struct RemoteCall {
  const CommandSpec* spec = nullptr;
  std::vector<std::string> args;
  int db = 0;
  std::uint16_t partition = 0;
  Protocol protocol = Protocol::kResp2;
  bool stale = false;                                  // the client has said READONLY
  std::shared_ptr<Transaction> transaction = nullptr;  // instead of `spec` and `args`
};

// Runs `call` on shard `to`, which may be `from` itself; `done` gets the reply's bytes on `from`'s thread, in a later
// turn. No bytes: whether it has happened will never be known.
void run_remotely(Shard& from, int to, RemoteCall call, std::function<void(std::string)> done);

// The same for a transaction, whose replies are in it; `done` comes when all that they tell is committed, or with
// false: when that will never be known.
void run_remotely(Shard& from, int to, std::shared_ptr<Transaction> transaction, std::uint16_t partition, bool stale,
                  std::function<void(bool known)> done);

// Why the transaction may not run on its logs of this shard, whose partitions are `partitions`; empty: it may.
std::string_view refusal_of(const Transaction& transaction, std::span<const std::uint16_t> partitions, bool stale,
                            Shard& shard);
// Whether it has to wait with that, ShardReplication::when_it_goes_on().
bool pauses(const Transaction& transaction, std::span<const std::uint16_t> partitions, Shard& shard);

// Fills in the offsets of keys that are to be watched; on the thread of the store.
void find_newest_records(Store& store, std::vector<WatchedKey>& keys);
void watch_remotely(Shard& from, int to, std::vector<WatchedKey> keys,
                    std::function<void(const std::vector<WatchedKey>&)> done);

}  // namespace minod
