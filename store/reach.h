// The partitions that a joint transaction may touch: which store has each, and the request that waits there. A call
// without one touches the partition of its request.
//
// Made by whoever runs the transaction. While it runs, nobody else touches those stores: they are of one shard, or of
// shards that stand still (docs/TRANSACTIONS.md, "While it runs").
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "store/slot.h"

namespace minod {

class Request;
class Store;

class Reach {
 public:
  struct Place {
    std::uint16_t number = 0;  // of the partition
    Store* store = nullptr;
    Request* request = nullptr;  // one for each store
  };

  // `partitions`: of each database; `places`: ascending by number, each once.
  Reach(int partitions, std::vector<Place> places) : partitions_(partitions), places_(std::move(places)) {}

  int partitions() const { return partitions_; }
  const std::vector<Place>& places() const { return places_; }
  std::uint16_t number_of(std::string_view key) const { return partition_of(key, partitions_); }

  // The partition is one of them.
  const Place& at(std::uint16_t number) const { return *std::ranges::lower_bound(places_, number, {}, &Place::number); }

  // Each store's request, once.
  std::vector<Request*> requests() const {
    std::vector<Request*> all;
    for (const Place& place : places_) {
      if (std::ranges::find(all, place.request) == all.end()) all.push_back(place.request);
    }
    return all;
  }
  Store& store_of(const Request& request) const {
    return *std::ranges::find(places_, &request, &Place::request)->store;
  }

 private:
  int partitions_;
  std::vector<Place> places_;
};

}  // namespace minod
