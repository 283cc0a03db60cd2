#include "tests/cluster/protocol_world.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "tests/cluster/protocol_key.h"

namespace minod {

namespace {

std::string name_of(MemberId id) { return std::string(1, static_cast<char>('A' + id.low - 1)); }

}  // namespace

World::World(const GroupOptions& options, const WorldBounds& bounds) : options_(&options), bounds_(&bounds) {
  const std::vector<MemberId> ids{{0, 1}, {0, 2}, {0, 3}};
  for (const MemberId id : ids) {
    StoredState stored;
    stored.promised = Leadership{first_of_term(1), ids[0]};
    stored.counts = true;
    stored.sets = {InSyncSet{SetVersion{Epoch{0}, 0}, ids, ids}};
    disks_.push_back(stored);
    nodes_.emplace_back(id, options, stored, kFirstOffset);
  }
  nodes_[0].lead(Epoch{0});
  settle(0);
  for (std::size_t i = 1; i < kNodes; ++i) {
    nodes_[i].follow(ids[0]);
    settle(i);
  }
}

std::size_t World::index_of(MemberId id) const {
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (nodes_[i].self() == id) return i;
  }
  return kNodes;  // a disk that is gone
}

std::vector<MemberId> World::others(std::size_t i) const {
  std::vector<MemberId> found;
  for (const Replica& node : nodes_) {
    if (node.self() != nodes_[i].self()) found.push_back(node.self());
  }
  return found;
}

// ---- what the nodes want done

// The disk is quick with the small file; the log takes a step of its own.
void World::settle(std::size_t i) {
  Replica& node = nodes_[i];
  for (;;) {
    if (!bounds_->slow_disks) node.durable(node.state().end);
    Output output = node.take();
    if (output.cut) node.truncated();
    if (output.store) {
      disks_[i] = output.store->state;
      if (!options_->rules.keep_promises) forget_promise(i);
      node.stored(output.store->number);
    }
    for (Envelope& envelope : output.messages) send(node.self(), std::move(envelope));
    if (!output.store && !output.cut && output.messages.empty()) break;
  }
  note_acknowledged(i);
}

// Without the rule, only what the log itself says is known after a restart.
void World::forget_promise(std::size_t i) {
  const auto& lines = disks_[i].epochs.lines();
  if (!lines.empty()) disks_[i].promised = lines.back().leadership;
}

// One message of a kind is under way between two nodes: the next one overtakes it and it is lost.
void World::send(MemberId from, Envelope envelope) {
  if (std::holds_alternative<Refusal>(envelope.message)) return;
  const auto place = [](const InFlight& one) {
    return std::tuple(one.from, one.envelope.to, one.envelope.message.index());
  };
  InFlight one{from, std::move(envelope)};
  const auto at = std::ranges::lower_bound(network_, place(one), {}, place);
  if (at != network_.end() && place(*at) == place(one)) {
    *at = std::move(one);
  } else {
    network_.insert(at, std::move(one));
  }
}

// ---- what must hold

void World::note_acknowledged(std::size_t i) {
  const Replica& node = nodes_[i];
  if (!node.leads()) return;
  newest_term_ = std::max(newest_term_, term_of(node.leadership().epoch));
  for (Offset offset; offset < node.committed(); offset += OffsetCount(1)) {
    const Acknowledged one{offset, node.state().stored.epochs.at_end(offset + OffsetCount(1))};
    if (std::ranges::find(acknowledged_, one) == acknowledged_.end()) acknowledged_.push_back(one);
  }
  std::ranges::sort(acknowledged_, {}, &Acknowledged::offset);
}

std::optional<std::string> World::violation() const {
  const Replica* newest = nullptr;
  for (const Replica& node : nodes_) {
    // One that was replaced and has not heard of it may miss what its successor acknowledged.
    if (node.leads() && term_of(node.leadership().epoch) == newest_term_) newest = &node;
  }
  for (std::size_t i = 1; i < acknowledged_.size(); ++i) {
    if (acknowledged_[i].offset == acknowledged_[i - 1].offset) {
      return "two records were acknowledged at offset " + std::to_string(acknowledged_[i].offset.value());
    }
  }
  for (const Acknowledged& one : acknowledged_) {
    const auto has = [&](const Replica& node) {
      return node.state().end > one.offset &&
             node.state().stored.epochs.at_end(one.offset + OffsetCount(1)) == one.leadership;
    };
    if (newest != nullptr && !has(*newest)) {
      return "the acknowledged record " + std::to_string(one.offset.value()) + " is not at the leader " +
             name_of(newest->self());
    }
    for (const Replica& node : nodes_) {
      if (node.committed() > one.offset && !has(node)) {
        return name_of(node.self()) + " serves another record than the acknowledged one";
      }
    }
  }
  return std::nullopt;
}

// ---- what can happen

std::vector<Move> World::moves() const {
  using Kind = Move::Kind;
  std::vector<Move> moves;
  for (std::size_t m = 0; m < network_.size(); ++m) {
    const std::size_t to = index_of(network_[m].envelope.to);
    if (to != kNodes) moves.push_back({Kind::kDeliver, to, m});
  }
  for (std::size_t i = 0; i < kNodes; ++i) {
    const ReplicaState& state = nodes_[i].state();
    if (nodes_[i].leads() && state.end.value() < bounds_->records) moves.push_back({Kind::kAppend, i});
    if (state.durable < state.end) moves.push_back({Kind::kDurable, i});
    const bool fetches = state.role == Role::kFollower && state.following != kNobody;
    if (fetches && !waits_for(nodes_[i].self())) moves.push_back({Kind::kRetry, i});
    if (crashes_ < bounds_->crashes) {
      moves.push_back({Kind::kRestart, i, 0});
      if (state.durable < state.end) moves.push_back({Kind::kRestart, i, 1});
    }
    if (replaced_ < bounds_->replaced_disks && !nodes_[i].leads()) moves.push_back({Kind::kReplaceDisk, i});
    add_operations(i, moves);
  }
  return moves;
}

// What operators and time do.
void World::add_operations(std::size_t i, std::vector<Move>& moves) const {
  using Kind = Move::Kind;
  const Replica& node = nodes_[i];
  for (std::size_t j = 0; j < kNodes; ++j) {
    if (j == i) continue;
    const MemberId other = nodes_[j].self();
    if (node.leads() && drops_ < bounds_->drops && node.set()->holds(other)) moves.push_back({Kind::kDrop, i, j});
    const bool elsewhere = node.state().role == Role::kFollower && node.state().following != other;
    if (elsewhere && nodes_[j].leads()) {
      moves.push_back({Kind::kFollow, i, j});
    }
  }
  if (node.leads() || term_of(node.leadership().epoch) >= bounds_->terms) return;
  for (std::size_t voters = 0; voters < (bounds_->slow_votes ? 1 : 4); ++voters) {
    moves.push_back({Kind::kPromote, i, voters});
  }
}

// A fetch or its answer is under way.
bool World::waits_for(MemberId id) const {
  return std::ranges::any_of(network_, [&](const InFlight& one) {
    return (one.from == id && std::holds_alternative<Fetch>(one.envelope.message)) ||
           (one.envelope.to == id && std::holds_alternative<Answer>(one.envelope.message));
  });
}

std::string World::describe(const Move& move) const {
  using Kind = Move::Kind;
  const std::string name = name_of(nodes_[move.node].self());
  const auto other = [&] { return name_of(nodes_[move.other].self()); };
  switch (move.kind) {
    case Kind::kDeliver: {
      static constexpr std::array kKinds{"fetch", "answer", "refusal", "promise", "promised"};
      const InFlight& one = network_[move.other];
      return name_of(one.from) + "'s " + kKinds[one.envelope.message.index()] + " reaches " + name;
    }
    case Kind::kAppend:
      return name + " appends";
    case Kind::kDurable:
      return name + " is durable";
    case Kind::kRetry:
      return name + " fetches again";
    case Kind::kDrop:
      return name + " drops " + other();
    case Kind::kFollow:
      return name + " follows " + other();
    case Kind::kPromote:
      return name + " is promoted" + (bounds_->slow_votes ? "" : ", heard by " + std::to_string(move.other));
    case Kind::kRestart:
      return name + (move.other == 0 ? " loses power" : " is killed");
    case Kind::kReplaceDisk:
      return name + " gets an empty disk";
  }
  return "";
}

void World::make(const Move& move) {
  using Kind = Move::Kind;
  Replica& node = nodes_[move.node];
  switch (move.kind) {
    case Kind::kDeliver: {
      const InFlight one = std::move(network_[move.other]);
      network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(move.other));
      node.receive(one.from, one.envelope.message);
      break;
    }
    case Kind::kAppend:
      node.appended(node.state().end + OffsetCount(1));
      break;
    case Kind::kDurable:
      node.durable(node.state().end);
      break;
    case Kind::kRetry:
      node.retry();
      break;
    case Kind::kDrop:
      ++drops_;
      node.drop(nodes_[move.other].self());
      break;
    case Kind::kFollow:
      node.follow(nodes_[move.other].self());
      break;
    case Kind::kPromote:
      hold_vote(move.node, move.other);
      break;
    case Kind::kRestart:
      ++crashes_;
      restart(move.node, move.other == 0 ? node.state().durable : node.state().end);
      break;
    case Kind::kReplaceDisk:
      replace_disk(move.node);
      break;
  }
  settle(move.node);
}

void World::hold_vote(std::size_t i, std::size_t voters) {
  Replica& candidate = nodes_[i];
  candidate.promote(bounds_->slow_votes ? others(i) : std::vector<MemberId>(), false);
  if (bounds_->slow_votes) return;
  settle(i);
  const Message wanted = Promise{candidate.leadership()};
  std::size_t bit = 1;
  for (const MemberId other : others(i)) {
    const std::size_t j = index_of(other);
    if ((voters & bit) != 0) {
      nodes_[j].receive(candidate.self(), wanted);
      settle(j);
    }
    bit <<= 1;
  }
  for (std::size_t m = 0; m < network_.size();) {
    if (!std::holds_alternative<Promised>(network_[m].envelope.message)) {
      ++m;
      continue;
    }
    const InFlight one = std::move(network_[m]);
    network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(m));
    candidate.receive(one.from, one.envelope.message);
  }
}

void World::restart(std::size_t i, Offset end) {
  const StoredState disk = disks_[i];
  const MemberId id = nodes_[i].self();
  nodes_[i] = Replica(id, *options_, disk, end);
  if (disk.promised.leader != id && disk.promised.leader != kNobody) {
    nodes_[i].follow(disk.promised.leader);
  } else if (!disk.epochs.lines().empty() && disk.epochs.lines().back().leadership == disk.promised) {
    nodes_[i].lead(Epoch{0});
  }
}

void World::replace_disk(std::size_t i) {
  const MemberId old = nodes_[i].self();
  const MemberId leader = nodes_[i].state().following;
  ++replaced_;
  const MemberId id = bounds_->new_disk_is_new_member ? MemberId{0, old.low + kNodes} : old;
  disks_[i] = StoredState();
  nodes_[i] = Replica(id, *options_, StoredState(), kFirstOffset);
  if (leader != kNobody) nodes_[i].follow(leader);
}

World::Key World::key() const {
  KeyBytes bytes;
  for (std::size_t i = 0; i < kNodes; ++i) {
    bytes.add(nodes_[i].self());
    bytes.add(nodes_[i].state());
    bytes.add(disks_[i]);
  }
  for (const InFlight& one : network_) {
    bytes.add(one.from);
    bytes.add(one.envelope.to);
    bytes.add(one.envelope.message);
  }
  for (const Acknowledged& one : acknowledged_) {
    bytes.add(one.offset);
    bytes.add(one.leadership);
  }
  bytes.add(std::int64_t{newest_term_} << 16 | std::int64_t{crashes_} << 8 | std::int64_t{drops_} << 4 |
            std::int64_t{replaced_});
  const XXH128_hash_t hash = bytes.hash();
  return Key{hash.high64, hash.low64};
}

}  // namespace minod
