#include "tests/sim/workload.h"

#include <algorithm>

namespace minod {

namespace {

constexpr std::int64_t kSegmentBytes = std::int64_t{512} << 10;  // small, so that few commands roll

std::vector<std::string> numbered(const std::string& name, int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) keys.push_back(name + std::to_string(i));
  return keys;
}

const std::string& one_of(const std::vector<std::string>& keys, Random& chance) {
  return keys[chance.below(keys.size())];
}

// Every value is another.
std::string value(Random& chance, std::size_t size) {
  std::string text = std::to_string(chance.next());
  text.resize(std::max(size, text.size()), static_cast<char>('a' + chance.below(26)));
  return text;
}

Workload workload(std::string name, int commands, std::vector<std::string> keys) {
  Workload made;
  made.name = std::move(name);
  made.commands = commands;
  made.keys = std::move(keys);
  made.options.segment_bytes = kSegmentBytes;
  return made;
}

}  // namespace

Workload small_sets() {
  Workload made = workload("small sets", 9000, numbered("key", 24));
  made.draw = [keys = made.keys](Random& chance, UnixMillis) -> Command {
    if (chance.one_in(4)) return {"GET", one_of(keys, chance)};
    return {"SET", one_of(keys, chance), value(chance, chance.below(1200))};
  };
  return made;
}

Workload deletes_and_flushes() {
  Workload made = workload("deletes, expiry and flushes", 7000, numbered("k", 16));
  made.draw = [keys = made.keys](Random& chance, UnixMillis now) -> Command {
    const std::string& key = one_of(keys, chance);
    const std::string& other = one_of(keys, chance);
    const auto soon = static_cast<std::int64_t>(1 + chance.below(5000));
    switch (chance.below(12)) {
      case 0:
      case 1:
        return {"DEL", key, other};
      case 2:
        return {"PEXPIREAT", key, std::to_string(now.value() + soon)};
      case 3:
        return {"PERSIST", key};
      case 4:
        return {"RENAME", key, other};
      case 5:
        return chance.one_in(12) ? Command{"FLUSHDB", "SYNC"} : Command{"GET", key};
      case 6:
      case 7:
        return {"SET", key, value(chance, 40), "PX", std::to_string(soon)};
      default:
        return {"SET", key, value(chance, chance.below(4000))};
    }
  };
  return made;
}

Workload large_groups() {
  Workload made = workload("large values, compressed, in groups", 1500, numbered("large", 8));
  made.options.compress = true;
  made.pipeline = 2;
  made.draw = [keys = made.keys](Random& chance, UnixMillis) -> Command {
    if (chance.one_in(8)) return {"APPEND", one_of(keys, chance), value(chance, chance.below(9000))};
    if (chance.one_in(8)) return {"GET", one_of(keys, chance)};
    Command command{"MSET"};
    for (std::uint64_t pairs = 1 + chance.below(4); pairs > 0; --pairs) {
      command.push_back(one_of(keys, chance));
      std::string bytes = value(chance, chance.one_in(3) ? chance.below(60'000) : chance.below(300));
      // Half of it is noise, which does not compress.
      for (std::size_t i = 0; i < bytes.size() / 2; ++i) bytes[i] = static_cast<char>(chance.below(256));
      command.push_back(std::move(bytes));
    }
    return command;
  };
  return made;
}

Workload cached_sets() {
  Workload made = small_sets();
  made.name = "small sets under everysec";
  made.options.sync = SyncPolicy::kEverySec;
  return made;
}

Workload kept_in_order() {
  Workload made = workload("sets and deletes, compacted, with checkpoints and backups", 4000, numbered("kept", 40));
  made.options.checkpoint_bytes = 40'000;
  made.options.compaction.live_percent = 100;
  made.options.compaction.bytes_per_second = 0;
  made.options.compaction.delete_retention = Millis(2000);
  made.compact_one_in = 60;
  made.back_up_one_in = 700;
  made.draw = [keys = made.keys](Random& chance, UnixMillis) -> Command {
    const std::string& key = one_of(keys, chance);
    switch (chance.below(8)) {
      case 0:
        return {"DEL", key, one_of(keys, chance)};
      case 1:
        return {"SET", key, value(chance, 30), "PX", std::to_string(1 + chance.below(5000))};
      case 2:
      case 3:
        return {"GET", key};
      default:
        return {"SET", key, value(chance, chance.below(chance.one_in(4) ? 20'000 : 600))};
    }
  };
  return made;
}

Workload cached_and_kept() {
  Workload made = kept_in_order();
  made.name += ", under everysec";
  made.options.sync = SyncPolicy::kEverySec;
  return made;
}

void step(Machine& machine, const Workload& workload, Random& chance) {
  machine.issue(workload.draw(chance, machine.clock().now()), chance.below(machine.connections()));
  if (chance.one_in(workload.pipeline)) machine.turn();
  if (workload.compact_one_in != 0 && chance.one_in(workload.compact_one_in)) machine.store().request_compaction();
  if (workload.back_up_one_in != 0 && chance.one_in(workload.back_up_one_in)) machine.back_up();
  if (chance.one_in(20)) machine.advance(Millis(static_cast<std::int64_t>(chance.below(2000))));
  if (workload.options.sync == SyncPolicy::kEverySec && chance.one_in(40)) machine.store().sync_logs();
  machine.collect();
}

}  // namespace minod
