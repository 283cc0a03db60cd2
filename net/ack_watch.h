// Who waits, in WAIT and WAITAOF, for how many members to have what one shard's logs held at some moment.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"
#include "cluster/replication.h"

namespace minod {

class AckWatches {
 public:
  using Told = std::function<void(std::size_t members, bool local)>;

  // From what the logs of `store` have appended by now. `told` at once, and each time that there are more.
  void add(std::uint64_t id, std::size_t most, Told told, Store& store, const Replication& replication);
  void forget(std::uint64_t id) {
    std::erase_if(watches_, [id](const Watch& watch) { return watch.id == id; });
  }
  bool empty() const { return watches_.empty(); }
  void look(Store& store, const Replication& replication);
  void clear() { watches_.clear(); }

 private:
  struct Target {
    int db;
    int partition;
    Offset end;
  };
  struct Watch {
    std::uint64_t id;
    std::size_t most;
    Told told;
    std::vector<Target> targets;
    std::size_t members = 0;
    bool local = false;
    bool was_told = false;
  };
  static void look(Watch& watch, Store& store, const Replication& replication);

  std::vector<Watch> watches_;
};

}  // namespace minod
