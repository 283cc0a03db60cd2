// Workloads for crash points, faults and seeds: which commands a client draws, and the store they are meant for.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/sim/machine.h"

namespace minod {

struct Workload {
  std::string name;
  StoreOptions options;
  int commands = 0;
  unsigned pipeline = 4;        // a turn after one in this many commands
  std::size_t connections = 3;  // that send them
  unsigned compact_one_in = 0;  // a compaction is asked for after one in so many commands; 0: never
  unsigned back_up_one_in = 0;  // and a backup begun
  std::vector<std::string> keys;
  std::function<Command(Random&, UnixMillis now)> draw;
};

// Sets of small values, until the log has rolled several times.
Workload small_sets();
// Sets with and without expiry, deletes, renames and flushes, whose segments die and are used again.
Workload deletes_and_flushes();
// Values from a byte to tens of KiB, compressed, in groups of many keys.
Workload large_groups();
// As small_sets(), under appendfsync everysec.
Workload cached_sets();

// Sets and deletes while segments are left early and compacted, checkpoints and hints written, and backups made.
Workload kept_in_order();
// As kept_in_order(), under appendfsync everysec.
Workload cached_and_kept();

// One command of the workload, and what happens around it.
void step(Machine& machine, const Workload& workload, Random& chance);

}  // namespace minod
