#include "net/remote_run.h"

#include <algorithm>

#include "net/limits.h"
#include "net/prefetch.h"
#include "net/shard.h"

namespace minod {

namespace {

constexpr std::size_t kKeptMemory = std::size_t{16} << 10;

}  // namespace

RemoteRun::RemoteRun(Shard& from, int to, std::function<void()> answered)
    : from_(from), to_(from.node().shard(to)), answered_(std::move(answered)) {
  request_.resume = [this] { run(); };
  gate_.wake = [](CommitGate::Waiter& waiter) { static_cast<Gate&>(waiter).run->leave(); };
  gate_.run = this;
}

// ---- on the asking shard

void RemoteRun::clear() {
  commands_.clear();
  slow_.clear();
  replies_.clear();
  replies_.shrink(kKeptMemory);
  first_ = done_ = 0;
}

void RemoteRun::send(int db, Protocol protocol) {
  db_ = db;
  protocol_ = protocol;
  to_.post(from_.number(), [this] { begin(); });
}

std::string_view RemoteRun::reply(std::size_t n) const {
  const std::size_t at = n - first_;
  const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
  return replies_.view().substr(begin, ends_[at] - begin);
}

// ---- on the other

void RemoteRun::begin() {
  first_ = done_;
  ends_.clear();
  replies_.clear();
  if (commands_.size() - first_ > 1) {
    Prefetch prefetch;
    for (std::size_t i = first_; i < commands_.size(); ++i) {
      const auto& args = commands_[i].args;
      if (args.size() > 1) prefetch.add(to_.store(), db_, commands_[i].partition, args[1]);
    }
    prefetch.finish(to_.store());
  }
  run();
}

void RemoteRun::run() {
  burst_.start(to_.node().clock());
  while (done_ < commands_.size() && replies_.size() <= kUnreadRepliesMax) {
    if (to_.overloaded()) return to_.resume_when_relieved(*this);
    if (!run_next()) return;
  }
  leave();
}

// False: it is parked, and run() follows.
bool RemoteRun::run_next() {
  const PlacedCommand& command = commands_[done_];
  request_.args = command.args;
  request_.db = db_;
  request_.partition = command.partition;
  request_.now = burst_.wall();
  Reply reply(replies_, protocol_);
  const Store::Outcome outcome = to_.store().run(*command.spec, request_, reply, replies_);
  const Nanos took = burst_.lap(to_.node().clock());
  if (took >= to_.slow_after()) slow_.push_back({done_, took});
  if (outcome == Store::Outcome::kParked) return false;
  ends_.push_back(replies_.size());
  note_dependencies();
  request_.reset();
  ++done_;
  return true;
}

void RemoteRun::note_dependencies() {
  for (const Dependency& dependency : request_.dependencies) {
    const auto known = std::ranges::find(dependencies_, dependency.log, &Dependency::log);
    if (known == dependencies_.end()) {
      dependencies_.push_back(dependency);
    } else {
      known->end = std::max(known->end, dependency.end);
    }
  }
}

void RemoteRun::leave() {
  while (!dependencies_.empty()) {
    const Dependency& last = dependencies_.back();
    if (last.end > last.log->released()) return to_.gate().wait(gate_, last);
    dependencies_.pop_back();
  }
  from_.post(to_.number(), [this] { answered_(); });
}

}  // namespace minod
