// What replication does with the store's logs beside writing to them: gives one up and puts another in its place. A
// part of Store.
#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "store/store.h"

namespace minod {

bool Store::rest(Partition& partition) {
  expiry_reads_.reset();
  std::erase_if(early_hints_, [&](const auto& early) { return early.partition == &partition; });
  const Offset all(std::numeric_limits<std::int64_t>::max());
  const bool no_hint = hints_.give_up(options_.directory + "/" + partition.name(), kFirstOffset, all);
  const bool no_checkpoint = checkpointer_.rest(partition);
  const bool no_run = compactor_.rest(partition);
  const bool no_victim = evictor_.rest(partition);
  return no_hint && no_checkpoint && no_run && no_victim && jobs_ == 0 && partition.log().idle();
}

namespace {

struct Remaking {
  Partition fresh;
  Result<std::unique_ptr<Log>> log;
};

}  // namespace

void Store::remake(Partition& partition, Recover recover, std::function<void(const Result<void>&)> done) {
  check(rest(partition), "a partition rests before it is made anew");
  std::unique_ptr<Log> old = partition.take_log();
  old->retire();
  retired_.push_back(std::move(old));
  cache_.erase_log(partition.id());
  // The number goes round after 65,536 of them; nothing in the cache is of one that no partition has.
  const auto taken = [this](std::uint16_t id) {
    return std::ranges::any_of(partitions_, [id](const auto& one) { return one != nullptr && one->id() == id; });
  };
  while (taken(next_id_)) ++next_id_;
  auto made = std::make_shared<Remaking>(
      Remaking{Partition(partition.db(), partition.number(), next_id_++), std::unique_ptr<Log>()});
  ++jobs_;
  disk_.run_aside(
      [this, made, recover = std::move(recover), options = log_options(partition), events = events_for(partition)] {
        auto start = recover(made->fresh);
        if (start) {
          made->log = Log::open(disk_, clock_, options, std::move(*start), events);
        } else {
          made->log = start.error();
        }
      },
      [this, made, at = &partition, done = std::move(done)] {
        --jobs_;
        if (!made->log) return done(made->log.error());
        at->take_over(std::move(made->fresh));
        at->set_log(std::move(*made->log));
        at->log().set_sync_policy(options_.sync);
        at->set_applied(at->log().marks().appended());
        done({});
      });
}

}  // namespace minod
