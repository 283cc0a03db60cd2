// A member's state as bytes, to be hashed: equal states, equal bytes.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <vector>

#include "cluster/replica_state.h"

namespace minod {

class KeyBytes {
 public:
  void add(std::int64_t value) { words_.push_back(value); }
  void add(Offset value) { add(value.value()); }
  void add(MemberId value) { add(static_cast<std::int64_t>(value.low)); }
  void add(Leadership value) {
    add(std::int64_t{value.epoch.value});
    add(value.leader);
  }
  void add(SetVersion value) { add(std::int64_t{value.epoch.value} << 32 | value.number); }
  void add(const std::vector<MemberId>& members) {
    add(static_cast<std::int64_t>(members.size()));
    for (const MemberId member : members) add(member);
  }
  void add(const InSyncSet& set) {
    add(set.version);
    add(set.members);
    add(set.known);
  }
  void add(const std::vector<EpochLine>& lines) {
    add(static_cast<std::int64_t>(lines.size()));
    for (const EpochLine& line : lines) {
      add(line.leadership);
      add(line.start);
    }
  }
  void add(const StoredState& stored) {
    add(stored.promised);
    add(std::int64_t{stored.counts} << 1 | std::int64_t{stored.in_force});
    add(static_cast<std::int64_t>(stored.sets.size()));
    for (const InSyncSet& set : stored.sets) add(set);
    add(stored.epochs.lines());
    add(stored.committed);
    add(std::int64_t{stored.generation} << 1 | std::int64_t{stored.incomplete});
  }
  void add(const Message& message) {
    add(static_cast<std::int64_t>(message.index()));
    if (const auto* fetch = std::get_if<Fetch>(&message)) {
      add(fetch->known), add(fetch->last), add(fetch->end), add(fetch->durable), add(fetch->told), add(fetch->set);
      add(std::int64_t{fetch->generation} << 2 | std::int64_t{fetch->incomplete} << 1 | std::int64_t{fetch->wants});
    } else if (const auto* answer = std::get_if<Answer>(&message)) {
      add(answer->leadership), add(answer->begin), add(answer->next), add(answer->epochs), add(answer->committed);
      add(answer->set);
      add(std::int64_t{answer->generation} << 2 | std::int64_t{answer->complete} << 1 | std::int64_t{answer->in_force});
      add(answer->divergence ? answer->divergence->end.value() : -1);
      add(answer->last), add(answer->first);
    } else if (const auto* promise = std::get_if<Promise>(&message)) {
      add(promise->wanted);
    } else if (const auto* promised = std::get_if<Promised>(&message)) {
      add(promised->wanted), add(std::int64_t{promised->counts}), add(promised->set);
    } else if (const auto* standing = std::get_if<Standing>(&message)) {
      add(standing->promised), add(std::int64_t{standing->counts}), add(standing->set);
    } else if (const auto* hand_over = std::get_if<HandOver>(&message)) {
      add(hand_over->leadership), add(hand_over->end);
    }
  }
  void add(const ReplicaState& state) {
    add(state.stored);
    add(std::int64_t{static_cast<int>(state.role)} << 8 | std::int64_t{state.more_comes} << 7 |
        std::int64_t{state.handed_at.has_value()} << 6 | std::int64_t{state.asking} << 5 |
        std::int64_t{state.wiping} << 4 | std::int64_t{state.copying} << 3 | std::int64_t{state.waits_for_answer} << 2 |
        std::int64_t{state.cutting} << 1 | std::int64_t{state.stuck});
    add(state.first), add(state.first_of_empty), add(state.handing_to), add(std::int64_t{state.newest_term});
    add(state.end), add(state.durable), add(state.epoch_start), add(state.own_stored), add(state.following);
    add(state.told), add(state.promises), add(state.newest), add(state.led_before);
    add(static_cast<std::int64_t>(state.progress.size()));
    for (const Progress& one : state.progress) {
      add(one.member), add(one.durable), add(one.end), add(one.told), add(one.stored), add(one.told_set);
      add(static_cast<std::int64_t>(one.sent.size()));
      for (const Offset end : one.sent) add(end);
      add((one.generation ? std::int64_t{*one.generation} : -1) << 2 | std::int64_t{one.told_in_force} << 1 |
          std::int64_t{one.wants});
    }
  }
  XXH128_hash_t hash() const { return XXH3_128bits(words_.data(), words_.size() * sizeof words_[0]); }

 private:
  std::vector<std::int64_t> words_;
};

}  // namespace minod
