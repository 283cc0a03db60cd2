// A command that one shard runs for another: the arguments travel, the command runs on the shard that owns the
// partition, and the reply travels back when everything it tells is committed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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
  std::shared_ptr<Transaction> transaction = nullptr;  // instead of `spec` and `args`
};

// Runs `call` on shard `to`, which may be `from` itself; `done` gets the reply's bytes on `from`'s thread, in a later
// turn.
void run_remotely(Shard& from, int to, RemoteCall call, std::function<void(std::string)> done);

// The same for a transaction, whose replies are in it; `done` comes when all that they tell is committed.
void run_remotely(Shard& from, int to, std::shared_ptr<Transaction> transaction, std::uint16_t partition,
                  std::function<void()> done);

// Fills in the offsets of keys that are to be watched; on the thread of the store.
void find_newest_records(Store& store, std::vector<WatchedKey>& keys);
void watch_remotely(Shard& from, int to, std::vector<WatchedKey> keys,
                    std::function<void(const std::vector<WatchedKey>&)> done);

}  // namespace minod
