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
  unsigned pipeline = 4;  // a turn after one in this many commands
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

// One command of the workload, and what happens around it.
void step(Machine& machine, const Workload& workload, Random& chance);

}  // namespace minod
