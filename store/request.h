// One command on its way through the store: what stays from a run to its repetition, and what its reply waits for.
// Owned by whoever asks (a connection, another shard's message, a test); destroying it cancels what it waits for.
#pragma once

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "store/cold_reader.h"

namespace minod {

class Log;

// The reply may leave when the log's released() is at least `end`.
struct Dependency {
  Log* log;
  Offset end;
};

class Request {
 public:
  std::span<const std::string_view> args;  // must stay until the command is done
  int db = 0;
  std::uint16_t partition = 0;  // of its keys; see store/slot.h
  // What the command takes for the time; nothing: the store reads its clock.
  std::optional<UnixMillis> now;

  // Called from Store::poll() when a parked request is worth running again.
  std::function<void()> resume;

  // After a run that is done: what the reply waits for; usually nothing or one log.
  boost::container::small_vector<Dependency, 2> dependencies;

  // Forgets everything of the last command, ready for the next.
  void reset() {
    dependencies.clear();
    state_.reset();
    if (!parked_) return;
    parked_.reset();
    ticket_.reset();
    fetched_.clear();
    scratch_.clear();
  }

 private:
  friend class Call;
  friend class Store;
  friend class TransactionRun;
  const FetchedRecord* fetched(RecordId id) const {
    const auto at = std::ranges::lower_bound(fetched_, id, {}, &FetchedRecord::id);
    return at != fetched_.end() && at->id == id ? &*at : nullptr;
  }
  struct Parked {
    Request* request;
  };

  std::shared_ptr<Parked> parked_;  // made at the first park; lists hold weak references
  std::shared_ptr<ColdReader::Ticket> ticket_;
  std::vector<ColdRecord> missing_;
  std::vector<FetchedRecord> fetched_;  // sorted by id
  Log* waits_for_room_ = nullptr;
  bool waits_for_database_ = false;
  bool database_failed_ = false;
  std::shared_ptr<void> state_;
  std::string scratch_;
};

}  // namespace minod
