// A command that one shard runs for another: the arguments travel, the command runs on the shard that owns the
// partition, and the reply travels back when everything it tells is committed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/command.h"
#include "store/reply.h"

namespace minod {

class Shard;

struct RemoteCall {
  const CommandSpec* spec = nullptr;
  std::vector<std::string> args;
  int db = 0;
  std::uint16_t partition = 0;
  Protocol protocol = Protocol::kResp2;
};

// Runs `call` on shard `to`, which may be `from` itself; `done` gets the reply's bytes on `from`'s thread, in a later
// turn.
void run_remotely(Shard& from, int to, RemoteCall call, std::function<void(std::string)> done);

}  // namespace minod
