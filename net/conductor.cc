#include "net/conductor.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "net/node.h"
#include "net/remote_call.h"
#include "net/shard.h"

namespace minod {

namespace {

// Until `at` is no longer what `still_waiting` says it must not be. Sleeps at once: whoever is waited for may need this
// very processor.
template <class StillWaiting>
void await(std::atomic<std::uint32_t>& at, StillWaiting&& still_waiting) {
  for (;;) {
    const std::uint32_t now = at.load(std::memory_order_acquire);
    if (!still_waiting(now)) return;
    at.wait(now, std::memory_order_acquire);
  }
}

// A shard's part of waiting until a reply may leave. Owns itself.
class Release : CommitGate::Waiter {
 public:
  Release(Shard& shard, std::vector<Dependency> dependencies, std::function<void(bool)> done)
      : shard_(shard), dependencies_(std::move(dependencies)), done_(std::move(done)) {
    wake = [](CommitGate::Waiter& waiter) { static_cast<Release&>(waiter).look(); };
    lost = [](CommitGate::Waiter& waiter) { static_cast<Release&>(waiter).end(false); };
  }

  void look() {
    while (!dependencies_.empty()) {
      const Dependency& last = dependencies_.back();
      if (last.end > last.log->released()) return shard_.gate().wait(*this, last);
      dependencies_.pop_back();
    }
    end(true);
  }

 private:
  void end(bool known) {
    const std::unique_ptr<Release> self(this);
    done_(known);
  }

  Shard& shard_;
  std::vector<Dependency> dependencies_;
  std::function<void(bool)> done_;
};

}  // namespace

struct Conductor::Performance {
  int origin = 0;
  std::shared_ptr<Transaction> transaction;
  std::vector<std::uint16_t> partitions;
  bool stale = false;
  Done done;
  std::vector<std::unique_ptr<Request>> requests;  // by shard; touched while it stands still
  std::function<void(Shard&)> look;                // instead of a transaction
};

Conductor::Conductor(Node& node, int shards) : node_(node), still_(static_cast<std::size_t>(shards)) {}

Conductor::~Conductor() = default;

void Conductor::run(Shard& from, std::shared_ptr<Transaction> transaction, std::vector<std::uint16_t> partitions,
                    bool stale, Done done) {
  auto performance = std::make_unique<Performance>();
  performance->origin = from.number();
  performance->transaction = std::move(transaction);
  performance->partitions = std::move(partitions);
  performance->stale = stale;
  performance->done = std::move(done);
  queue(from, std::move(performance));
}

void Conductor::at_one_moment(Shard& from, std::function<void(Shard&)> look) {
  auto performance = std::make_unique<Performance>();
  performance->origin = from.number();
  performance->look = std::move(look);
  queue(from, std::move(performance));
}

void Conductor::queue(Shard& from, std::unique_ptr<Performance> performance) {
  performance->requests.resize(still_.size());
  if (from.number() == 0) return waiting_.push_back(std::move(performance));
  // A message is copyable, and what it carries is not.
  auto carried = std::make_shared<std::unique_ptr<Performance>>(std::move(performance));
  node_.shard(0).post(from.number(), [this, carried] { waiting_.push_back(std::move(*carried)); });
}

std::size_t Conductor::turn() {
  if (waiting_.empty()) return 0;
  std::vector<bool> shards(still_.size());
  for (const auto& performance : waiting_) {
    if (performance->look) shards.assign(shards.size(), true);
    for (const std::uint16_t partition : performance->partitions) {
      shards[static_cast<std::size_t>(node_.owner_of(partition))] = true;
    }
  }
  const std::size_t count = waiting_.size();
  const bool still = stop(shards);
  for (std::size_t i = 0; i < count; ++i) {
    auto performance = std::move(waiting_.front());
    waiting_.pop_front();
    if (still) {
      perform(std::move(performance));
    } else {
      refuse(std::move(performance));
    }
  }
  let_go();
  return count;
}

// ---- standing still

// False: one of them has ended.
bool Conductor::stop(const std::vector<bool>& shards) {
  ++rounds_;
  if (++round_ == kGone) round_ = 1;
  for (std::size_t i = 1; i < shards.size(); ++i) {
    if (!shards[i]) continue;
    node_.shard(static_cast<int>(i)).post(0, [this, i, round = round_] { stand_still(static_cast<int>(i), round); });
  }
  // Neither the doorbells nor a message that found the mailbox full may wait for this thread's next turn.
  node_.shard(0).ring_doorbells();
  while (node_.flush_overflow(0)) std::this_thread::yield();
  bool still = true;
  for (std::size_t i = 1; i < shards.size(); ++i) {
    if (!shards[i]) continue;
    await(still_[i].round, [&](std::uint32_t now) { return now != round_ && now != kGone; });
    still = still && still_[i].round.load(std::memory_order_acquire) == round_;
  }
  return still;
}

void Conductor::stand_still(int shard, std::uint32_t round) {
  std::atomic<std::uint32_t>& own = still_[static_cast<std::size_t>(shard)].round;
  if (own.load(std::memory_order_relaxed) == kGone) return;
  own.store(round, std::memory_order_release);
  own.notify_one();
  // Later rounds, without this shard, may be over by the time it looks.
  await(over_, [round](std::uint32_t over) { return static_cast<std::int32_t>(over - round) < 0; });
}

void Conductor::let_go() {
  over_.store(round_, std::memory_order_release);
  over_.notify_all();
}

void Conductor::leave(int shard) {
  std::atomic<std::uint32_t>& own = still_[static_cast<std::size_t>(shard)].round;
  own.store(kGone, std::memory_order_release);
  own.notify_one();
}

bool Conductor::alone() const {
  return std::all_of(still_.begin() + 1, still_.end(),
                     [](const Still& still) { return still.round.load(std::memory_order_acquire) == kGone; });
}

// ---- running

Request& Conductor::request_of(Performance& performance, int shard) {
  auto& request = performance.requests[static_cast<std::size_t>(shard)];
  if (!request) {
    request = std::make_unique<Request>();
    request->resume = [this, shard, &performance] {
      node_.shard(0).post(shard, [this, &performance] { resumed(performance); });
    };
  }
  return *request;
}

void Conductor::perform(std::unique_ptr<Performance> performance) {
  if (performance->look) {
    for (int i = 0; i < node_.shard_count(); ++i) performance->look(node_.shard(i));
    return;
  }
  if (stands_back(performance)) return;
  ++runs_;
  std::vector<Reach::Place> places;
  for (const std::uint16_t partition : performance->partitions) {
    const int owner = node_.owner_of(partition);
    places.push_back({partition, &node_.shard(owner).store(), &request_of(*performance, owner)});
  }
  Store& store = *places.front().store;
  const Reach reach(store.options().partitions, std::move(places));
  if (store.run(*performance->transaction, reach) == Store::Outcome::kParked) {
    parked_.push_back(std::move(performance));
  } else {
    finish(std::move(performance));
  }
}

// It waits for leadership to be handed over, or is refused: some log of it is not led here.
bool Conductor::stands_back(std::unique_ptr<Performance>& performance) {
  Transaction& transaction = *performance->transaction;
  std::string_view why;
  for (const std::uint16_t partition : performance->partitions) {
    Shard& owner = node_.shard(node_.owner_of(partition));
    if (pauses(transaction, {&partition, 1}, owner)) {
      waiting_.push_back(std::move(performance));
      return true;
    }
    if (why.empty()) why = refusal_of(transaction, {&partition, 1}, performance->stale, owner);
  }
  if (why.empty()) return false;
  transaction.result = Transaction::Result::kRefused;
  transaction.error = why;
  tell(*performance, 0, true);
  return true;
}

void Conductor::tell(Performance& performance, int thread, bool known) {
  node_.shard(performance.origin).post(thread, [done = std::move(performance.done), known] { done(known); });
}

void Conductor::resumed(Performance& performance) {
  if (--performance.transaction->waits != 0) return;
  const auto at = std::ranges::find(parked_, &performance, &std::unique_ptr<Performance>::get);
  waiting_.push_back(std::move(*at));
  parked_.erase(at);
}

void Conductor::refuse(std::unique_ptr<Performance> performance) {
  if (performance->look) return;  // whoever asked goes with the node
  performance->transaction->result = Transaction::Result::kRefused;
  performance->transaction->error = "ERR minod is stopping";
  tell(*performance, 0, true);
  refused_.push_back(std::move(performance));
}

// The shards stand still: their requests go now. What the replies depend on, each shard waits for by itself.
void Conductor::finish(std::unique_ptr<Performance> performance) {
  std::vector<std::pair<int, std::vector<Dependency>>> unreleased;
  for (std::size_t i = 0; i < performance->requests.size(); ++i) {
    const auto& request = performance->requests[i];
    if (!request) continue;
    std::vector<Dependency> left;
    for (const Dependency& dependency : request->dependencies) {
      if (dependency.end > dependency.log->released()) left.push_back(dependency);
    }
    if (!left.empty()) unreleased.emplace_back(static_cast<int>(i), std::move(left));
  }
  performance->requests.clear();
  const int origin = performance->origin;
  if (unreleased.empty()) return tell(*performance, 0, true);
  auto missing = std::make_shared<std::atomic<std::size_t>>(unreleased.size());
  auto all_known = std::make_shared<std::atomic<bool>>(true);
  for (auto& [number, dependencies] : unreleased) {
    Shard& shard = node_.shard(number);
    shard.post(0, [this, &shard, missing, all_known, origin, dependencies = std::move(dependencies),
                   done = performance->done] {
      (new Release(shard, dependencies, [this, &shard, missing, all_known, origin, done](bool known) {
        if (!known) all_known->store(false, std::memory_order_relaxed);
        if (missing->fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        node_.shard(origin).post(shard.number(), [done, all_known] { done(all_known->load()); });
      }))->look();
    });
  }
}

}  // namespace minod
