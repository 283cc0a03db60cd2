// The network between simulated nodes: what is under way is lost, late, repeated and overtaken by what comes after, and
// each direction between two nodes can be cut. All its chance comes from one seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/random.h"
#include "cluster/member.h"
#include "tests/cluster/group_fixture.h"

namespace minod {

struct NetworkFaults {
  std::uint64_t lose = 0;    // one in so many messages; 0: none
  std::uint64_t repeat = 0;  // likewise
  unsigned delay_max = 3;    // turns; with more than 1, messages overtake each other
};

class ClusterNetwork {
 public:
  explicit ClusterNetwork(std::uint64_t seed) : chance_(seed) {}

  NetworkFaults faults;
  TestNetwork sent;  // what the nodes hand over in a turn; its `cut` is which directions are closed

  // Takes over what was handed over. What is to arrive at this turn, in order.
  std::vector<TestNetwork::Parcel> turn(std::uint64_t now) {
    while (!sent.under_way.empty()) {
      TestNetwork::Parcel parcel = std::move(sent.under_way.front());
      sent.under_way.pop_front();
      note_durable(parcel);
      if (faults.lose != 0 && chance_.one_in(faults.lose)) continue;
      // Who hears an answer twice asks twice: repeats of repeats would grow without end.
      const bool few = due_.size() < kRepeatsBelow;
      if (few && faults.repeat != 0 && chance_.one_in(faults.repeat)) {
        due_.emplace(now + 1 + chance_.below(40ULL * faults.delay_max), parcel);
      }
      due_.emplace(now + chance_.below(faults.delay_max), std::move(parcel));
    }
    std::vector<TestNetwork::Parcel> arriving;
    while (!due_.empty() && due_.begin()->first <= now) {
      TestNetwork::Parcel parcel = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      if (!sent.cut.contains({parcel.from, parcel.to})) arriving.push_back(std::move(parcel));
    }
    return arriving;
  }

  // What a member said last to be on its disk, of db0-0.
  Offset said_durable(MemberId member) const {
    const auto found = durable_.find(member);
    return found == durable_.end() ? kFirstOffset : found->second;
  }

 private:
  void note_durable(const TestNetwork::Parcel& parcel) {
    Bytes bytes = parcel.frame;
    const auto frame = take_frame(bytes);
    const auto* const fetch = frame ? std::get_if<Fetch>(&frame->message) : nullptr;
    if (fetch != nullptr && frame->log == LogName{0, 0}) durable_[parcel.from] = fetch->durable;
  }

  static constexpr std::size_t kRepeatsBelow = 60;

  Random chance_;
  std::map<MemberId, Offset> durable_;
  std::multimap<std::uint64_t, TestNetwork::Parcel> due_;  // by the turn of their arrival
};

}  // namespace minod
