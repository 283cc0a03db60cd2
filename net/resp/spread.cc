#include "net/resp/spread.h"

#include <algorithm>
#include <utility>

#include "net/limits.h"
#include "net/shard.h"

namespace minod::resp {

namespace {

constexpr std::size_t kKeptMemory = std::size_t{16} << 10;

}  // namespace

Spread::Spread(Shard& shard, std::function<void()> answered)
    : shard_(shard), answered_(std::move(answered)), runs_(static_cast<std::size_t>(shard.node().shard_count())) {}

void Spread::add(int owner, const PlacedCommand& command) {
  if (owner == shard_.number()) {
    order_.push_back({owner, own_.size()});
    own_.push_back(command);
    return;
  }
  auto& run = runs_[static_cast<std::size_t>(owner)];
  if (!run) run = std::make_unique<RemoteRun>(shard_, owner, [this] { one_answered(); });
  order_.push_back({owner, run->size()});
  run->add(command);
}

void Spread::send(int db, Protocol protocol) {
  db_ = db;
  protocol_ = protocol;
  for (const auto& run : runs_) {
    if (!run || run->size() == 0) continue;
    ++unanswered_;
    run->send(db, protocol);
  }
}

const PlacedCommand* Spread::next_own() const {
  const std::size_t next = own_first_ + own_ends_.size();
  if (next == own_.size() || own_replies_.size() > kUnreadRepliesMax) return nullptr;
  return &own_[next];
}

// One wait for all: in a pipeline, the replies before the last that waits leave a moment later than they might.
void Spread::own_done(const boost::container::small_vector<Dependency, 2>& dependencies) {
  own_ends_.push_back(own_replies_.size());
  for (const Dependency& dependency : dependencies) {
    const auto known = std::ranges::find(dependencies_, dependency.log, &Dependency::log);
    if (known == dependencies_.end()) {
      dependencies_.push_back(dependency);
    } else {
      known->end = std::max(known->end, dependency.end);
    }
  }
}

bool Spread::collect(ReplyQueue& replies) {
  const std::size_t begin = replies.bytes().size();
  for (; next_ < order_.size(); ++next_) {
    const auto [shard, number] = order_[next_];
    if (shard != shard_.number()) {
      const RemoteRun& run = *runs_[static_cast<std::size_t>(shard)];
      if (!run.has_reply(number)) break;
      replies.bytes().append(run.reply(number));
      continue;
    }
    const std::size_t at = number - own_first_;
    if (at == own_ends_.size()) break;
    const std::size_t reply = at == 0 ? 0 : own_ends_[at - 1];
    replies.bytes().append(own_replies_.view().substr(reply, own_ends_[at] - reply));
  }
  replies.hold(begin, dependencies_);
  dependencies_.clear();
  if (next_ == order_.size()) return true;
  // All that the shard of the first missing reply has done so far is collected: it goes on with empty replies.
  const int missing = order_[next_].shard;
  if (missing == shard_.number()) {
    own_first_ += own_ends_.size();
    own_ends_.clear();
    own_replies_.clear();
  } else {
    ++unanswered_;
    runs_[static_cast<std::size_t>(missing)]->send(db_, protocol_);
  }
  return false;
}

void Spread::end() {
  order_.clear();
  next_ = 0;
  own_.clear();
  own_ends_.clear();
  own_first_ = 0;
  own_replies_.clear();
  own_replies_.shrink(kKeptMemory);
  for (const auto& run : runs_) {
    if (run && run->size() != 0) run->clear();
  }
}

void Spread::one_answered() {
  if (--unanswered_ != 0) return;
  if (abandoned_) {
    delete this;
  } else {
    answered_();
  }
}

std::size_t Spread::memory_bytes() const {
  std::size_t bytes = own_replies_.capacity();
  // What another shard has in its hands is not looked at.
  if (unanswered_ != 0) return bytes;
  for (const auto& run : runs_) bytes += run ? run->memory_bytes() : 0;
  return bytes;
}

void Spread::abandon(std::unique_ptr<Spread> spread, ByteQueue input, std::unique_ptr<Lookahead> requests) {
  if (spread->unanswered_ == 0) return;
  Spread& left = *spread.release();
  left.abandoned_ = true;
  left.input_ = std::move(input);
  left.requests_ = std::move(requests);
}

}  // namespace minod::resp
