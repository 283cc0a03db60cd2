#include "tests/cluster/protocol_world.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "tests/cluster/protocol_key.h"

namespace minod {

std::string World::name_of(MemberId id) { return std::string(1, static_cast<char>('A' + id.low - 1)); }

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
    if (output.wipe) node.wiped();
    if (output.store) {
      disks_[i] = output.store->state;
      if (!options_->rules.keep_promises) forget_promise(i);
      if (!options_->rules.keep_incomplete) disks_[i].incomplete = false;
      node.stored(output.store->number);
    }
    for (Envelope& envelope : output.messages) {
      const auto* const answer = std::get_if<Answer>(&envelope.message);
      if (answer != nullptr) node.shipped(envelope.to, answer->begin, answer->next);
      send(InFlight{node.self(), std::move(envelope)});
    }
    if (!output.store && !output.cut && !output.wipe && output.messages.empty()) break;
  }
  note_acknowledged(i);
}

// Without the rule, only what the log itself says is known after a restart.
void World::forget_promise(std::size_t i) {
  const auto& lines = disks_[i].epochs.lines();
  if (!lines.empty()) disks_[i].promised = lines.back().leadership;
}

// One message of a kind is under way between two nodes: the next one overtakes it and it is lost.
void World::send(InFlight one) {
  if (std::holds_alternative<Refusal>(one.envelope.message)) return;
  const auto place = [](const InFlight& of) {
    return std::tuple(of.from, of.envelope.to, of.envelope.message.index(), of.again);
  };
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
  if (broken_ != nullptr) return broken_;
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

// ---- what happens

void World::make(const Move& move) {
  using Kind = Move::Kind;
  Replica& node = nodes_[move.node];
  switch (move.kind) {
    case Kind::kDeliver: {
      const InFlight one = std::move(network_[move.other]);
      network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(move.other));
      deliver(one);
      break;
    }
    case Kind::kLose:
      network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(move.other));
      break;
    case Kind::kRepeat: {
      ++repeats_;
      InFlight one = std::move(network_[move.other]);
      network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(move.other));
      deliver(one);
      one.again = true;
      send(std::move(one));
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
    case Kind::kHandOver:
      ++hand_overs_;
      node.hand_over(nodes_[move.other].self());
      break;
    case Kind::kDamage:
      ++damages_;
      node.start_anew();
      break;
    case Kind::kCopied:
      copy_from_leader(move.node);
      break;
    case Kind::kFloor:
      node.set_first(node.committed(), node.committed());
      break;
  }
  settle(move.node);
}

void World::deliver(const InFlight& one) {
  Replica& node = nodes_[index_of(one.envelope.to)];
  const bool followed = node.state().role == Role::kFollower;
  node.receive(one.from, one.envelope.message);
  const auto* const hand_over = std::get_if<HandOver>(&one.envelope.message);
  const std::size_t from = index_of(one.from);
  if (hand_over == nullptr || from == kNodes || !followed || node.state().role == Role::kFollower) return;
  const Replica& leader = nodes_[from];
  const bool still = leader.leadership() == hand_over->leadership && leader.state().handing_to == node.self();
  if (still && leader.state().end > node.state().end) broken_ = "a planned hand-over leaves out a record";
}

// The files of a leader hold what it has written, whether it is on its disk or not.
void World::copy_from_leader(std::size_t i) {
  Replica& node = nodes_[i];
  const std::size_t from = index_of(node.state().following);
  if (from == kNodes || !nodes_[from].leads() || nodes_[from].leadership() != node.leadership()) {
    return node.copy_failed();
  }
  const ReplicaState& source = nodes_[from].state();
  node.copied(source.end, source.stored.epochs.between(kFirstOffset, source.end));
}

void World::hold_vote(std::size_t i, std::size_t voters) {
  Replica& candidate = nodes_[i];
  const auto of_vote = [id = candidate.self()](const InFlight& one) {
    const Message& message = one.envelope.message;
    return (one.from == id || one.envelope.to == id) &&
           (std::holds_alternative<Inquiry>(message) || std::holds_alternative<Standing>(message) ||
            std::holds_alternative<Promise>(message) || std::holds_alternative<Promised>(message));
  };
  std::vector<Leadership> before;
  for (const Replica& node : nodes_) before.push_back(node.leadership());
  const bool votes_already = std::ranges::any_of(network_, of_vote);
  candidate.promote(others(i), false);
  if (bounds_->slow_votes) return;
  settle(i);
  std::vector<MemberId> heard{candidate.self()};
  std::size_t bit = 1;
  for (const MemberId other : others(i)) {
    if ((voters & bit) != 0) heard.push_back(other);
    bit <<= 1;
  }
  for (auto at = std::ranges::find_if(network_, of_vote); at != network_.end();
       at = std::ranges::find_if(network_, of_vote)) {
    const InFlight one = std::move(*at);
    network_.erase(at);
    const auto hears = [&](MemberId id) { return std::ranges::find(heard, id) != heard.end(); };
    if (!hears(one.from) || !hears(one.envelope.to)) continue;
    deliver(one);
    settle(index_of(one.envelope.to));
  }
  if (candidate.state().role != Role::kFollower || votes_already) return;
  for (std::size_t j = 0; j < kNodes; ++j) {
    if (j != i && nodes_[j].leadership() != before[j]) broken_ = "a promotion that was refused has changed the others";
  }
}

void World::restart(std::size_t i, Offset end) {
  const StoredState disk = disks_[i];
  const MemberId id = nodes_[i].self();
  nodes_[i] = Replica(id, *options_, disk, end);
  if (disk.promised.leader != id && disk.promised.leader != kNobody) {
    nodes_[i].follow(disk.promised.leader);
  } else if (disk.promised.leader == id) {
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
    bytes.add(std::int64_t{one.again});
  }
  for (const Acknowledged& one : acknowledged_) {
    bytes.add(one.offset);
    bytes.add(one.leadership);
  }
  bytes.add(std::int64_t{newest_term_} << 24 | std::int64_t{repeats_} << 20 | std::int64_t{hand_overs_} << 16 |
            std::int64_t{damages_} << 12 | std::int64_t{crashes_} << 8 | std::int64_t{drops_} << 4 |
            std::int64_t{replaced_});
  const XXH128_hash_t hash = bytes.hash();
  return Key{hash.high64, hash.low64};
}

}  // namespace minod
