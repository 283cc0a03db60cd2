#include "net/ack_watch.h"

#include <algorithm>

namespace minod {

void AckWatches::add(std::uint64_t id, std::size_t most, Told told, Store& store, const Replication& replication) {
  Watch watch{id, most, std::move(told), {}};
  store.for_each_partition([&](Partition& partition) {
    watch.targets.push_back({partition.db(), partition.number(), partition.log().marks().appended()});
  });
  look(watch, store, replication);
  watches_.push_back(std::move(watch));
}

void AckWatches::look(Store& store, const Replication& replication) {
  for (Watch& watch : watches_) look(watch, store, replication);
}

void AckWatches::look(Watch& watch, Store& store, const Replication& replication) {
  const auto have = [&](std::size_t members) {
    return std::ranges::all_of(watch.targets, [&](const Target& target) {
      return replication.acknowledged(target.db, target.partition, members) >= target.end;
    });
  };
  std::size_t members = watch.members;
  while (members < watch.most && have(members + 1)) ++members;
  const bool local =
      watch.local || std::ranges::all_of(watch.targets, [&](const Target& target) {
        const Partition* const partition = store.partition(target.db, target.partition);
        return partition != nullptr && partition->has_log() && partition->log().marks().durable() >= target.end;
      });
  if (watch.was_told && members == watch.members && local == watch.local) return;
  watch.was_told = true;
  watch.members = members;
  watch.local = local;
  watch.told(members, local);
}

}  // namespace minod
